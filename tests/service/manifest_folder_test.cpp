#include "daemon/service/manifest_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "daemon/service/manifest_texts.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::write_file;

std::string manifest_text(const std::string& name, const std::string& more = "") {
  return "version: 1\nname: " + name +
         "\ntenant: _demoemea\nidentity: { field: _demoemea.identification.core.email, namespace: Email }\n"
         "audiences: [{ name: Luma - Platinum }]\n" +
         more;
}

class ManifestFolderTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_ / "base"); }
  std::vector<std::string> uids(const ManifestSet& set) {
    std::vector<std::string> out;
    for (const auto& each : set.manifests) out.push_back(each.manifest.uid);
    return out;
  }
  ManifestSet load() {
    auto set = source_.load();
    EXPECT_TRUE(set.ok()) << set.error().text();
    return set.ok() ? std::move(set).take() : ManifestSet{};
  }
  bool readable(int milliseconds) {
    pollfd watched{source_.watch_fd(), POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) == 1;
  }

  TemporaryFolder scratch_;
  const Path folder_ = scratch_.path() / "manifests";
  PosixFiles files_;
  ManifestRules rules_;
  FolderSource source_{files_, folder_, rules_};
};

TEST_F(ManifestFolderTest, ABadFileIsRejectedAndTheOthersCount) {
  write_file(folder_ / "a.yaml", manifest_text("one"));
  write_file(folder_ / "b.yaml", manifest_text("two") + "scedule: '@daily'\n");
  write_file(folder_ / ".d.yaml.swp", "half of a fi");
  const auto set = load();
  EXPECT_THAT(uids(set), ElementsAre("one"));
  ASSERT_EQ(set.rejected.size(), 1U);
  EXPECT_THAT(set.rejected[0].problems.at(0), HasSubstr("b.yaml:6:1"));
}

TEST_F(ManifestFolderTest, AFolderThatIsNotThereIsAnErrorAndNotAnEmptySet) {
  std::filesystem::remove_all(folder_);
  const auto set = source_.load();
  ASSERT_FALSE(set.ok());
  EXPECT_THAT(set.error().text(), HasSubstr(folder_.string()));
}

TEST_F(ManifestFolderTest, AChangeIsHeardOf) {
  write_file(folder_ / "a.yaml", manifest_text("one"));
  load();
  EXPECT_FALSE(readable(0));
  write_file(scratch_.path() / "new", manifest_text("two"));
  std::filesystem::rename(scratch_.path() / "new", folder_ / "b.yaml");
  EXPECT_TRUE(readable(5000));
  EXPECT_TRUE(source_.drain().ok());
  EXPECT_FALSE(readable(0));
  EXPECT_THAT(uids(load()), ElementsAre("one", "two"));
}

TEST_F(ManifestFolderTest, WhatWasAcceptedStaysAsItWasRead) {
  write_file(folder_ / "base" / "common.yaml", "mode: plan-only\n");
  write_file(folder_ / "a.yaml", "extends: base/common.yaml\n" + manifest_text("one"));
  const auto set = load();
  ASSERT_EQ(set.manifests.size(), 1U);
  std::filesystem::remove_all(folder_);
  const auto again = load_manifest_of(set.manifests[0].texts, set.manifests[0].file(), rules_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value->mode, ApprovalMode::PlanOnly);
  EXPECT_EQ(again.value->canonical(), set.manifests[0].manifest.canonical());
}

}  // namespace
}  // namespace audiencesync
