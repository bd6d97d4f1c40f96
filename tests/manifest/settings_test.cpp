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
  EXPECT_EQ(settings.retry, CallRetry{});
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
    rate: 7
    ca_file: tls/ca.pem
    analytics_rate: 8
    endpoints: { ims: "http://127.0.0.1:8080/", platform: "http://[::1]:81", analytics: http://localhost:8080 }
    query_service: { credential: query-1, address: "::1", port: 5432 }
  other: { organization_id: DEF@AdobeOrg, credential: other }
timing: { poll_export: 50ms, poll_batch: 51ms, settle: 1s, deadline_request: 2s, deadline_export: 3m,
          deadline_batch: 4m, deadline_run: 5h, approval_ttl: 6h, retry_first: 7s, retry_most: 8m }
limits: { exports_per_sandbox: 1, ingest_per_hour: 1GB, memory: 128MiB, runs: 3 }
retry: { attempts: 3, first: 10ms, most: 1s, within: 20s }
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
  EXPECT_EQ(organization.rate, 7U);
  EXPECT_EQ(organization.analytics_rate, 8U);
  EXPECT_EQ(settings.organizations.at("other").rate, 20U);
  EXPECT_EQ(organization.ca_file, "/etc/audiencesync/tls/ca.pem");
  EXPECT_EQ(settings.organizations.at("other").ca_file, "");
  EXPECT_EQ(organization.query_service, (QueryAccess{"query-1", "::1", 5432}));
  EXPECT_EQ(settings.organizations.at("other").query_service, QueryAccess{});
  EXPECT_EQ(settings.retry, (CallRetry{3, 10ms, 1s, 20s}));
  EXPECT_EQ(settings.timing, (Timing{50ms, 51ms, 1s, 2s, 3min, 4min, 5h, 6h, 7s, 8min}));
  Limits limits{1, 1'000'000'000, 134'217'728};
  limits.runs = 3;
  EXPECT_EQ(settings.limits, limits);
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
                    "channels: {}\nstages: {}\n",
                    {"s.yaml:4:1: 'channels' is not in this version; remove it",
                     "s.yaml:5:1: 'stages' is not in this version; remove it"}},
        BadSettings{"folder_and_branch",
                    "manifests: { folder: m, git: { url: /srv/a.git } }\n",
                    {"s.yaml:4:22: manifests.folder and manifests.git are both there, and manifests come from one "
                     "place; remove one"}},
        BadSettings{"signature_of_nobody",
                    "manifests: { git: { url: /srv/a.git, require_signature: true } }\n",
                    {"s.yaml:4:57: manifests.git.require_signature needs to know who may sign; add allowed_signers "
                     "(SSH keys) or keyring (OpenPGP keys)"}},
        BadSettings{"signers_nobody_asks_for",
                    "manifests: { git: { url: /srv/a.git, allowed_signers: s } }\n",
                    {"s.yaml:4:55: manifests.git says who may sign, but signatures are not looked at; add "
                     "require_signature: true, or remove the key"}},
        BadSettings{"repository_in_the_clear",
                    "manifests: { git: { url: http://git.example.com/a.git } }\n",
                    {"s.yaml:4:26: manifests.git.url 'http://git.example.com/a.git' could be changed by anybody on the "
                     "way; write https:// (http:// is for loopback only)"}},
        BadSettings{"repository_by_a_helper_program",
                    "manifests: { git: { url: \"ext::sh -c id\" } }\n",
                    {"s.yaml:4:26: manifests.git.url 'ext::sh -c id' is not the address of a repository; write "
                     "https://host/path, ssh://user@host/path, user@host:path, or the whole path of a repository of "
                     "this machine"}},
        BadSettings{"repository_over_ssh_from_anybody",
                    "manifests: { git: { url: git@git.example.com:a.git, ssh_key: k } }\n",
                    {"s.yaml:4:26: manifests.git.url 'git@git.example.com:a.git' needs ssh_key, the file of a private "
                     "key, and known_hosts, the keys its host may have; add both"}},
        BadSettings{"git_ca_file_with_ssh",
                    "manifests: { git: { url: \"git@x:y\", ssh_key: k, known_hosts: h, ca_file: c } }\n",
                    {"s.yaml:4:74: manifests.git.ca_file is for https:// only; use known_hosts with ssh"}},
        BadSettings{"branch_and_path",
                    "manifests: { git: { url: /srv/a.git, branch: \"a..b\", path: ../up } }\n",
                    {"s.yaml:4:46: manifests.git.branch 'a..b' is not the name of a branch; write it without "
                     "refs/heads/, for example main",
                     "s.yaml:4:60: manifests.git.path '../up' is not a folder of a repository; write it from the root "
                     "of the repository on, without '..', for example manifests"}},
        BadSettings{"listens_to_everybody_in_the_clear",
                    "listen: { address: \"0.0.0.0:80\", token_file: t }\n",
                    {"s.yaml:4:20: listen.address '0.0.0.0:80' would take tokens unencrypted; add certificate and key, "
                     "or listen on 127.0.0.1"}},
        BadSettings{"listens_without_token",
                    "listen: { address: \"localhost\" }\n",
                    {"s.yaml:4:9: 'listen.token_file' is missing; add it, for example token_file: plan-token",
                     "s.yaml:4:20: listen.address 'localhost' is not an address to listen on; write host:port, for "
                     "example 127.0.0.1:8443"}},
        BadSettings{"half_a_certificate",
                    "listen: { address: \"127.0.0.1:1\", token_file: t, certificate: c }\n",
                    {"s.yaml:4:63: listen.certificate and listen.key belong together; add the other one"}},
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
        BadSettings{"no_attempt",
                    "retry: { attempts: 0 }\n",
                    {"s.yaml:4:20: retry.attempts '0' is not possible; write a number from 1 to 100"}},
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

TEST(SettingsTest, ManifestsComeFromABranch) {
  const auto loaded = load_settings_text(std::string(kSmallest) + R"(manifests:
  git:
    url: ssh://git@git.example.com/analytics/audiences.git
    branch: release/2026
    path: manifests/
    poll: 5m
    deadline: 1m
    require_signature: true
    allowed_signers: signers
    username: deploy
    ssh_key: /etc/keys/deploy
    known_hosts: known_hosts
listen: { address: "[::1]:8443", certificate: tls/cert.pem, key: tls/key.pem, token_file: plan-token, deadline: 3m, plans: 4 }
)");
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  ASSERT_TRUE(loaded.value->git.has_value());
  GitManifests git;
  git.url = "ssh://git@git.example.com/analytics/audiences.git";
  git.branch = "release/2026";
  git.path = "manifests";
  git.poll = 5min;
  git.deadline = 1min;
  git.require_signature = true;
  git.allowed_signers = "/etc/audiencesync/signers";
  git.username = "deploy";
  git.ssh_key = "/etc/keys/deploy";
  git.known_hosts = "/etc/audiencesync/known_hosts";
  EXPECT_EQ(*loaded.value->git, git);
  ASSERT_TRUE(loaded.value->listen.has_value());
  EXPECT_EQ(*loaded.value->listen, (Listen{"::1", 8443, "/etc/audiencesync/tls/cert.pem",
                                           "/etc/audiencesync/tls/key.pem", "/etc/audiencesync/plan-token", 3min, 4}));
}

TEST(SettingsTest, ABranchAndAListenerNeedLittle) {
  const auto loaded = load_settings_text(std::string(kSmallest) +
                                         "manifests: { git: { url: https://git.example.com/a.git } }\n"
                                         "listen: { address: \"127.0.0.1:0\", token_file: t }\n");
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  GitManifests git;
  git.url = "https://git.example.com/a.git";
  EXPECT_EQ(*loaded.value->git, git);
  Listen listen;
  listen.host = "127.0.0.1";
  listen.token_file = "/etc/audiencesync/t";
  EXPECT_EQ(*loaded.value->listen, listen);
  EXPECT_FALSE(load_settings_text(std::string(kSmallest) + "listen: null\nmanifests: { git: null }\n").value->listen);
}

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
  EXPECT_EQ(schema.find_path({"properties", "channels"}), nullptr);
}

}  // namespace
}  // namespace audiencesync
