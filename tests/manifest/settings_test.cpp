#include "engine/manifest/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kSmallest = R"(version: 1
organizations:
  default: { organization_id: ABC123@AdobeOrg, credential: adobe }
)";

Loaded<Settings> load_settings_text(std::string_view text) {
  const MemoryFiles files{{"/etc/audiencesync/s.yaml", std::string(text)}};
  return load_settings(files, "/etc/audiencesync/s.yaml");
}

/// What is said about the smallest settings with lines added; the first added one is line 4.
std::vector<std::string> problems_of_settings(std::string_view lines) {
  auto problems = texts(load_settings_text(std::string(kSmallest) + std::string(lines)).problems);
  for (auto& problem : problems) problem.erase(0, std::string_view("/etc/audiencesync/").size());
  return problems;
}

TEST(SettingsTest, OnlyAnOrganizationIsNeeded) {
  const auto loaded = load_settings_text(kSmallest);
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  const auto& settings = *loaded.value;
  EXPECT_EQ(settings.file, "/etc/audiencesync/s.yaml");
  EXPECT_EQ(settings.folder, "/etc/audiencesync");
  EXPECT_EQ(settings.state, "/var/lib/audiencesync");
  EXPECT_EQ(settings.manifests_folder, "/etc/audiencesync/manifests.d");
  ASSERT_EQ(settings.organizations.size(), 1u);
  const auto& organization = settings.organizations.at("default");
  EXPECT_EQ(organization.organization_id, "ABC123@AdobeOrg");
  EXPECT_EQ(organization.credential, "adobe");
  EXPECT_THAT(organization.sandboxes, ElementsAre("prod"));
  EXPECT_EQ(organization.endpoints, Endpoints{});
  EXPECT_EQ(organization.place.text(), "/etc/audiencesync/s.yaml:3:3");
  EXPECT_EQ(settings.timing, Timing{});
  EXPECT_EQ(settings.limits, Limits{});
  EXPECT_THAT(settings.variables, IsEmpty());
}

