// What goes wrong before anything is written: files, settings, credentials, audiences, rows. Every case is met through
// the real program; it must say what is wrong in words that lead to the way out, end with the documented exit code,
// and leave the platform as it was.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 4;
constexpr int kLocked = 6;
constexpr int kAccess = 7;
constexpr int kUsage = 64;
constexpr int kInvalid = 65;

// Not a real one: only of the shape that every scanner knows.
constexpr const char* kPlantedSecret = "p8e-PlantedSecretValue0123456789";

/// One world for all cases that leave it as it was, because most of the time of a case is its start.
class BadInputTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared() = std::make_unique<World>(Emulator::Options{.profiles = 150, .audiences = 4});
  }
  static void TearDownTestSuite() { shared().reset(); }

  void SetUp() override {
    world.name = world.uid = "loyalty";
    world.declared.clear();
    for (const auto& audience : emulator.audiences()) world.declared.push_back({audience.id, audience.name});
    world.extra.clear();
    emulator.clear_calls();
  }
  void TearDown() override { emulator.settings(R"({"deny":[]})"); }

  std::string config() const { return emulator.config().string(); }

  ProcessResult apply_text(const std::string& manifest, const std::string& settings = "") {
    write_file(world.manifest(), manifest);
    return world.run(
        {"apply", "--auto-approve", "--config", settings.empty() ? config() : settings, world.manifest().string()});
  }
  ProcessResult validate_text(const std::string& manifest) {
    write_file(world.manifest(), manifest);
    return world.run({"validate", "--config", config(), world.manifest().string()});
  }

  std::string edited(std::string_view from, std::string_view to) const {
    auto text = world.manifest_text();
    EXPECT_NE(text.find(from), std::string::npos) << from;
    replace_all(text, from, to);
    return text;
  }

  /// Other settings beside the emulator's own, so that its credential is found, with a state folder of their own.
  std::string settings_with(std::string_view from, std::string_view to) const {
    auto text = read_file(emulator.config());
    EXPECT_NE(text.find(from), std::string::npos) << from;
    replace_all(text, from, to);
    replace_all(text, "/config/state", "/config/other-state");
    const auto path = emulator.config().parent_path() / "other.yaml";
    write_file(path, text);
    return path.string();
  }

  std::string new_audience(const std::string& name) {
    return emulator.control("POST", "/_emulator/audiences", fmt::format(R"({{"do":"create","name":"{}"}})", name))
        .text("id");
  }
  void audience(const std::string& id, const std::string& action, const std::string& more = "") {
    emulator.control("POST", "/_emulator/audiences", fmt::format(R"({{"do":"{}","id":"{}"{}}})", action, id, more));
  }

  void expect_refused_untouched(const ProcessResult& result, const std::vector<std::string>& texts) {
    expect_told(result, kRefused, texts);
    EXPECT_THAT(changes_made(emulator), IsEmpty());
  }

  static std::unique_ptr<World>& shared() {
    static std::unique_ptr<World> world;
    return world;
  }

  World& world = *shared();
  Emulator& emulator = world.emulator();
};

// ---------------------------------------------------------------------------------------------------------- the file

struct BadFile {
  std::string name;
  std::function<std::string(std::string)> damage;  // of a good manifest
  std::vector<std::string> says;
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.name; }

std::function<std::string(std::string)> with(std::string from, std::string to) {
  return [from = std::move(from), to = std::move(to)](std::string text) {
    EXPECT_NE(text.find(from), std::string::npos) << from;
    replace_all(text, from, to);
    return text;
  };
}

std::function<std::string(std::string)> followed_by(std::string more) {
  return [more = std::move(more)](std::string text) { return text + more; };
}

std::string yaml_bomb(std::string text) {
  text += "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (char level = 'b'; level <= 'i'; ++level) {
    const char before = static_cast<char>(level - 1);
    text += fmt::format("{0}: &{0} [*{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}]\n", level, before);
  }
  return text;
}

