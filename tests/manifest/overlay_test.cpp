#include "engine/manifest/overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kBase = R"(version: 1
tenant: _demoemea
identity: { field: _demoemea.email, namespace: Email }
audiences: [{ id: A1 }, { id: A2 }]
guard:
  max_removals: 5%
  min_people: 10
)";

TEST(OverlayTest, MapsMergeKeyByKeyAndListsReplace) {
  const MemoryFiles files{{"d/base.yaml", std::string(kBase)}, {"d/m.yaml", R"(extends: base.yaml
name: gold
audiences: [{ id: A3 }]
identity: { normalize: lower }
guard:
  min_people: 20
)"}};
  const auto loaded = load_manifest(files, "d/m.yaml", {});
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  const auto& manifest = *loaded.value;
  EXPECT_EQ(manifest.file, "d/m.yaml");
  EXPECT_EQ(manifest.identity, (Identity{"_demoemea.email", "Email", Normalize::Lower}));
  ASSERT_THAT(manifest.audiences, SizeIs(1));
  EXPECT_EQ(manifest.audiences[0].id, "A3");
  EXPECT_EQ(manifest.guard.max_removals, (Limit{0.05, std::nullopt}));
  EXPECT_EQ(manifest.guard.min_people, 20u);
}

TEST(OverlayTest, AProblemIsReportedInTheFileThatHasIt) {
  const MemoryFiles files{{"d/base.yaml", std::string(kBase) + "source: { merge_policy: default, max_age: soon }\n"},
                          {"d/m.yaml", "extends: base.yaml\nname: Gold\nsource: { merge_policy: Web }\n"}};
  EXPECT_THAT(
      texts(load_manifest(files, "d/m.yaml", {}).problems),
      ElementsAre("d/base.yaml:8:43: source.max_age 'soon' is not a duration; write a number and a unit (ms, s, "
                  "m, h, d), for example 36h",
                  "d/m.yaml:2:7: name 'Gold' must be 1 to 63 lower-case letters, digits and hyphens, starting "
                  "with a letter or digit; write for example gold"));
}

TEST(OverlayTest, FilesExtendEachOtherAcrossFoldersBelow) {
  const MemoryFiles files{{"d/base.yaml", std::string(kBase)},
                          {"d/eu/region.yaml", "extends: ../base.yaml\nsandbox: stage\n"},
                          {"d/m.yaml", "extends: eu/region.yaml\nname: gold\n"}};
  const auto loaded = load_manifest(files, "d/m.yaml", {});
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.value->sandbox, "stage");
  EXPECT_EQ(loaded.value->tenant, "_demoemea");
}

std::string problem_of_extends(const std::string& value) {
  const MemoryFiles files{{"d/m.yaml", "name: gold\nextends: " + value + "\n"},
                          {"base.yaml", std::string(kBase)},
                          {"/etc/passwd", "root"},
                          {"d/loop.yaml", "extends: m.yaml\n"}};
  const auto loaded = load_manifest(files, "d/m.yaml", {});
  return loaded.problems.size() == 1 ? loaded.problems[0].text() : std::to_string(loaded.problems.size());
}

TEST(OverlayTest, ABaseStaysInTheFolder) {
  EXPECT_EQ(problem_of_extends("../base.yaml"),
            "d/m.yaml:2:10: extends '../base.yaml' leaves the folder of the manifest; put the file into that folder");
  EXPECT_EQ(problem_of_extends("x/../../base.yaml"),
            "d/m.yaml:2:10: extends 'x/../../base.yaml' leaves the folder of the manifest; put the file into that "
            "folder");
  EXPECT_EQ(problem_of_extends("/etc/passwd"),
            "d/m.yaml:2:10: extends '/etc/passwd' is not a relative path; put the file next to this one and write its "
            "name");
  EXPECT_EQ(problem_of_extends("https://example.com/base.yaml"),
            "d/m.yaml:2:10: extends 'https://example.com/base.yaml' is not a relative path; put the file next to this "
            "one and write its name");
  EXPECT_EQ(problem_of_extends("[a.yaml]"),
            "d/m.yaml:2:10: 'extends' must be the name of one file; write for example extends: base.yaml");
  EXPECT_EQ(problem_of_extends("${BASE}"),
            "d/m.yaml:2:10: extends '${BASE}' has a variable; write the name of the file itself");
  EXPECT_EQ(problem_of_extends("bass.yaml"),
            "d/m.yaml:2:10: extends: there is no file 'd/bass.yaml'; create it or correct the name");
}

