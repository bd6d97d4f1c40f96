#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/service/manifest_judge.h"
#include "tests/gitops/gitops_world.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What somebody may push who may push: each attempt beside what is said to it. Nothing of such a commit counts.
struct Attempt {
  const char* name;
  std::string text;  // of manifests/luma.yaml
  const char* said;
};

void PrintTo(const Attempt& attempt, std::ostream* out) { *out << attempt.name; }

class HostileCommitTest : public ::testing::TestWithParam<Attempt> {};

TEST_P(HostileCommitTest, IsRefusedWithItsPlace) {
  ManifestRules rules = usual_rules();
  rules.variables = {{"REGION", "emea"}};
  const auto set = judge_manifests({{"manifests/luma.yaml", GetParam().text}}, rules);
  EXPECT_THAT(set.manifests, IsEmpty());
  const auto said = rejections_of(set);
  EXPECT_THAT(said, HasSubstr(GetParam().said));
  EXPECT_THAT(said, HasSubstr("manifests/luma.yaml:"));
  EXPECT_THAT(said, Not(HasSubstr("MARKER")));
}

std::string with(const std::string& lines) { return manifest_text("luma", lines); }

INSTANTIATE_TEST_SUITE_P(
    All, HostileCommitTest,
    ::testing::Values(
        Attempt{"command", with("command: [sh, -c, id]\n"), "unknown key 'command'"},
        Attempt{"hook", with("hooks: { after: ./run.sh }\n"), "unknown key 'hooks'"},
        Attempt{"stage_of_its_own", with("stages: { mine: \"exec:./run.sh\" }\n"), "unknown key 'stages'"},
        Attempt{"channel", with("channels: { me: https://example.com/hook }\n"), "unknown key 'channels'"},
        Attempt{"endpoint", with("endpoints: { platform: https://example.com }\n"), "unknown key 'endpoints'"},
        Attempt{"webhook", with("webhook: https://example.com/hook\n"), "unknown key 'webhook'"},
        Attempt{"tag_of_a_language", with("guard: !!python/object/apply:os.system [id]\n"), "luma.yaml:7"},
        Attempt{"environment", with("guard: { min_people: \"${HOME}\" }\n"), "variable 'HOME' is not listed"},
        Attempt{"secret_of_the_environment", with("guard: { min_people: \"${AUDIENCESYNC_ADOBE_CLIENT_SECRET}\" }\n"),
                "is named like a credential"},
        Attempt{"other_organization", with("organization: other\n"), "organization 'other' is not in the settings"},
        Attempt{"other_sandbox", with("sandbox: dev\n"), "sandbox 'dev' is not allowed"},
        Attempt{"file_of_the_machine", with("source: { from: files, path: /etc/shadow }\n"),
                "source.path '/etc/shadow' cannot be read"},
        Attempt{"file_by_a_url", with("source: { from: files, path: \"https://example.com/x\" }\n"), "is a URL"},
        Attempt{"extends_above", "extends: ../../etc/audiencesync/audiencesync.yaml\n" + with(""),
                "leaves the folder of the manifest"},
        Attempt{"extends_the_root", "extends: /etc/passwd\n" + with(""), "is not a relative path"},
        Attempt{"extends_a_url", "extends: https://example.com/base.yaml\n" + with(""), "is not a relative path"},
        Attempt{"extends_itself", "extends: luma.yaml\n" + with(""), "leads back to a file that is being read"},
        Attempt{"secret", with("client_secret: p8e-MARKER0123456789abcdef\n"), "secrets do not belong in a manifest"},
        Attempt{"secret_as_a_name", with("target: { dataset: \"p8e-MARKER0123456789abcdef\" }\n"),
                "secrets do not belong in a manifest"},
        Attempt{"bomb", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\n" + with(""), "luma.yaml:"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(HostileCommit, AFileOfAnotherManifestsFolderCannotBeExtended) {
  const auto set = judge_manifests({{"manifests/a/luma.yaml", "extends: ../b/base.yaml\n" + manifest_text("luma")},
                                    {"manifests/b/base.yaml", manifest_text("base")}},
                                   usual_rules());
  EXPECT_EQ(names_of(set), "base");
  EXPECT_THAT(rejections_of(set), HasSubstr("leaves the folder of the manifest"));
}

TEST(HostileCommit, AListedVariableIsAllowed) {
  ManifestRules rules = usual_rules();
  rules.variables = {{"REGION", "emea"}};
  const auto set =
      judge_manifests({{"luma.yaml", manifest_text("luma", "target: { dataset: \"audiences ${REGION}\" }\n")}}, rules);
  ASSERT_EQ(names_of(set), "luma");
  EXPECT_EQ(set.manifests[0].manifest.target.dataset, "audiences emea");
}

}  // namespace
}  // namespace audiencesync::testing