TEST(SettingsTest, ReadsEveryKey) {
  const auto loaded = load_settings_text(R"(version: 1
state: state
manifests: { folder: ../manifests }
organizations:
  default:
    organization_id: ABC123@AdobeOrg
    credential: main-1
    sandboxes: [prod, stage]
    endpoints: { ims: "http://127.0.0.1:8080/", platform: "http://[::1]:81", analytics: http://localhost:8080 }
  other: { organization_id: DEF@AdobeOrg, credential: other }
timing: { poll_export: 50ms, poll_batch: 51ms, settle: 1s, deadline_request: 2s, deadline_export: 3m,
          deadline_batch: 4m, deadline_run: 5h }
limits: { exports_per_sandbox: 1, ingest_per_hour: 1GB, memory: 128MiB }
variables: [REGION, Stage_2]
)");
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  const auto& settings = *loaded.value;
  EXPECT_EQ(settings.state, "/etc/audiencesync/state");
  EXPECT_EQ(settings.manifests_folder, "/etc/manifests");
  const auto& organization = settings.organizations.at("default");
  EXPECT_EQ(organization.credential, "main-1");
  EXPECT_THAT(organization.sandboxes, ElementsAre("prod", "stage"));
  EXPECT_EQ(organization.endpoints, (Endpoints{"http://127.0.0.1:8080", "http://[::1]:81", "http://localhost:8080"}));
  EXPECT_EQ(settings.organizations.at("other").organization_id, "DEF@AdobeOrg");
  EXPECT_EQ(settings.timing, (Timing{50ms, 51ms, 1s, 2s, 3min, 4min, 5h}));
  EXPECT_EQ(settings.limits, (Limits{1, 1'000'000'000, 134'217'728}));
  EXPECT_THAT(settings.variables, ElementsAre("REGION", "Stage_2"));
}

TEST(SettingsTest, RulesForManifestsHaveTheValuesOfListedVariables) {
  const auto loaded = load_settings_text(std::string(kSmallest) + "variables: [REGION, UNSET]\n");
  ASSERT_TRUE(loaded.ok());
  const auto rules = manifest_rules(*loaded.value, [](std::string_view name) -> std::optional<std::string> {
    return name == "UNSET" ? std::nullopt : std::optional<std::string>("value of " + std::string(name));
  });
  EXPECT_THAT(rules.variables,
              ElementsAre(std::pair<const std::string, std::optional<std::string>>("REGION", "value of REGION"),
                          std::pair<const std::string, std::optional<std::string>>("UNSET", std::nullopt)));
  ASSERT_TRUE(rules.organizations.has_value());
  EXPECT_THAT(rules.organizations->at("default"), ElementsAre("prod"));
}

struct BadSettings {
  const char* name;
  std::string lines;
  std::vector<std::string> problems;
};

void PrintTo(const BadSettings& bad, std::ostream* out) { *out << bad.name; }

class BadSettingsTest : public testing::TestWithParam<BadSettings> {};

TEST_P(BadSettingsTest, SaysWhereWhatAndTheWayOut) {
  EXPECT_EQ(problems_of_settings(GetParam().lines), GetParam().problems);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSettingsTest,
    testing::Values(
        BadSettings{"later",
                    "channels: {}\nstages: {}\nlisten: null\nmanifests: { git: { url: x } }\n",
                    {"s.yaml:4:1: 'channels' is not in this version; remove it",
                     "s.yaml:5:1: 'stages' is not in this version; remove it",
                     "s.yaml:6:1: 'listen' is not in this version; remove it",
                     "s.yaml:7:14: 'manifests.git' is not in this version; remove it"}},
        BadSettings{"unknown_key",
                    "timing: { pol_batch: 1s }\n",
                    {"s.yaml:4:11: unknown key 'pol_batch' in 'timing'; did you mean 'poll_batch'?"}},
        BadSettings{"organization_without_keys",
                    "  emea: {}\n",
                    {"s.yaml:4:9: 'organizations.emea.organization_id' is missing; add it, for example "
                     "organization_id: 0123456789ABCDEF@AdobeOrg",
                     "s.yaml:4:9: 'organizations.emea.credential' is missing; add it, for example credential: adobe"}},
        BadSettings{"organization_id",
                    "  emea: { organization_id: ABC, credential: a }\n",
                    {"s.yaml:4:28: organizations.emea.organization_id 'ABC' is not an organisation id; write the id "
                     "that ends in @AdobeOrg, for example 0123456789ABCDEF@AdobeOrg"}},
        BadSettings{"credential_is_a_path",
                    "  emea: { organization_id: A@AdobeOrg, credential: ../adobe }\n",
                    {"s.yaml:4:52: organizations.emea.credential '../adobe' is not the name of a credential; write "
                     "letters, digits, '_' and '-', for example adobe: the file with the secret has this name"}},
        BadSettings{
            "plain_http",
            "  emea: { organization_id: A@AdobeOrg, credential: a, endpoints: { ims: http://example.com } }\n",
            {"s.yaml:4:73: organizations.emea.endpoints.ims 'http://example.com' would send tokens unencrypted; "
             "write https:// (http:// is for loopback only)"}},
        BadSettings{"loopback_in_disguise",
                    "  emea: { organization_id: A@AdobeOrg, credential: a, endpoints: { ims: "
                    "\"http://localhost.example.com\" } }\n",
                    {"s.yaml:4:73: organizations.emea.endpoints.ims 'http://localhost.example.com' would send tokens "
                     "unencrypted; write https:// (http:// is for loopback only)"}},
        BadSettings{"url_with_path",
                    "  emea: { organization_id: A@AdobeOrg, credential: a, endpoints: { ims: https://a/b } }\n",
                    {"s.yaml:4:73: organizations.emea.endpoints.ims 'https://a/b' must be a scheme, a host and perhaps "
                     "a port, without path, user or query; write for example https://platform.adobe.io"}},
        BadSettings{
            "url_with_port_0",
            "  emea: { organization_id: A@AdobeOrg, credential: a, endpoints: { ims: \"https://a:0\" } }\n",
            {"s.yaml:4:73: organizations.emea.endpoints.ims 'https://a:0' has a port that is not in 1 to 65535; "
             "correct it"}},
        BadSettings{"two_exports",
                    "limits: { exports_per_sandbox: 2 }\n",
                    {"s.yaml:4:32: limits.exports_per_sandbox '2' is not possible: the platform runs one export at a "
                     "time in a sandbox; write 1"}},
        BadSettings{"size",
                    "limits: { memory: 256 }\n",
                    {"s.yaml:4:19: limits.memory '256' is not a size; write a number and a unit (kB, MB, GB, TB, KiB, "
                     "MiB, GiB), for example 256MB"}},
        BadSettings{"too_little_memory",
                    "limits: { memory: 1MB }\n",
                    {"s.yaml:4:19: limits.memory '1MB' is too little to work with; write at least 64MB"}},
        BadSettings{"no_time",
                    "timing: { settle: 0s }\n",
                    {"s.yaml:4:19: timing.settle '0s' is no time at all; write more than zero"}},
        BadSettings{"poll_after_deadline",
                    "timing: { deadline_batch: 1m }\n",
                    {"s.yaml:4:27: timing.poll_batch '2m' is not shorter than timing.deadline_batch '1m'; make it "
                     "shorter"}},
        BadSettings{"variable_named_like_a_credential",
                    "variables: [REGION, API_KEY]\n",
                    {"s.yaml:4:21: variables 'API_KEY' is named like a credential, which a manifest may not use; put "
                     "it into the credential file, or rename the variable"}},
        BadSettings{"state_is_a_url",
                    "state: s3://bucket/state\n",
                    {"s.yaml:4:8: state 's3://bucket/state' is a URL; write a folder of this machine"}},
        BadSettings{"secret",
                    "client_secret: hunter2\n",
                    {"s.yaml:4:1: key 'client_secret': secrets do not belong in a settings file; put them into the "
                     "credential file that 'credential' in the settings names, and renew this one, it may have been "
                     "copied already"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(SettingsTest, NoOrganizationIsAnError) {
  const auto loaded = load_settings_text("version: 1\norganizations: {}\n");
  EXPECT_THAT(texts(loaded.problems),
              ElementsAre("/etc/audiencesync/s.yaml:2:16: 'organizations' is empty; add an entry, for example default: "
                          "{ organization_id: 0123456789ABCDEF@AdobeOrg, credential: adobe }"));
}

TEST(SettingsTest, AFileThatIsNotThereIsNotFound) {
  const auto loaded = load_settings(MemoryFiles(), "/etc/audiencesync/s.yaml");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].code(), ErrorCode::NotFound);
}

TEST(SettingsTest, SchemaDescribesOrganizationsByAnyName) {
  const auto schema = settings_json_schema();
  const auto* organization = schema.find_path({"properties", "organizations", "additionalProperties"});
  ASSERT_NE(organization, nullptr);
  EXPECT_EQ(organization->find_path({"properties", "endpoints", "properties", "platform"})->text("default"),
            "https://platform.adobe.io");
  EXPECT_EQ(schema.find_path({"properties", "listen"}), nullptr);
}

}  // namespace
}  // namespace audiencesync
