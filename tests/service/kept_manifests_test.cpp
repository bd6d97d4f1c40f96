#include "daemon/service/kept_manifests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/service/manifest_folder.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;
using testing::write_file;

class KeptManifestsTest : public ::testing::Test {
 protected:
  KeptManifestsTest() { std::filesystem::create_directories(folder_); }

  static std::string text(const std::string& name, const std::string& more = "") {
    return "version: 1\nname: " + name +
           "\ntenant: _demoemea\nidentity: { field: _demoemea.identification.core.email, namespace: Email }\n"
           "audiences: [{ name: Luma - Platinum }]\n" +
           more;
  }
  ManifestSet load() const {
    auto set = load_manifest_folder(files_, folder_, rules_);
    EXPECT_TRUE(set.ok());
    return set.ok() ? std::move(set).take() : ManifestSet{};
  }
  void keep(const ManifestSet& set) {
    std::vector<const LoadedManifest*> manifests;
    for (const auto& each : set.manifests) manifests.push_back(&each);
    KeptManifests kept(files_, file_);
    ASSERT_TRUE(kept.keep(manifests).ok());
  }
  /// What comes back, each as uid:schedule, after the daemon was started anew.
  std::vector<std::string> restored(ManifestSet set) {
    const auto told = KeptManifests(files_, file_).restore(set, rules_);
    EXPECT_TRUE(told.ok()) << told.error().text();
    told_ = told.ok() ? *told : std::vector<std::string>();
    std::vector<std::string> out;
    for (const auto& each : set.manifests) out.push_back(each.manifest.uid);
    return out;
  }

  TemporaryFolder scratch_;
  const Path folder_ = scratch_.path() / "manifests.d";
  const Path file_ = scratch_.path() / "state" / "manifests" / "accepted.json";
  mutable PosixFiles files_;
  ManifestRules rules_;
  std::vector<std::string> told_;
};

TEST_F(KeptManifestsTest, AFileThatIsBrokenLeavesItsSyncAsItWas) {
  write_file(folder_ / "base.yaml", "guard: { max_removals: 7% }\n");
  write_file(folder_ / "a.yaml", "extends: base.yaml\n" + text("one"));
  write_file(folder_ / "b.yaml", text("two"));
  keep(load());
  struct stat about {};
  ASSERT_EQ(::stat(file_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);

  write_file(folder_ / "base.yaml", "guard: { max_removals: many }\n");
  auto set = load();
  ASSERT_EQ(set.manifests.size(), 1U);
  EXPECT_THAT(restored(set), ElementsAre("one", "two"));
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_THAT(told_[0], HasSubstr("a.yaml: its last accepted version counts until it is mended"));
  ASSERT_TRUE(KeptManifests(files_, file_).restore(set, rules_).ok());
  EXPECT_EQ(set.manifests.front().manifest.guard.max_removals.text(), "7%") << "with what it extended then";
}

TEST_F(KeptManifestsTest, AFileThatIsGoneIsGone) {
  write_file(folder_ / "a.yaml", text("one"));
  keep(load());
  std::filesystem::remove(folder_ / "a.yaml");
  EXPECT_THAT(restored(load()), IsEmpty());
}

TEST_F(KeptManifestsTest, WhoTookItsUidOrItsDatasetMeanwhileHasIt) {
  write_file(folder_ / "a.yaml", text("one"));
  write_file(folder_ / "b.yaml", text("two"));
  keep(load());
  write_file(folder_ / "a.yaml", "broken");
  write_file(folder_ / "b.yaml", "broken");
  write_file(folder_ / "c.yaml", text("three", "uid: one\n"));
  write_file(folder_ / "d.yaml", text("four", "target: { dataset: \"audiencesync membership: two\" }\n"));
  EXPECT_THAT(restored(load()), ElementsAre("four", "one"));
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(KeptManifestsTest, WhatTheSettingsForbidByNowDoesNotComeBack) {
  write_file(folder_ / "a.yaml", text("one"));
  keep(load());
  write_file(folder_ / "a.yaml", "broken");
  rules_.organizations.emplace();
  EXPECT_THAT(restored(load()), IsEmpty());
}

TEST_F(KeptManifestsTest, NothingIsWrittenWhenNothingIsNew) {
  write_file(folder_ / "a.yaml", text("one"));
  keep(load());
  const auto written = std::filesystem::last_write_time(file_);
  struct stat before {};
  ASSERT_EQ(::stat(file_.c_str(), &before), 0);
  keep(load());
  struct stat after {};
  ASSERT_EQ(::stat(file_.c_str(), &after), 0);
  EXPECT_EQ(std::filesystem::last_write_time(file_), written);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(KeptManifestsTest, DamageIsSaidAndLeavesTheSetAsItIs) {
  write_file(folder_ / "a.yaml", text("one"));
  auto set = load();
  std::filesystem::create_directories(file_.parent_path());
  write_file(file_, "{\"manifests\":");
  EXPECT_FALSE(KeptManifests(files_, file_).restore(set, rules_).ok());
  EXPECT_EQ(set.manifests.size(), 1U);
}

}  // namespace
}  // namespace audiencesync
