#include "engine/membership/landed_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LandedFilesTest : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& text = "x") {
    const auto path = folder.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  // Names below the folder of what a pattern stands for.
  std::vector<std::string> found(const std::string& pattern) {
    const auto landed = landed_files(files, folder.path() / pattern);
    EXPECT_TRUE(landed.ok()) << (landed.ok() ? "" : landed.error().text());
    std::vector<std::string> names;
    if (!landed.ok()) return names;
    for (const auto& file : landed->files) names.push_back(file.path.lexically_relative(folder.path()).string());
    return names;
  }
  std::string id(const std::string& pattern = "") { return landed_files(files, folder.path() / pattern)->id(); }

  TestFolder folder;
  PosixFiles files;
};

TEST_F(LandedFilesTest, AFolderIsAllThatIsBelowItButWhatWritersKeep) {
  for (const auto* name : {"b.parquet", "a.json", "day=1/c.gz", "_SUCCESS", "_temporary/d.json", ".e.json", "f.tmp",
                           "g.part", "a.json.crc"})
    put(name);
  put("empty.json", "");
  EXPECT_THAT(found(""), ElementsAre("a.json", "b.parquet", "day=1/c.gz"));
  EXPECT_THAT(found("a.json"), ElementsAre("a.json"));
}

TEST_F(LandedFilesTest, WildcardsStayWithinOneName) {
  for (const auto* name : {"d1/a.json", "d1/b.txt", "d2/a.json", "d2/deep/a.json", "e1/a.json", "d3"}) put(name);
  EXPECT_THAT(found("d?/*.json"), ElementsAre("d1/a.json", "d2/a.json"));
  EXPECT_THAT(found("d[2-9]"), ElementsAre("d2/a.json", "d2/deep/a.json", "d3"));
  EXPECT_THAT(found("*/deep/a.json"), ElementsAre("d2/deep/a.json"));
  EXPECT_THAT(found("*/nowhere/*.json"), IsEmpty());
  EXPECT_EQ(landed_files(files, folder.path() / "nowhere" / "a.json").error().code(), ErrorCode::NotFound);
}

TEST_F(LandedFilesTest, TheIdChangesWithNameSizeAndTime) {
  put("a");
  const auto first = id();
  EXPECT_EQ(first, id());
  std::filesystem::last_write_time(folder.path() / "a",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours{1});
  const auto later = id();
  EXPECT_NE(first, later);
  put("b");
  EXPECT_NE(later, id());
  EXPECT_EQ(first.size(), std::string("files-").size() + 32);
}

TEST_F(LandedFilesTest, AFolderThatLeadsBackIntoItselfIsAnErrorAndNotForEver) {
  put("a/b.json");
  std::filesystem::create_directory_symlink(folder.path() / "a", folder.path() / "a" / "again");
  EXPECT_EQ(landed_files(files, folder.path()).error().code(), ErrorCode::Invalid);
}

TEST_F(LandedFilesTest, LinksAreFollowedBeforeAPathCountsAsBelowAFolder) {
  put("in/a");
  put("out/b");
  put("inside/c");
  std::filesystem::create_symlink(folder.path() / "out" / "b", folder.path() / "in" / "link");
  const std::vector<Path> allowed{folder.path() / "in", folder.path() / "not-there"};
  EXPECT_TRUE(*lies_below(files, folder.path() / "in" / "a", allowed));
  EXPECT_TRUE(*lies_below(files, folder.path() / "in", allowed));
  EXPECT_FALSE(*lies_below(files, folder.path() / "in" / "link", allowed));
  EXPECT_FALSE(*lies_below(files, folder.path() / "inside" / "c", allowed));
  EXPECT_EQ(lies_below(files, folder.path() / "none", allowed).error().code(), ErrorCode::NotFound);
}

}  // namespace
}  // namespace audiencesync::testing
