#include "engine/base/capped_files.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace audiencesync {
namespace {

class CappedFilesTest : public testing::Test {
 protected:
  CappedFilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "audiencesync-capped-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
  }
  ~CappedFilesTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  Path in(const std::string& name) const { return folder / "state" / name; }
  Result<void> put(CappedFiles& files, const Path& path, std::size_t bytes) {
    auto file = TRY(files.create(path));
    TRY(file->write(std::string(bytes, 'x')));
    return file->sync();
  }
  CappedFiles capped(std::uint64_t cap) { return {disk, folder / "state", cap, "limits.disk"}; }

  Path folder;
  PosixFiles disk;
};

TEST_F(CappedFilesTest, AWriteThatWouldPassTheCapFailsBeforeItReachesTheDisk) {
  ASSERT_TRUE(disk.make_folder(in("a")).ok());
  ASSERT_TRUE(disk.write_atomic(in("a/old"), std::string(40, 'x')).ok());
  auto files = capped(100);
  EXPECT_EQ(files.used(), 40U);
  ASSERT_TRUE(put(files, in("a/new"), 60).ok());
  const auto more = put(files, in("b"), 1);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().code(), ErrorCode::NoSpace);
  EXPECT_NE(more.error().text().find("limits.disk"), std::string::npos) << more.error().text();
  EXPECT_EQ(*disk.size(in("b")), 0U);
  EXPECT_FALSE(files.write_atomic(in("c"), "y").ok());
  EXPECT_FALSE(disk.exists(in("c")));
}

TEST_F(CappedFilesTest, WhatIsRemovedOrReplacedMakesRoom) {
  ASSERT_TRUE(disk.make_folder(in("")).ok());
  auto files = capped(100);
  ASSERT_TRUE(put(files, in("a"), 100).ok());
  ASSERT_TRUE(put(files, in("a"), 90).ok()) << "what is there is given up first";
  EXPECT_EQ(files.used(), 90U);
  ASSERT_TRUE(files.write_atomic(in("b"), "12345").ok());
  ASSERT_TRUE(files.write_atomic(in("b"), "123").ok());
  EXPECT_EQ(files.used(), 93U);
  ASSERT_TRUE(files.rename(in("b"), in("a")).ok());
  EXPECT_EQ(files.used(), 3U);
  ASSERT_TRUE(files.make_folder(in("d")).ok());
  ASSERT_TRUE(put(files, in("d/e"), 50).ok());
  ASSERT_TRUE(files.remove(in("d")).ok());
  EXPECT_EQ(files.used(), 3U);
  ASSERT_TRUE(files.remove(in("never")).ok());
  EXPECT_EQ(files.used(), 3U);
}

TEST_F(CappedFilesTest, WhatALibraryWritesByItselfCounts) {
  ASSERT_TRUE(disk.make_folder(in("")).ok());
  auto files = capped(100);
  const auto by_itself = [&](const char* name, std::size_t bytes) {
    return [&, name, bytes]() -> Result<void> {
      auto file = TRY(files.create(in(name)));  // as a private file, before the library opens it
      return disk.write_atomic(in(name), std::string(bytes, 'x'));
    };
  };
  ASSERT_TRUE(files.count_foreign(in("a"), 80, by_itself("a", 30)).ok());
  EXPECT_EQ(files.used(), 30U);
  ASSERT_TRUE(files.count_foreign(in("a"), 80, by_itself("a", 40)).ok()) << "what is there is given up first";
  EXPECT_EQ(files.used(), 40U);

  bool begun = false;
  const auto refused = files.count_foreign(in("b"), 61, [&]() -> Result<void> {
    begun = true;
    return {};
  });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::NoSpace);
  EXPECT_FALSE(begun);
  const auto more = files.count_foreign(in("b"), 60, by_itself("b", 61));
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().code(), ErrorCode::NoSpace);
  EXPECT_FALSE(disk.exists(in("b")));
  EXPECT_EQ(files.used(), 40U);

  ASSERT_TRUE(files.remove(in("a")).ok());
  EXPECT_EQ(files.used(), 0U);
  ASSERT_TRUE(put(files, in("c"), 100).ok()) << "all of it is free again";
}

TEST_F(CappedFilesTest, OtherFoldersAreNotCounted) {
  ASSERT_TRUE(disk.make_folder(in("")).ok());
  auto files = capped(10);
  ASSERT_TRUE(put(files, folder / "elsewhere", 1000).ok());
  ASSERT_TRUE(put(files, folder / "state-2", 1000).ok());
  EXPECT_EQ(files.used(), 0U);
  EXPECT_FALSE(files.rename(folder / "elsewhere", in("a")).ok());
  EXPECT_TRUE(disk.exists(folder / "elsewhere"));
  EXPECT_FALSE(disk.exists(in("a")));
}

}  // namespace
}  // namespace audiencesync