class BadFileTest : public BadInputTest, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadFileTest, IsRefusedByValidateAndByApplyWithoutACall) {
  const auto text = GetParam().damage(world.manifest_text());
  auto says = GetParam().says;
  for (auto& each : says) replace_all(each, "m.yaml", world.manifest().string());

  const auto validated = validate_text(text);
  expect_told(validated, kInvalid, says);
  const auto applied = apply_text(text);
  expect_told(applied, kInvalid, says);
  EXPECT_THAT(emulator.calls(), IsEmpty()) << "even asking for a token would be too early";
  for (const auto& result : {validated, applied}) {
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("PlantedSecretValue")));
    EXPECT_LT(result.out.size() + result.err.size(), 20'000U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadFileTest,
    ::testing::Values(
        BadFile{"without_tenant",
                with("tenant: _demoemea\n", ""),
                {"m.yaml:1:1: 'tenant' is missing; add it, for example tenant: _demoemea"}},
        BadFile{"tenant_without_underscore",
                with("tenant: _demoemea", "tenant: demoemea"),
                {"m.yaml:4:9: tenant 'demoemea' must start with '_'; write _demoemea"}},
        BadFile{"empty_list",
                [](std::string text) {
                  const auto begin = text.find("audiences:");
                  return text.substr(0, begin) + "audiences: []\n";
                },
                {"m.yaml:6:12: 'audiences' is an empty list; add an entry"}},
        BadFile{"secret_under_its_own_name",
                followed_by(fmt::format("client_secret: {}\n", kPlantedSecret)),
                {"key 'client_secret': secrets do not belong in a manifest; put them into the credential file"}},
        BadFile{"secret_under_an_innocent_name",
                followed_by(fmt::format("target: {{ dataset: {} }}\n", kPlantedSecret)),
                {"the value of 'dataset' looks like a secret"}},
        BadFile{"secret_as_an_audience",
                with("audiences:\n", fmt::format("audiences:\n  - name: {}\n", kPlantedSecret)),
                {"m.yaml:7:11: the value of 'name' looks like a secret"}},
        BadFile{"secret_in_a_file_that_is_no_yaml", followed_by(fmt::format("x: [ {}\n", kPlantedSecret)), {"m.yaml:"}},
        BadFile{"yaml_bomb", yaml_bomb, {"anchors (&name) are not supported"}},
        BadFile{"brackets_without_end",
                followed_by("a: " + std::string(200'000, '[') + "\n"),
                {"more than 1000 open brackets; remove the nesting"}},
        BadFile{"ten_megabytes",
                followed_by("# " + std::string(10'000'000, 'x') + "\n"),
                {"m.yaml: the file has 10000", "bytes, at most"}},
        BadFile{
            "tabs", with("audiences:\n  -", "audiences:\n\t-"), {"m.yaml:7:1: tab used for indentation; use blanks"}},
        BadFile{
            "not_utf8", followed_by("# caf\xe9\n"), {"byte 0xe9 at offset", "is not UTF-8; save the file as UTF-8"}},
        BadFile{"nul_bytes", followed_by(std::string("# \0\n", 4)), {"control character 0x00"}},
        BadFile{"empty_file", [](const std::string&) { return std::string(); }, {"m.yaml"}},
        BadFile{"a_binary",
                [](const std::string&) {
                  return std::string(
                      "\x7f"
                      "ELF\x02\x01\x01\0\0",
                      9);
                },
                {"m.yaml:1:1"}},
        BadFile{"unknown_key", followed_by("guards: {}\n"), {"unknown key 'guards'; did you mean 'guard'?"}},
        BadFile{"a_section_of_later", followed_by("publish: []\n"), {"'publish' is not in this version; remove it"}},
        BadFile{"more_history_than_can_be_read",
                followed_by("retention: { generations: 201 }\n"),
                {"retention.generations '201' is more than can be read back within the memory; write at most 200"}},
        BadFile{"field_of_another_tenant",
                with("field: _demoemea.", "field: _acme."),
                {"starts with another tenant than '_demoemea'"}},
        BadFile{"sandbox_that_the_settings_do_not_list",
                followed_by("sandbox: dev\n"),
                {"sandbox 'dev' is not allowed for organization 'default' in the settings; write one of: prod"}},
        BadFile{"organization_that_the_settings_do_not_have",
                followed_by("organization: emea\n"),
                {"organization 'emea' is not in the settings; write one of: default"}},
        BadFile{"everything_at_once",
                [](std::string text) {
                  replace_all(text, "tenant: _demoemea\n", "");
                  return text + "guards: {}\nsandbox: dev\n";
                },
                {"'tenant' is missing", "unknown key 'guards'", "sandbox 'dev' is not allowed"}}),
    [](const auto& each) { return each.param.name; });

TEST_F(BadInputTest, AFileThatIsNotThereIsNamed) {
  const auto missing = (world.folder() / "nothing.yaml").string();
  expect_told(world.run({"apply", "--auto-approve", "--config", config(), missing}), kInvalid, {missing});
  expect_told(world.run({"validate", "--config", config(), missing}), kInvalid, {missing});
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

TEST_F(BadInputTest, TwoManifestsOfOneUidAreRefused) {
  write_file(world.folder() / "a.yaml", world.manifest_text());
  write_file(world.folder() / "b.yaml", world.manifest_text());
  const auto result = world.run({"apply", "--auto-approve", "--config", config(), (world.folder() / "a.yaml").string(),
                                 (world.folder() / "b.yaml").string()});
  expect_told(result, kInvalid, {"both have uid 'loyalty'; a uid keys state and ownership"});
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

// --------------------------------------------------------------------------------------- the command line and settings

TEST_F(BadInputTest, WhatIsNoCommandOrOptionIsAUsageError) {
  const auto file = world.manifest().string();
  write_file(world.manifest(), world.manifest_text());
  expect_told(world.run({}), kUsage, {"a command is missing"});
  expect_told(world.run({"aply", file}), kUsage, {"'aply' is no command; audiencesync --help lists them"});
  expect_told(world.run({"adopt", "loyalty"}), kUsage, {"the command 'adopt' is not in this version"});
  expect_told(world.run({"apply", "--auto", "--config", config(), file}), kUsage,
              {"--auto", "audiencesync apply --help"});
  expect_told(world.run({"plan", "--auto-approve", "--config", config(), file}), kUsage, {"--auto-approve"});
  expect_told(world.run({"plan", "--format", "xml", "--config", config(), file}), kUsage,
              {"--format 'xml' is not known to plan; use one of text|json|markdown"});
  expect_told(world.run({"validate"}), kUsage, {"validate needs at least one manifest"});
  EXPECT_EQ(world.run({"validate", "--settings", "--config", config()}).code, 0);
  expect_told(world.run({"validate", "--settings", "--config", config() + ".none"}), kInvalid, {config() + ".none"});
  expect_told(world.run({"apply", "--config", config(), file}), kUsage,
              {"apply has no terminal to ask at; add --auto-approve"});
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

TEST_F(BadInputTest, SettingsThatAreMissingOrWrongAreAddressed) {
  const auto good = world.manifest_text();
  const auto nowhere = (world.folder() / "nowhere.yaml").string();
  expect_told(apply_text(good, nowhere), kInvalid, {nowhere});
  const auto unknown = settings_with("timing: {", "timimg: {");
  expect_told(apply_text(good, unknown), kInvalid, {unknown + ":", "unknown key 'timimg'; did you mean 'timing'?"});
  const auto later = settings_with("version: 1", "version: 2");
  expect_told(apply_text(good, later), kInvalid, {"version '2' is not a version this program reads"});
  const auto plain = settings_with("ims: \"http://127.0.0.1", "ims: \"http://example.com");
  expect_told(apply_text(good, plain), kInvalid, {"https"});
  const auto secret =
      settings_with("credential: adobe", fmt::format("credential: adobe\n    client_secret: {}", kPlantedSecret));
  const auto result = apply_text(good, secret);
  expect_told(result, kInvalid, {"secrets do not belong in a settings file"});
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("PlantedSecretValue")));
  const auto deadline = settings_with("poll_export: 5ms", "poll_export: 5h");
  expect_told(apply_text(good, deadline), kInvalid,
              {"timing.poll_export '5h' is not shorter than timing.deadline_export"});
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

// -------------------------------------------------------------------------------------------------------------- access

TEST_F(BadInputTest, WrongCredentialsAreAnAccessErrorThatNeverShowsThem) {
  const auto folder = emulator.config().parent_path() / "credentials";
  write_file(folder / "stolen", fmt::format(R"({{"client_id":"{}","client_secret":"{}"}})",
                                            emulator.ready().text("client_id"), kPlantedSecret));
  chmod((folder / "stolen").c_str(), 0600);
  const auto result = apply_text(world.manifest_text(), settings_with("credential: adobe", "credential: stolen"));
  expect_told(result, kAccess, {"client"});
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("PlantedSecretValue")));
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

TEST_F(BadInputTest, ACredentialFileThatOthersCanReadIsRefused) {
  const auto file = emulator.config().parent_path() / "credentials" / "loose";
  write_file(file, fmt::format(R"({{"client_id":"{}","client_secret":"{}"}})", emulator.ready().text("client_id"),
                               emulator.ready().text("client_secret")));
  chmod(file.c_str(), 0640);
  const auto settings = settings_with("credential: adobe", "credential: loose");
  expect_told(apply_text(world.manifest_text(), settings), kAccess,
              {file.string() + " can be read or changed by other users (mode 0640); run: chmod 600 " + file.string()});
  EXPECT_THAT(emulator.calls(), IsEmpty());
  chmod(file.c_str(), 0600);
  expect_told(world.run({"plan", "--config", settings, world.manifest().string()}), kOk, {"known after the export"});
}

TEST_F(BadInputTest, ACredentialThatIsNotThereNamesEveryPlaceLookedAt) {
  const auto settings = settings_with("credential: adobe", "credential: nobody");
  const auto result = apply_text(world.manifest_text(), settings);
  expect_told(result, kAccess,
              {"credential 'nobody' was not found; looked at $CREDENTIALS_DIRECTORY (not set)", "credentials/nobody",
               "AUDIENCESYNC_NOBODY_CLIENT_ID", "with mode 0600"});
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

TEST_F(BadInputTest, ACredentialFileThatIsNoneIsRefusedWithoutItsContent) {
  const auto file = emulator.config().parent_path() / "credentials" / "broken";
  write_file(file, fmt::format(R"({{"client_id":"a","client_secret":"{}")", kPlantedSecret));
  chmod(file.c_str(), 0600);
  const auto result = apply_text(world.manifest_text(), settings_with("credential: adobe", "credential: broken"));
  expect_told(result, kInvalid, {"is not as expected; write {\"client_id\""});
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("PlantedSecretValue")));
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

TEST_F(BadInputTest, AnotherOrganisationIsAnAccessError) {
  const auto organization = emulator.ready().text("organization");
  const auto settings = settings_with(organization, "0000000000000000@AdobeOrg");
  expect_told(apply_text(world.manifest_text(), settings), kAccess, {"403027"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

struct Denied {
  std::string name;
  std::string rule;  // of the emulator's setting `deny`
};

void PrintTo(const Denied& denied, std::ostream* out) { *out << denied.name; }

class DeniedTest : public BadInputTest, public ::testing::WithParamInterface<Denied> {};

TEST_P(DeniedTest, AMissingRoleIsAnAccessErrorBeforeAnythingIsWritten) {
  emulator.settings(fmt::format(R"({{"deny":[{}]}})", GetParam().rule));
  expect_told(apply_text(world.manifest_text()), kAccess, {"permission", "(request "});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Roles, DeniedTest,
                         ::testing::Values(Denied{"sandboxes", R"({"path":"/data/foundation/sandbox-management*"})"},
                                           Denied{"schemas", R"({"path":"/data/foundation/schemaregistry*"})"},
                                           Denied{"namespaces", R"({"path":"/data/core/idnamespace*"})"},
                                           Denied{"merge_policies",
                                                  R"({"path":"/data/core/ups/config/mergePolicies*"})"},
                                           Denied{"audiences", R"({"path":"/data/core/ups/audiences*"})"},
                                           Denied{"datasets", R"({"path":"/data/foundation/catalog/dataSets*"})"}),
                         [](const auto& each) { return each.param.name; });

// --------------------------------------------------------------------------------------------- what the platform knows

TEST_F(BadInputTest, TheTenantOfAnotherOrganisationIsRefused) {
  expect_refused_untouched(apply_text(edited("_demoemea", "_acme")),
                           {"tenant '_acme' is not this organisation's; the organisation's is '_demoemea'"});
}

TEST_F(BadInputTest, AnUnknownAudienceIdIsRefusedAtItsPlace) {
  world.declared.push_back({"9e3779b1-0000-4222-8333-000000000000", "Luma - Nobody"});
  expect_refused_untouched(
      apply_text(world.manifest_text()),
      {world.manifest().string() +
           ":11:5: audience 'Luma - Nobody' (9e3779b1-0000-4222-8333-000000000000): it does not exist",
       "check the id and the sandbox, or remove the entry"});
}

TEST_F(BadInputTest, ANameThatMatchesNothingIsRefusedWithSimilarOnes) {
  world.declared = {{"", "Luma - Platinun"}, {"", "Nothing of this kind"}};
  const auto platinum = emulator.audiences().at(1).name;
  expect_refused_untouched(apply_text(world.manifest_text()),
                           {"audience 'Luma - Platinun': no audience of this sandbox has this name",
                            "audience 'Nothing of this kind': no audience of this sandbox has this name"});
}

TEST_F(BadInputTest, ANameThatMatchesTwoIsRefusedWithBothIds) {
  const auto one = new_audience("Twice There");
  const auto other = new_audience("Twice There");
  world.declared = {{"", "Twice There"}};
  emulator.clear_calls();
  expect_refused_untouched(apply_text(world.manifest_text()),
                           {"2 audiences have exactly this name", one, other, "write the id of the one you mean"});
  audience(one, "delete");
  audience(other, "delete");
}

TEST_F(BadInputTest, ANameMustMatchExactly) {
  auto name = emulator.audiences().at(0).name;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  world.declared = {{"", name}};
  expect_refused_untouched(apply_text(world.manifest_text()), {"no audience of this sandbox has this name"});
}

TEST_F(BadInputTest, OneAudienceUnderTwoNamesIsRefused) {
  const auto first = emulator.audiences().at(0);
  world.declared = {{first.id, "My own label"}, {"", first.name}};
  expect_refused_untouched(apply_text(world.manifest_text()), {"it is the same audience (" + first.id + ") as"});
}

TEST_F(BadInputTest, AWrongFieldPathIsFoundBeforeAnExportIsMade) {
  expect_refused_untouched(apply_text(edited("identification.core.email", "identification.core.emial")),
                           {"identity.field '_demoemea.identification.core.emial'",
                            "'_demoemea.identification.core' exists in the profile union schema, but has no member "
                            "'emial'; nearest members: email"});
  expect_refused_untouched(
      apply_text(edited("field: _demoemea.identification.core.email", "field: _demoemea.identification")),
      {"'_demoemea.identification' is an object in the profile union schema, not a text"});
}

TEST_F(BadInputTest, AudiencesOfDifferentMergePoliciesDoNotFitIntoOneExport) {
  std::string other;
  const auto policies = emulator.api("GET", "/data/core/ups/config/mergePolicies");
  for (const auto& policy : policies.items("children")) {
    if (!policy.flag("default")) other = policy.text("id");
  }
  ASSERT_FALSE(other.empty());
  const auto id = new_audience("Of the other policy");
  audience(id, "set_merge_policy", fmt::format(R"(,"merge_policy":"{}")", other));
  world.declared.push_back({id, ""});
  emulator.clear_calls();
  expect_refused_untouched(apply_text(world.manifest_text()),
                           {"it is evaluated under merge policy " + other,
                            "one export uses one merge policy, so put it into a manifest with source.merge_policy"});
  world.declared = {{id, ""}};
  write_file(world.manifest(), world.manifest_text() + "source: { merge_policy: \"Without identity graph\" }\n");
  expect_told(world.run({"plan", "--config", config(), world.manifest().string()}), kOk, {"known after the export"});
  audience(id, "delete");
}

TEST_F(BadInputTest, AnUnknownMergePolicyIsRefusedWithThoseThatThereAre) {
  world.extra = "source: { merge_policy: Nightly }\n";
  expect_refused_untouched(
      apply_text(world.manifest_text()),
      {"source.merge_policy: no merge policy is called 'Nightly'; the sandbox has:", "'Default Timebased'"});
}

TEST_F(BadInputTest, AnUnknownIdentityNamespaceIsRefused) {
  expect_refused_untouched(apply_text(edited("namespace: Email", "namespace: email")),
                           {"identity namespace 'email' does not exist; did you mean 'Email'?"});
  expect_refused_untouched(apply_text(edited("namespace: Email", "namespace: Loyalty9")),
                           {"identity namespace 'Loyalty9' does not exist in this organisation; it has:", "Email"});
}

TEST_F(BadInputTest, AnUnknownSandboxIsRefusedWithThoseThatThereAre) {
  world.extra = "sandbox: dev\n";
  const auto settings = settings_with("sandboxes: [\"prod\"]", "sandboxes: [\"prod\", \"dev\"]");
  expect_refused_untouched(apply_text(world.manifest_text(), settings),
                           {"sandbox 'dev' does not exist, or the credential has no role in it; it may use: prod"});
}

TEST_F(BadInputTest, ANewAudienceThatCannotBeReadIsRefused) {
  const auto archived = new_audience("Archived");
  audience(archived, "archive");
  const auto forbidden = new_audience("Forbidden");
  audience(forbidden, "forbid");
  world.declared.push_back({archived, ""});
  world.declared.push_back({"", "Archived"});
  world.declared.push_back({forbidden, ""});
  emulator.clear_calls();
  expect_refused_untouched(apply_text(world.manifest_text()),
                           {"audience " + archived + ": it is archived; check the id and the sandbox",
                            "audience 'Archived': no published audience has this name, only " + archived,
                            "audience " + forbidden + ": it may not be read with this credential"});
  audience(archived, "delete");
  audience(forbidden, "delete");
}

// ------------------------------------------------------------------------------------------------------- own worlds

TEST(BadInputLaterTest, ARoleThatIsMissingLaterStopsThereAndGoesOnWhenItIsGiven) {
  OwnWorld own;
  auto& [world, emulator] = own;
  emulator.settings(R"({"deny":[{"method":"POST","path":"/data/foundation/catalog/dataSets*"}]})");
  expect_told(world.apply(), kAccess, {"permission"});
  EXPECT_THAT(emulator.datasets_tagged("uid:loyalty"), IsEmpty());
  emulator.settings(R"({"deny":[{"method":"POST","path":"/data/core/ups/export/jobs"}]})");
  expect_told(world.apply(), kAccess, {"permission"});
  EXPECT_THAT(emulator.datasets_tagged("role:target"), IsEmpty());
  emulator.settings(R"({"deny":[{"path":"/data/foundation/export/*"}]})");
  expect_told(world.apply(), kAccess, {"permission"});
  EXPECT_THAT(emulator.datasets_tagged("role:target"), IsEmpty());
  emulator.settings(R"({"deny":[{"method":"POST","path":"/data/foundation/import/*"}]})");
  expect_told(world.apply(), kAccess, {"permission"});
  emulator.settings(R"({"deny":[]})");
  expect_told(world.apply(), kOk, {"converged"});
  EXPECT_EQ(world.difference(), "");
  EXPECT_EQ(world.leftovers(), "");
}

TEST(BadInputLaterTest, AnAudienceThatWasSyncedIsHeldWhateverMakesItUnreadable) {
  OwnWorld own;
  auto& [world, emulator] = own;
  ASSERT_EQ(world.apply().code, kOk);
  const auto before = members_by_audience(emulator, world.target());
  const auto ids = emulator.audiences();
  own.audience(ids[0].id, "archive");
  own.audience(ids[1].id, "forbid");
  emulator.evolve(0.2, 5);

  const auto held = world.apply();
  expect_told(held, kOk,
              {"it is archived; its memberships stay as they are; remove the entry to withdraw them",
               "it may not be read with this credential; its memberships stay as they are"});
  auto after = members_by_audience(emulator, world.target());
  EXPECT_EQ(after[ids[0].id], before.at(ids[0].id));
  EXPECT_EQ(after[ids[1].id], before.at(ids[1].id));
  EXPECT_EQ(after[ids[2].id], emulator.truth(ids[2].id)) << "the others go on";

  own.audience(ids[2].id, "delete");
  const auto all = world.apply();
  expect_told(all, kRefused, {"it does not exist; its memberships stay as they are"});
  EXPECT_EQ(members_by_audience(emulator, world.target()), after);
}

TEST(BadInputLaterTest, AStateThatAnotherProcessHoldsIsLocked) {
  OwnWorld own;
  auto& [world, emulator] = own;
  emulator.faults(R"([{"path":"/data/foundation/sandbox-management*","times":1,"action":{"delay_ms":1500}}])");
  write_file(world.manifest(), world.manifest_text());
  const auto config = emulator.config().string();
  const auto holder =
      start_process({AUDIENCESYNC_BIN_DIR "/audiencesync", "plan", "--config", config, world.manifest().string()}, {},
                    world.folder() / "holder.out", world.folder() / "holder.err");
  while (emulator.calls().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto second = world.run({"apply", "--auto-approve", "--config", config, world.manifest().string()});
  expect_told(second, kLocked,
              {fmt::format("the state is held by pid {} (plan)", holder), "wait for it to end and run again"});
  EXPECT_EQ(wait_process(holder), kOk) << read_file(world.folder() / "holder.err");
  EXPECT_THAT(changes_made(emulator), IsEmpty());
  EXPECT_EQ(world.apply().code, kOk) << "the lock goes with its holder";
}

TEST(BadInputLaterTest, AStateOfANewerVersionIsLeftAlone) {
  OwnWorld own;
  auto& [world, emulator] = own;
  ASSERT_EQ(world.apply().code, kOk);
  const auto file = world.state() / "state.db";
  auto bytes = read_file(file);
  constexpr std::size_t kUserVersion = 60;  // of the database file's header, four bytes, big-endian
  bytes.replace(kUserVersion, 4, std::string("\0\0\x03\xe7", 4));
  write_file(file, bytes);
  emulator.clear_calls();
  for (const auto* command : {"plan", "apply", "status"}) {
    std::vector<std::string> words{command, "--config", emulator.config().string()};
    if (command == std::string("apply")) words.emplace_back("--auto-approve");
    if (command != std::string("status")) words.push_back(world.manifest().string());
    expect_told(world.run(words), kInvalid, {"version 999"});
  }
  EXPECT_THAT(emulator.calls(), IsEmpty());
  EXPECT_EQ(read_file(file), bytes);
}

TEST(BadInputLaterTest, ADamagedStateIsSaidToBeDamaged) {
  OwnWorld own;
  auto& [world, emulator] = own;
  ASSERT_EQ(world.apply().code, kOk);
  write_file(world.state() / "state.db", "this is no database, but it has a page of text" + std::string(5000, '.'));
  emulator.clear_calls();
  expect_told(world.apply(), kFailed, {(world.state() / "state.db").string()});
  EXPECT_THAT(emulator.calls(), IsEmpty());
}

}  // namespace
}  // namespace audiencesync::testing