TEST(OverlayTest, ALinkOutOfTheFolderIsRefused) {
  const auto folder = std::filesystem::temp_directory_path() / ("overlay_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "manifests");
  std::ofstream(folder / "outside.yaml") << kBase;
  std::ofstream(folder / "manifests" / "m.yaml") << "extends: base.yaml\nname: gold\n";
  std::filesystem::create_symlink(folder / "outside.yaml", folder / "manifests" / "base.yaml");
  const auto loaded = load_manifest(PosixFiles(), folder / "manifests" / "m.yaml", {});
  std::filesystem::remove_all(folder);
  EXPECT_THAT(texts(loaded.problems),
              ElementsAre((folder / "manifests" / "m.yaml").string() +
                          ":1:10: extends 'base.yaml' leaves the folder of the manifest; put the file into that "
                          "folder"));
}

TEST(OverlayTest, CirclesAndLongChainsEnd) {
  EXPECT_EQ(problem_of_extends("loop.yaml"),
            "d/loop.yaml:1:10: extends 'm.yaml' leads back to a file that is being read; remove one 'extends' of the "
            "circle");
  EXPECT_EQ(problem_of_extends("m.yaml"),
            "d/m.yaml:2:10: extends 'm.yaml' leads back to a file that is being read; remove one 'extends' of the "
            "circle");
  MemoryFiles files;
  for (int i = 0; i < 7; ++i) {
    files.put("f" + std::to_string(i) + ".yaml", "extends: f" + std::to_string(i + 1) + ".yaml\n");
  }
  EXPECT_THAT(texts(load_manifest(files, "f0.yaml", {}).problems),
              ElementsAre("f5.yaml:1:10: extends 'f6.yaml': more than 5 files extend each other; merge some of them"));
  files.put("f5.yaml", std::string(kBase) + "name: gold\n");
  EXPECT_THAT(texts(load_manifest(files, "f0.yaml", {}).problems), IsEmpty());
}

TEST(OverlayTest, ASecretInAnOverriddenKeyOfTheBaseIsFound) {
  const MemoryFiles files{{"base.yaml", std::string(kBase) + "uid: p8e-AbCdEfGhIjKlMnOp\n"},
                          {"m.yaml", "extends: base.yaml\nname: gold\nuid: gold\n"}};
  const auto loaded = load_manifest(files, "m.yaml", {});
  ASSERT_THAT(loaded.problems, SizeIs(1));
  EXPECT_EQ(loaded.problems[0].place()->text(), "base.yaml:8:6");
}

const ManifestRules kRules{.variables = {{"REGION", "emea"},
                                         {"HOURS", "48h"},
                                         {"UNSET", std::nullopt},
                                         {"MY_TOKEN", "hunter2"},
                                         {"SLY", "p8e-AbCdEfGhIjKlMnOp"}},
                           .organizations = {}};

TEST(VariablesTest, ListedOnesAreReplacedInValues) {
  const auto loaded = load_text(minimal_plus(R"(organization: ${REGION}
source: { max_age: "${HOURS}", merge_policy: "a ${REGION} b ${REGION}, $5, $${REGION}, $" }
)"),
                                kRules);
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.value->organization, "emea");
  EXPECT_EQ(loaded.value->source.max_age, 48h);
  EXPECT_EQ(loaded.value->source.merge_policy, "a emea b emea, $5, ${REGION}, $");
}

TEST(VariablesTest, AValueIsNotReplacedAgain) {
  const ManifestRules rules{.variables = {{"A", "${B}"}, {"B", "b"}}, .organizations = {}};
  EXPECT_EQ(load_text(minimal_plus("source: { merge_policy: \"${A}\" }\n"), rules).value->source.merge_policy, "${B}");
}

std::vector<std::string> problems_of_variable(const std::string& value) {
  return texts(load_text(minimal_plus("organization: \"" + value + "\"\n"), kRules).problems);
}

TEST(VariablesTest, OthersAreRefused) {
  EXPECT_THAT(problems_of_variable("${HOME}"),
              ElementsAre("m.yaml:9:15: variable 'HOME' is not listed in the settings; add it to 'variables' there, or "
                          "write '$${' for the characters '${' themselves"));
  EXPECT_THAT(problems_of_variable("${UNSET}"),
              ElementsAre("m.yaml:9:15: variable 'UNSET' is not set; set it in the environment of audiencesync"));
  EXPECT_THAT(problems_of_variable("${REGION"),
              ElementsAre("m.yaml:9:15: '${' without '}'; close it, or write '$${' for the characters themselves"));
}

TEST(VariablesTest, CredentialsAreRefusedEvenWhenListed) {
  for (const auto* name : {"MY_TOKEN", "CLIENT_SECRET", "DB_PASSWORD", "API_KEY", "CREDENTIALS_DIRECTORY"}) {
    EXPECT_THAT(problems_of_variable("${" + std::string(name) + "}"),
                ElementsAre("m.yaml:9:15: variable '" + std::string(name) +
                            "' is named like a credential, and secrets do not belong in a manifest; put it into the "
                            "credential file that the settings name"));
  }
  EXPECT_THAT(problems_of_variable("${SLY}"),
              ElementsAre("m.yaml:9:15: the value of 'organization' looks like a secret: secrets do not belong in a "
                          "manifest; put them into the credential file that 'credential' in the settings names, and "
                          "renew this one, it may have been copied already"));
}

}  // namespace
}  // namespace audiencesync
