#include "engine/base/files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "audiencesync-files-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    old_umask = ::umask(0);  // the worst case for private files
  }
  ~FilesTest() override {
    ::umask(old_umask);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  static unsigned mode_of(const Path& path) {
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777U : 0;
  }
  std::vector<std::string> names() const { return files.list(folder).value(); }

  Path folder;
  mode_t old_umask = 0;
  PosixFiles files;
};

TEST_F(FilesTest, WhatIsWrittenIsReadAndPrivate) {
  ASSERT_TRUE(files.make_folder(folder / "a" / "b" / "c").ok());
  auto writer = files.create(folder / "a" / "plain");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write("one, ").ok());
  ASSERT_TRUE((*writer)->write(std::string("tw\0", 3)).ok());
  ASSERT_TRUE((*writer)->sync().ok());
  ASSERT_TRUE(files.write_atomic(folder / "atomic", "x").ok());

  EXPECT_EQ(*files.read(folder / "a" / "plain"), std::string("one, tw\0", 8));
  EXPECT_EQ(*files.size(folder / "a" / "plain"), 8U);
  EXPECT_EQ(mode_of(folder / "a" / "plain"), 0600U);
  EXPECT_EQ(mode_of(folder / "atomic"), 0600U);
  EXPECT_EQ(mode_of(folder / "a"), 0700U);
  EXPECT_EQ(mode_of(folder / "a" / "b" / "c"), 0700U);
}

TEST_F(FilesTest, AFileThatOthersCouldReadBecomesPrivateWhenWrittenAgain) {
  for (const auto* name : {"created", "atomic", "atomic.part"}) {
    std::ofstream(folder / name) << "old";
    std::filesystem::permissions(folder / name, std::filesystem::perms(0666));
  }
  ASSERT_TRUE(files.create(folder / "created").ok());
  ASSERT_TRUE(files.write_atomic(folder / "atomic", "new").ok());
  EXPECT_EQ(mode_of(folder / "created"), 0600U);
  EXPECT_EQ(mode_of(folder / "atomic"), 0600U);
}

TEST_F(FilesTest, AtomicWritesReplaceAndLeaveNothingBeside) {
  ASSERT_TRUE(files.write_atomic(folder / "file", std::string(100'000, 'a')).ok());
  ASSERT_TRUE(files.write_atomic(folder / "file", "short").ok());
  EXPECT_EQ(*files.read(folder / "file"), "short");
  EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(FilesTest, AnAtomicWriteThatCannotEndLeavesTheOldContent) {
  ASSERT_TRUE(files.make_folder(folder / "taken" / "inside").ok());
  const auto failed = files.write_atomic(folder / "taken", "new");  // a folder cannot be replaced by a file
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), ErrorCode::Io);
  EXPECT_THAT(names(), ElementsAre("taken"));
}

TEST_F(FilesTest, WritersOfOnePathTakeTurnsAndReadersSeeWholeContents) {
  const auto path = folder / "file";
  ASSERT_TRUE(files.write_atomic(path, std::string(50'000, 'a')).ok());
  std::vector<std::thread> threads;
  for (const char letter : {'b', 'c', 'd'}) {
    threads.emplace_back([&, letter] {
      PosixFiles own;
      for (int i = 0; i < 30; ++i) EXPECT_TRUE(own.write_atomic(path, std::string(50'000, letter)).ok());
    });
  }
  for (int i = 0; i < 200; ++i) {
    const auto content = files.read(path);
    ASSERT_TRUE(content.ok()) << content.error().text();
    ASSERT_EQ(content->size(), 50'000U);
    ASSERT_EQ(content->find_first_not_of(content->front()), std::string::npos) << "two contents mixed";
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(FilesTest, WhatIsNotThereIsNotFoundWithItsPath) {
  const auto path = folder / "absent";
  EXPECT_EQ(files.read(path).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(files.open(path).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(files.size(path).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(files.rename(path, folder / "x").error().code(), ErrorCode::NotFound);
  EXPECT_EQ(files.create(path / "inside").error().code(), ErrorCode::NotFound);
  EXPECT_EQ(files.write_atomic(path / "inside", "x").error().code(), ErrorCode::NotFound);
  EXPECT_THAT(files.read(path).error().text(), HasSubstr(path.string()));
  EXPECT_FALSE(files.exists(path));
  EXPECT_TRUE(files.remove(path).ok());
  EXPECT_TRUE(files.remove(path / "inside").ok());
  EXPECT_THAT(*files.list(path), IsEmpty());
}

TEST_F(FilesTest, AFolderIsNotAFileNorAFileAFolder) {
  ASSERT_TRUE(files.write_atomic(folder / "file", "x").ok());
  EXPECT_EQ(files.read(folder).error().code(), ErrorCode::Io);
  EXPECT_EQ(files.list(folder / "file").error().code(), ErrorCode::Io);
  EXPECT_EQ(files.make_folder(folder / "file").error().code(), ErrorCode::Io);
  EXPECT_EQ(files.make_folder(folder / "file" / "below").error().code(), ErrorCode::Io);
  EXPECT_TRUE(files.make_folder(folder).ok());
}

TEST_F(FilesTest, ReadsAnywhereAndStopsAtTheEnd) {
  ASSERT_TRUE(files.write_atomic(folder / "file", "0123456789").ok());
  auto reader = files.open(folder / "file");
  ASSERT_TRUE(reader.ok());
  std::string buffer(4, '?');
  EXPECT_EQ(*(*reader)->read_at(3, buffer), 4U);
  EXPECT_EQ(buffer, "3456");
  EXPECT_EQ(*(*reader)->read_at(8, buffer), 2U);
  EXPECT_EQ(*(*reader)->read_at(50, buffer), 0U);
  EXPECT_EQ((*reader)->size(), 10U);
}

TEST_F(FilesTest, RenameReplacesAndRemoveTakesWholeFolders) {
  ASSERT_TRUE(files.write_atomic(folder / "from", "new").ok());
  ASSERT_TRUE(files.write_atomic(folder / "to", "old").ok());
  ASSERT_TRUE(files.rename(folder / "from", folder / "to").ok());
  EXPECT_EQ(*files.read(folder / "to"), "new");
  ASSERT_TRUE(files.make_folder(folder / "deep" / "er").ok());
  ASSERT_TRUE(files.write_atomic(folder / "deep" / "er" / "file", "x").ok());
  EXPECT_THAT(names(), ElementsAre("deep", "to"));
  ASSERT_TRUE(files.remove(folder / "deep").ok());
  EXPECT_THAT(names(), ElementsAre("to"));
}

TEST_F(FilesTest, AWriterThatGoesAwayLeavesAFileToRemove) {
  { ASSERT_TRUE((*files.create(folder / "unfinished"))->write("half").ok()); }
  EXPECT_THAT(names(), ElementsAre("unfinished"));
  ASSERT_TRUE(files.remove(folder / "unfinished").ok());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FilesTest, WritingAfterSyncIsAnError) {
  auto writer = files.create(folder / "file");
  ASSERT_TRUE((*writer)->sync().ok());
  EXPECT_FALSE((*writer)->write("late").ok());
}

}  // namespace
}  // namespace audiencesync
