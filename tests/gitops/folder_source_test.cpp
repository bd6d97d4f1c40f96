#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "daemon/service/manifest_folder.h"
#include "tests/gitops/gitops_world.h"

namespace audiencesync::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FolderSourceTest : public ::testing::Test {
 protected:
  FolderSourceTest() { std::filesystem::create_directory(folder()); }
  std::filesystem::path folder() const { return scratch_.path() / "manifests"; }
  std::filesystem::path outside() const { return scratch_.path() / "outside"; }
  void write(const std::string& name, const std::string& text) { write_file(folder() / name, text); }

  /// Loads; an error is a line that begins with "error: ".
  std::string loaded() {
    auto result = source_.load();
    if (!result.ok()) return "error: " + result.error().text();
    set_ = std::move(result).take();
    return names_of(set_);
  }
  /// Waits until the source was told of something, and loads.
  std::string loaded_when_told() {
    EXPECT_TRUE(heard(source_));
    EXPECT_TRUE(source_.drain().ok());
    return loaded();
  }
  std::string rejections() const { return rejections_of(set_, folder()); }

  TemporaryFolder scratch_;
  PosixFiles files_;
  ManifestRules rules_ = usual_rules();
  FolderSource source_{files_, folder(), rules_};
  ManifestSet set_;
};

TEST_F(FolderSourceTest, EveryYamlFileInAndBelowTheFolderIsASync) {
  write("luma.yaml", manifest_text("luma"));
  write("gold.yml", manifest_text("gold"));
  std::filesystem::create_directories(folder() / "emea" / "de");
  write("emea/de/bonn.yaml", manifest_text("bonn"));
  EXPECT_EQ(loaded(), "bonn gold luma");
  EXPECT_EQ(rejections(), "");
  EXPECT_EQ(set_.manifests[0].file(), (folder() / "emea/de/bonn.yaml").string());
  EXPECT_EQ(set_.commit, "");
}

TEST_F(FolderSourceTest, WhatEditorsLeaveBesideAFileIsNoSync) {
  write("luma.yaml", manifest_text("luma"));
  for (const auto* name : {"luma.yaml~", ".luma.yaml.swp", "#luma.yaml#", ".#luma.yaml", "luma.yaml.bak", "4913",
                           "luma.yaml.swx", "___jb_tmp___", "luma.yaml.tmp", "README.md", ".hidden.yaml"}) {
    write(name, manifest_text("wrong"));
  }
  std::filesystem::create_directory(folder() / ".git");
  write(".git/x.yaml", manifest_text("wrong"));
  EXPECT_EQ(loaded(), "luma");
  EXPECT_EQ(rejections(), "");
}

TEST_F(FolderSourceTest, IsToldOfAFileThatComesChangesAndGoes) {
  EXPECT_EQ(loaded(), "");
  write("luma.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded_when_told(), "luma");
  write("luma.yaml", manifest_text("gold"));
  EXPECT_EQ(loaded_when_told(), "gold");
  std::filesystem::remove(folder() / "luma.yaml");
  EXPECT_EQ(loaded_when_told(), "");
  EXPECT_TRUE(hears_nothing(source_));
}

TEST_F(FolderSourceTest, IsToldOfAFileThatTakesAnothersPlace) {
  write("luma.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded(), "luma");
  write(".luma.yaml.new", manifest_text("gold"));
  std::filesystem::rename(folder() / ".luma.yaml.new", folder() / "luma.yaml");
  EXPECT_EQ(loaded_when_told(), "gold");
  // vim with a backup: the old file gets another name first.
  std::filesystem::rename(folder() / "luma.yaml", folder() / "luma.yaml~");
  write("luma.yaml", manifest_text("silver"));
  EXPECT_EQ(loaded_when_told(), "silver");
}

TEST_F(FolderSourceTest, IsToldOfAFileInAFolderThatIsNew) {
  EXPECT_EQ(loaded(), "");
  std::filesystem::create_directory(folder() / "emea");
  EXPECT_EQ(loaded_when_told(), "");
  write("emea/luma.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded_when_told(), "luma");
}

TEST_F(FolderSourceTest, AConfigMapIsSwappedAsAWhole) {
  // As Kubernetes does: a folder for each version, a link to the one that counts, and links through it.
  const auto version = [&](const std::string& name, const std::string& sync) {
    std::filesystem::create_directory(folder() / name);
    write(name + "/luma.yaml", manifest_text(sync));
  };
  version("..2026_01", "luma");
  std::filesystem::create_directory_symlink("..2026_01", folder() / "..data");
  std::filesystem::create_symlink("..data/luma.yaml", folder() / "luma.yaml");
  EXPECT_EQ(loaded(), "luma");
  version("..2026_02", "gold");
  std::filesystem::create_directory_symlink("..2026_02", folder() / "..data_tmp");
  std::filesystem::rename(folder() / "..data_tmp", folder() / "..data");
  std::filesystem::remove_all(folder() / "..2026_01");
  EXPECT_EQ(loaded_when_told(), "gold");
}

TEST_F(FolderSourceTest, AFileBehindALinkMayChangeInItsOwnPlace) {
  std::filesystem::create_directory(outside());
  write_file(outside() / "real.txt", manifest_text("luma"));
  std::filesystem::create_symlink(outside() / "real.txt", folder() / "luma.yaml");
  EXPECT_EQ(loaded(), "luma");
  write_file(outside() / "real.txt", manifest_text("gold"));
  EXPECT_EQ(loaded_when_told(), "gold");
}

TEST_F(FolderSourceTest, TheFolderMayBeALinkThatIsSwapped) {
  for (const auto* name : {"one", "two"}) {
    std::filesystem::create_directory(scratch_.path() / name);
    write_file(scratch_.path() / name / "luma.yaml", manifest_text(name));
  }
  const auto current = scratch_.path() / "current";
  std::filesystem::create_directory_symlink("one", current);
  FolderSource source(files_, current, rules_);
  EXPECT_EQ(names_of(source.load().value()), "one");
  std::filesystem::create_directory_symlink("two", scratch_.path() / "next");
  std::filesystem::rename(scratch_.path() / "next", current);
  EXPECT_TRUE(heard(source));
  EXPECT_EQ(names_of(source.load().value()), "two");
}

TEST_F(FolderSourceTest, LinksInACircleAreFollowedOnce) {
  write("luma.yaml", manifest_text("luma"));
  std::filesystem::create_directory_symlink(folder(), folder() / "again");
  std::filesystem::create_symlink("nowhere.yaml", folder() / "gone.yaml");
  EXPECT_EQ(loaded(), "luma");
  EXPECT_EQ(rejections(), "gone.yaml: cannot open: No such file or directory\n");
}

TEST_F(FolderSourceTest, AFileThatIsBeingWrittenCountsAsItWas) {
  write("luma.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded(), "luma");
  const auto more = manifest_text("luma", "  - { name: Gold }\n");
  const int writer = ::open((folder() / "luma.yaml").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  // What is there now is a manifest, only not the one that is meant.
  const auto half = more.substr(0, more.find("  - { name: Gold"));
  ASSERT_EQ(::write(writer, half.data(), half.size()), static_cast<ssize_t>(half.size()));
  EXPECT_EQ(loaded_when_told(), "luma");
  EXPECT_THAT(set_.warnings, ElementsAre(HasSubstr("luma.yaml: is being written; it counts as it was before")));
  const auto rest = more.substr(half.size());
  ASSERT_EQ(::write(writer, rest.data(), rest.size()), static_cast<ssize_t>(rest.size()));
  ::close(writer);
  EXPECT_EQ(loaded_when_told(), "luma");
  EXPECT_EQ(set_.manifests[0].manifest.audiences.size(), 2U);
  EXPECT_THAT(set_.warnings, IsEmpty());
}

TEST_F(FolderSourceTest, AFileThatComesAndIsStillBeingWrittenIsNotReadYet) {
  EXPECT_EQ(loaded(), "");
  const auto text = manifest_text("luma");
  const int writer = ::open((folder() / "luma.yaml").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::write(writer, text.data(), 20), 20);
  EXPECT_EQ(loaded_when_told(), "");
  EXPECT_EQ(rejections(), "");
  ASSERT_EQ(::write(writer, text.data() + 20, text.size() - 20), static_cast<ssize_t>(text.size() - 20));
  ::close(writer);
  EXPECT_EQ(loaded_when_told(), "luma");
}

TEST_F(FolderSourceTest, ABadFileIsRejectedWithItsPlaceAndTheOthersCount) {
  write("luma.yaml", manifest_text("luma"));
  write("gold.yaml", "version: 1\nname: gold\n  tenant: x\n");
  write("typo.yaml", manifest_text("typo", "scheduel: \"@daily\"\n"));
  EXPECT_EQ(loaded(), "luma");
  EXPECT_THAT(rejections(), HasSubstr("gold.yaml:3:"));
  EXPECT_THAT(rejections(), HasSubstr("typo.yaml:7:1: unknown key 'scheduel'; did you mean 'schedule'?"));
}

TEST_F(FolderSourceTest, AFileThatCannotBeReadIsRejected) {
  write("luma.yaml", manifest_text("luma"));
  std::filesystem::create_directory(folder() / "folder.yaml");
  ASSERT_EQ(::mkfifo((folder() / "pipe.yaml").c_str(), 0600), 0);
  write("large.yaml", std::string(2'000'000, '#'));
  EXPECT_EQ(loaded(), "luma");
  EXPECT_EQ(rejections(),
            "large.yaml: has 2000000 bytes, at most 1048576 are read; shorten it\n"
            "pipe.yaml: is no file; remove it, or give it another name\n");
}

TEST_F(FolderSourceTest, AFolderThatIsGoneIsAnErrorAndIsToldOfWhenItIsBack) {
  write("luma.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded(), "luma");
  std::filesystem::rename(folder(), scratch_.path() / "away");
  EXPECT_THAT(loaded_when_told(), HasSubstr("manifests: cannot open: No such file or directory"));
  std::filesystem::rename(scratch_.path() / "away", folder());
  EXPECT_EQ(loaded_when_told(), "luma");
}

TEST_F(FolderSourceTest, AFolderWhoseParentsAreGoneIsToldOfStepByStep) {
  const auto deep = scratch_.path() / "a" / "b" / "c";
  FolderSource source(files_, deep, rules_);
  EXPECT_FALSE(source.load().ok());
  for (const auto& each : {scratch_.path() / "a", scratch_.path() / "a" / "b", deep}) {
    std::filesystem::create_directory(each);
    EXPECT_TRUE(heard(source)) << each;
    EXPECT_EQ(source.load().ok(), each == deep);
  }
}

TEST_F(FolderSourceTest, AFolderThatCannotBeListedIsAnErrorNotAnEmptyOne) {
  std::filesystem::create_directory(folder() / "closed");
  write("closed/luma.yaml", manifest_text("luma"));
  std::filesystem::permissions(folder() / "closed", std::filesystem::perms::none);
  // Root may list everything, and so is somebody else for a moment.
  const bool root = ::geteuid() == 0;
  if (root) {
    std::filesystem::permissions(scratch_.path(), std::filesystem::perms::all);
    std::filesystem::permissions(folder(), std::filesystem::perms::all);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto said = loaded();
  const bool back = !root || ::seteuid(0) == 0;
  ASSERT_TRUE(back);
  EXPECT_THAT(said, HasSubstr("closed: cannot list: Permission denied"));
  std::filesystem::permissions(folder() / "closed", std::filesystem::perms::owner_all);
  EXPECT_EQ(loaded_when_told(), "luma");
}

TEST_F(FolderSourceTest, AFileInTheFoldersPlaceIsAnError) {
  std::filesystem::remove(folder());
  write_file(folder(), "x");
  EXPECT_THAT(loaded(), HasSubstr("manifests: cannot list: Not a directory"));
}

TEST_F(FolderSourceTest, WhatOthersExtendIsNoSyncOfItsOwn) {
  write("base.yaml", "version: 1\ntenant: _demoemea\nidentity: { field: _demoemea.core.email, namespace: Email }\n");
  write("luma.yaml", "extends: base.yaml\nname: luma\naudiences: [{ name: Luma }]\n");
  EXPECT_EQ(loaded(), "luma");
  EXPECT_EQ(rejections(), "");
  EXPECT_EQ(set_.manifests[0].texts.size(), 2U);
  // A change of the part is one of the sync.
  write("base.yaml", "version: 1\ntenant: _demoemea\nidentity: { field: _demoemea.core.phone, namespace: Phone }\n");
  EXPECT_EQ(loaded_when_told(), "luma");
  EXPECT_EQ(set_.manifests[0].manifest.identity.namespace_code, "Phone");
  // A part that is broken breaks what extends it, at its own place.
  write("base.yaml", "version: 1\ntenant: [\n");
  EXPECT_EQ(loaded_when_told(), "");
  EXPECT_THAT(rejections(), HasSubstr("base.yaml:"));
}

TEST_F(FolderSourceTest, TwoWithOneUidAreBothNamedAndNeitherCounts) {
  write("one.yaml", manifest_text("one", "uid: luma\n"));
  write("two.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded(), "");
  EXPECT_EQ(rejections(),
            "one.yaml:7:6: uid 'luma' is that of two.yaml:2:7 too; a uid keys state and ownership, so give one of them "
            "another\n"
            "two.yaml:2:7: uid 'luma' is that of one.yaml:7:6 too; a uid keys state and ownership, so give one of them "
            "another\n");
}

TEST_F(FolderSourceTest, WhoHadAUidFirstKeepsIt) {
  write("two.yaml", manifest_text("luma"));
  EXPECT_EQ(loaded(), "luma");
  write("one.yaml", manifest_text("one", "uid: luma\n"));
  EXPECT_EQ(loaded_when_told(), "luma");
  EXPECT_EQ(set_.manifests[0].file(), (folder() / "two.yaml").string());
  EXPECT_THAT(rejections(), HasSubstr("one.yaml:7:6: uid 'luma' is that of two.yaml:2:7 too"));
  // Moved to another file it is the same sync.
  std::filesystem::remove(folder() / "two.yaml");
  EXPECT_EQ(loaded_when_told(), "one");
  EXPECT_EQ(rejections(), "");
}

TEST_F(FolderSourceTest, TwoWithOneTargetDatasetAreBothNamed) {
  write("one.yaml", manifest_text("one", "target: { dataset: Shared }\n"));
  write("two.yaml", manifest_text("two", "target: { dataset: Shared }\n"));
  write("other.yaml", manifest_text("other", "sandbox: stage\ntarget: { dataset: Shared }\n"));
  EXPECT_EQ(loaded(), "other");
  EXPECT_THAT(rejections(), HasSubstr("one.yaml:7:20: target dataset 'Shared' in sandbox 'prod' of organization "
                                      "'default' is that of two.yaml:7:20 too; two syncs would overwrite each other"));
  write("one.yaml", manifest_text("one", "target: { dataset_id: abc }\n"));
  write("two.yaml", manifest_text("two", "target: { dataset_id: abc, dataset: Mine }\n"));
  EXPECT_EQ(loaded_when_told(), "other");
  EXPECT_THAT(rejections(), HasSubstr("two.yaml:7:23: target dataset abc in sandbox 'prod'"));
}

TEST_F(FolderSourceTest, AThousandManifestsAreLoadedQuicklyAndAgainInLess) {
  for (int i = 0; i < 1000; ++i) {
    std::string audiences;
    for (int j = 0; j < 20; ++j) audiences += fmt::format("  - {{ id: audience-{}-{}, name: Luma {} }}\n", i, j, j);
    write(fmt::format("sync-{:04}.yaml", i), manifest_text(fmt::format("sync-{:04}", i), audiences));
  }
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(source_.load().ok());
  const auto first = std::chrono::steady_clock::now();
  auto set = source_.load();
  const auto second = std::chrono::steady_clock::now();
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->manifests.size(), 1000U);
  EXPECT_THAT(set->rejected, IsEmpty());
  const auto ms = [](auto span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); };
  RecordProperty("first_load_ms", static_cast<int>(ms(first - begun)));
  RecordProperty("next_load_ms", static_cast<int>(ms(second - first)));
  fmt::print("1,000 manifests: {} ms, then {} ms\n", ms(first - begun), ms(second - first));
}

}  // namespace
}  // namespace audiencesync::testing
