#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

/// A manifest that is wrong, and everything that is said about it.
struct BadManifest {
  const char* name;
  std::string text;
  std::vector<std::string> problems;
};

void PrintTo(const BadManifest& bad, std::ostream* out) { *out << bad.name; }

class BadManifestTest : public testing::TestWithParam<BadManifest> {};

TEST_P(BadManifestTest, SaysWhereWhatAndTheWayOut) {
  const ManifestRules rules{.variables = {{"REGION", "emea"}, {"UNSET", std::nullopt}, {"MY_TOKEN", "x"}},
                            .organizations = {{{"default", {"prod", "stage"}}, {"emea", {"prod"}}}}};
  const auto loaded = load_text(GetParam().text, rules);
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(texts(loaded.problems), GetParam().problems);
}

constexpr std::string_view kSecretAdvice =
    ": secrets do not belong in a manifest; put them into the credential file that 'credential' in the settings names, "
    "and renew this one, it may have been copied already";

std::string secret(std::string_view start) { return std::string(start) + std::string(kSecretAdvice); }

const std::string kEntry = "- { id: 9e3779b1-1111-4222-8333-00004189374b, name: Luma - Blue+ Members }";
const std::string kKnownKeys =
    "known keys are: version, name, uid, extends, mode, organization, sandbox, tenant, identity, schedule, audiences, "
    "source, target, engine, analytics, guard, retention";

std::string with_audiences(const std::string& audiences) {
  return std::string(kMinimal.substr(0, kMinimal.find("audiences:"))) + audiences;
}

std::string many_audiences(int count) {
  std::string text = "audiences:\n";
  for (int i = 0; i < count; ++i) text += "  - id: A" + std::to_string(i) + "\n";
  return with_audiences(text);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, BadManifestTest,
    testing::Values(
        BadManifest{"no_tenant",
                    minimal_with("tenant: _demoemea\n", ""),
                    {"m.yaml:1:1: 'tenant' is missing; add it, for example tenant: _demoemea"}},
        BadManifest{"misspelt_key_is_not_missing_too",
                    minimal_with("tenant:", "tennant:"),
                    {"m.yaml:3:1: unknown key 'tennant'; did you mean 'tenant'?"}},
        BadManifest{"unknown_key_without_a_near_one",
                    minimal_plus("colour: red\n"),
                    {"m.yaml:9:1: unknown key 'colour'; " + kKnownKeys}},
        BadManifest{"key_one_level_too_high",
                    minimal_plus("max_age: 36h\n"),
                    {"m.yaml:9:1: unknown key 'max_age'; it belongs into 'source'"}},
        BadManifest{"unknown_nested_key",
                    minimal_plus("guard: { maxRemoval: 10% }\n"),
                    {"m.yaml:9:10: unknown key 'maxRemoval' in 'guard'; did you mean 'max_removals'?"}},
        BadManifest{"key_twice",
                    minimal_plus("name: other\n"),
                    {"m.yaml:9:1: key 'name' is here a second time, first at m.yaml:2:1; keep one of them"}},
        BadManifest{"nested_key_twice",
                    minimal_plus("source: { max_age: 1h, max_age: 2h }\n"),
                    {"m.yaml:9:24: key 'max_age' is here a second time, first at m.yaml:9:11; keep one of them"}},
        BadManifest{"empty_required",
                    minimal_with("tenant: _demoemea", "tenant:"),
                    {"m.yaml:3:1: 'tenant' has no value; write one, for example tenant: _demoemea"}},
        BadManifest{"empty_optional",
                    minimal_plus("guard: { min_people: }\n"),
                    {"m.yaml:9:10: 'guard.min_people' has no value; write one or remove the key, for example "
                     "min_people: 100"}},
        BadManifest{"scalar_for_map",
                    minimal_plus("target: foo\n"),
                    {"m.yaml:9:9: 'target' is a single value, but must be a map; write for example target: { dataset: "
                     "Loyalty audiences }"}},
        BadManifest{"list_for_scalar",
                    minimal_plus("source: { merge_policy: [x] }\n"),
                    {"m.yaml:9:25: 'source.merge_policy' is a list, but must be a single value; write for example "
                     "merge_policy: default"}},
        BadManifest{"version_2",
                    minimal_with("version: 1", "version: 2"),
                    {"m.yaml:1:10: version '2' is not a version this program reads; write 1, or use a newer program"}},
        BadManifest{"all_at_once_and_in_order",
                    "name: Luma Loyalty\nidentity: { field: a..b }\nvershun: 1\naudiences: []\n",
                    {"m.yaml:1:1: 'tenant' is missing; add it, for example tenant: _demoemea",
                     "m.yaml:1:7: name 'Luma Loyalty' must be 1 to 63 lower-case letters, digits and hyphens, starting "
                     "with a letter or digit; write for example luma-loyalty",
                     "m.yaml:2:11: 'identity.namespace' is missing; add it, for example namespace: Email",
                     "m.yaml:2:20: identity.field 'a..b' is not a field path; write the names from the root of the "
                     "profile joined by dots, for example _demoemea.identification.core.email",
                     "m.yaml:3:1: unknown key 'vershun'; did you mean 'version'?",
                     "m.yaml:4:12: 'audiences' is an empty list; add an entry, for example " + kEntry}}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Layout, BadManifestTest,
    testing::Values(BadManifest{"names_by_a_string_of_ids",
                                minimal_plus("target:\n  layout: delimited\n  name_lookup: true\n"),
                                {"m.yaml:11:16: target.name_lookup cannot find names by the string of layout "
                                 "'delimited'; write layout: person, or leave name_lookup out"}},
                    BadManifest{"no_such_layout",
                                minimal_plus("target: { layout: row }\n"),
                                {"m.yaml:9:19: target.layout 'row' is not known; write one of: person, membership, "
                                 "delimited"}}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    QueryService, BadManifestTest,
    testing::Values(
        BadManifest{"layout",
                    minimal_plus("engine: query-service\ntarget: { layout: delimited, upload: parquet }\n"),
                    {"m.yaml:10:19: target.layout 'delimited' is nothing that engine 'query-service' can do; write "
                     "layout: person, or engine: local",
                     "m.yaml:10:38: target.upload, which is about files that are sent, is nothing that engine "
                     "'query-service' can do; write nothing there, or engine: local"}},
        BadManifest{"names",
                    minimal_plus("engine: query-service\ntarget: { name_lookup: true }\n"),
                    {"m.yaml:10:24: target.name_lookup is nothing that engine 'query-service' can do; write "
                     "name_lookup: false, or engine: local"}},
        BadManifest{
            "source",
            minimal_plus("engine: query-service\nsource: { from: profile-snapshot, wait_for_evaluation: 0s }\n"),
            {"m.yaml:10:17: source.from 'profile-snapshot' is nothing that engine 'query-service' can do; "
             "write from: export-job, or engine: local"}}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(Later, BadManifestTest,
                         testing::Values(BadManifest{
                             "sections_even_with_their_default",
                             minimal_plus("publish: []\nactivate: []\njourney_optimizer: null\n"
                                          "notify: []\n"),
                             {"m.yaml:9:1: 'publish' is not in this version; remove it",
                              "m.yaml:10:1: 'activate' is not in this version; remove it",
                              "m.yaml:11:1: 'journey_optimizer' is not in this version; remove it",
                              "m.yaml:12:1: 'notify' is not in this version; remove it"}}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(BadManifestTest, WhatComesLaterIsUnsupportedAndTheRestInvalid) {
  const auto loaded = load_text(minimal_plus("publish: []\ncolour: red\n"));
  ASSERT_EQ(loaded.problems.size(), 2u);
  EXPECT_EQ(loaded.problems[0].code(), ErrorCode::Unsupported);
  EXPECT_EQ(loaded.problems[1].code(), ErrorCode::Invalid);
}

INSTANTIATE_TEST_SUITE_P(
    Identity, BadManifestTest,
    testing::Values(
        BadManifest{"tenant_without_underscore",
                    minimal_with("tenant: _demoemea", "tenant: demoemea"),
                    {"m.yaml:3:9: tenant 'demoemea' must start with '_'; write _demoemea"}},
        BadManifest{"tenant_that_is_none",
                    minimal_with("tenant: _demoemea", "tenant: _demo-emea"),
                    {"m.yaml:3:9: tenant '_demo-emea' is not a tenant field; it is '_' and the tenant id that "
                     "Experience Platform shows under Schemas, for example _demoemea"}},
        BadManifest{"field_of_another_tenant",
                    minimal_with("field: _demoemea", "field: _acme"),
                    {"m.yaml:4:20: identity.field '_acme.identification.core.email' starts with another tenant than "
                     "'_demoemea'; correct the field or 'tenant'"}},
        BadManifest{"field_with_blank",
                    minimal_with("core.email", "core email"),
                    {"m.yaml:4:20: identity.field '_demoemea.identification.core email' is not a field path; write the "
                     "names from the root of the profile joined by dots, for example "
                     "_demoemea.identification.core.email"}},
        BadManifest{"no_namespace",
                    minimal_with(", namespace: Email", ""),
                    {"m.yaml:4:11: 'identity.namespace' is missing; add it, for example namespace: Email"}},
        BadManifest{"normalize_unknown",
                    minimal_with("namespace: Email }", "namespace: Email, normalize: lowre }"),
                    {"m.yaml:4:86: identity.normalize 'lowre' is not known; did you mean 'lower'?"}},
        BadManifest{"uid_with_underscore",
                    minimal_plus("uid: luma_loyalty\n"),
                    {"m.yaml:9:6: uid 'luma_loyalty' must be 1 to 63 lower-case letters, digits and hyphens, starting "
                     "with a letter or digit; write for example luma-loyalty"}},
        BadManifest{"name_too_long",
                    minimal_with("name: luma-loyalty", "name: " + std::string(64, 'x')),
                    {"m.yaml:2:7: name '" + std::string(60, 'x') +
                     "...' must be 1 to 63 lower-case letters, digits and hyphens, starting with a letter or digit; "
                     "write for example " +
                     std::string(63, 'x')}},
        BadManifest{"sandbox_with_capital",
                    minimal_plus("sandbox: Prod\n"),
                    {"m.yaml:9:10: sandbox 'Prod' must be 1 to 63 lower-case letters, digits and hyphens, starting "
                     "with a letter or digit; write for example prod"}},
        BadManifest{"sandbox_not_allowed",
                    minimal_plus("sandbox: dev\n"),
                    {"m.yaml:9:10: sandbox 'dev' is not allowed for organization 'default' in the settings; write one "
                     "of: prod, stage, or add it to 'sandboxes' there"}},
        BadManifest{"organization_unknown",
                    minimal_plus("organization: apac\n"),
                    {"m.yaml:9:15: organization 'apac' is not in the settings; write one of: default, emea, or add it "
                     "to 'organizations' there"}}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Audiences, BadManifestTest,
    testing::Values(
        BadManifest{"none",
                    with_audiences("audiences: []\n"),
                    {"m.yaml:6:12: 'audiences' is an empty list; add an entry, for example " + kEntry}},
        BadManifest{"neither_id_nor_name",
                    minimal_plus("  - namespace: ups\n"),
                    {"m.yaml:9:5: an entry of 'audiences' has none of the keys: id, name; add at least one, for "
                     "example " +
                     kEntry}},
        BadManifest{"text_instead_of_map",
                    minimal_plus("  - Luma - Gold\n"),
                    {"m.yaml:9:5: an entry of 'audiences' is a single value, but must be a map; write for example "
                     "- name: 'Luma - Gold'"}},
        BadManifest{"id_twice",
                    minimal_plus("  - id: 9e3779b1-1111-4222-8333-00004189374b\n"),
                    {"m.yaml:9:9: audiences.id '9e3779b1-1111-4222-8333-00004189374b' is here a second time, first at "
                     "m.yaml:7:11; keep one entry"}},
        BadManifest{"name_twice",
                    minimal_plus("  - { id: A1, name: Luma - Platinum }\n"),
                    {"m.yaml:9:21: audiences.name 'Luma - Platinum' is here a second time, first at m.yaml:8:11; "
                     "analysts could not tell the two apart, give one of them another name"}},
        BadManifest{"id_with_blank",
                    minimal_plus("  - id: a b\n"),
                    {"m.yaml:9:9: audiences.id 'a b' is not an audience id; write the id that Experience Platform "
                     "shows for the audience, for example 9e3779b1-1111-4222-8333-00004189374b, or leave it out and "
                     "give the exact name"}},
        BadManifest{"name_too_long",
                    minimal_plus("  - name: " + std::string(256, 'x') + "\n"),
                    {"m.yaml:9:11: audiences.name '" + std::string(60, 'x') +
                     "...' has 256 characters; at most 255 are possible, shorten it"}},
        BadManifest{"name_with_line_break",
                    minimal_plus("  - name: \"a\\nb\"\n"),
                    {"m.yaml:9:11: audiences.name 'a?b' has a line break or another control character; write it in "
                     "one line"}},
        BadManifest{"name_with_blank_at_the_end",
                    minimal_plus("  - name: \"Gold \"\n"),
                    {"m.yaml:9:11: audiences.name 'Gold ' has blanks at its start or end; remove them"}},
        BadManifest{"too_many",
                    many_audiences(4001),
                    {"m.yaml:7:3: 'audiences' has 4001 entries, but a sandbox holds at most 4000; remove some, or "
                     "split the manifest"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(BadManifestTest, FourThousandAudiencesAreFine) { EXPECT_TRUE(load_text(many_audiences(4000)).ok()); }

TEST(BadManifestTest, OneIdInTwoNamespacesIsTwoAudiences) {
  EXPECT_TRUE(load_text(with_audiences("audiences:\n  - id: A1\n  - { id: A1, namespace: aam }\n")).ok());
}

INSTANTIATE_TEST_SUITE_P(
    Values, BadManifestTest,
    testing::Values(
        BadManifest{"duration_misspelt",
                    minimal_plus("source: { max_age: 90 dyas }\n"),
                    {"m.yaml:9:20: source.max_age '90 dyas' is not a duration; write a number and a unit (ms, s, m, h, "
                     "d), for example 36h"}},
        BadManifest{"duration_without_unit",
                    minimal_plus("source: { max_age: 2 }\n"),
                    {"m.yaml:9:20: source.max_age '2' is not a duration; write a number and a unit (ms, s, m, h, d), "
                     "for example 36h"}},
        BadManifest{
            "nothing_waits_for_an_evaluation_without_an_export",
            minimal_plus("source: { from: profile-snapshot, wait_for_evaluation: 2h }\n"),
            {"m.yaml:9:56: source.wait_for_evaluation has no meaning with source.from 'profile-snapshot', which "
             "makes no export; remove it"}},
        BadManifest{"duration_overflow",
                    minimal_plus("source: { max_age: 99999999999999999999d }\n"),
                    {"m.yaml:9:20: source.max_age '99999999999999999999d' is not a duration; write a number and a unit "
                     "(ms, s, m, h, d), for example 36h"}},
        BadManifest{"duration_zero",
                    minimal_plus("source: { max_age: 0h }\n"),
                    {"m.yaml:9:20: source.max_age '0h' is no time at all; write more than zero"}},
        BadManifest{"limit_with_blank",
                    minimal_plus("guard: { max_removals: 10 % }\n"),
                    {"m.yaml:9:24: guard.max_removals '10 %' is no limit; write a percentage, a number or a list of "
                     "both, for example 10%"}},
        BadManifest{"limit_negative",
                    minimal_plus("guard: { max_bad_rows: -1% }\n"),
                    {"m.yaml:9:24: guard.max_bad_rows '-1%' is no limit; write a percentage, a number or a list of "
                     "both, for example 0.1%"}},
        BadManifest{"limit_over_all",
                    minimal_plus("guard: { max_audience_shrink: 150% }\n"),
                    {"m.yaml:9:31: guard.max_audience_shrink '150%' is more than all of them; write at most 100%"}},
        BadManifest{"limit_of_two_shares",
                    minimal_plus("guard: { max_removals: [1%, 2%] }\n"),
                    {"m.yaml:9:24: 'guard.max_removals' must have one percentage and one number when it is a list; "
                     "write for example max_removals: [10%, 5000]"}},
        BadManifest{"count_negative",
                    minimal_plus("guard: { min_people: -1 }\n"),
                    {"m.yaml:9:22: guard.min_people '-1' is not a whole number; write digits only, for example 100"}},
        BadManifest{"flag_yes",
                    minimal_plus("guard: { allow_empty_audience: yes }\n"),
                    {"m.yaml:9:32: guard.allow_empty_audience 'yes' is neither true nor false; write one of them"}},
        BadManifest{"status_unknown",
                    minimal_plus("source: { statuses: [realised] }\n"),
                    {"m.yaml:9:22: source.statuses 'realised' is not known; did you mean 'realized'?"}},
        BadManifest{"statuses_empty",
                    minimal_plus("source: { statuses: [] }\n"),
                    {"m.yaml:9:21: 'source.statuses' is an empty list; add an entry, for example statuses: [realized, "
                     "existing]"}},
        BadManifest{"dataset_empty",
                    minimal_plus("target: { dataset: \"\" }\n"),
                    {"m.yaml:9:20: target.dataset '' is empty; write the name, or remove the key"}},
        BadManifest{"dataset_id_that_is_none",
                    minimal_plus("target: { dataset_id: @/dataSets/64f0 }\n"),
                    {"m.yaml:9:23: a value must not start with '@'; put it in quotes"}},
        BadManifest{"dataset_id_with_slash",
                    minimal_plus("target: { dataset_id: dataSets/64f0 }\n"),
                    {"m.yaml:9:23: target.dataset_id 'dataSets/64f0' is not a dataset id; write the id that Experience "
                     "Platform shows for the dataset, for example 64f0c1d2e3a4b5c6d7e8f901"}},
        BadManifest{"hour_25",
                    minimal_with("0 4 * * *", "0 25 * * *"),
                    {"m.yaml:5:11: schedule '0 25 * * *' has hour '25' at character 3, which must be *, a number from "
                     "0 to 23, a "
                     "range or a list of them; write for example 0 4 * * * for every day at 04:00"}},
        BadManifest{"four_fields",
                    minimal_with("0 4 * * *", "0 4 * *"),
                    {"m.yaml:5:11: schedule '0 4 * *' has 4 fields, but a schedule has five (minute, hour, day of "
                     "month, month, day of week); write for example 0 4 * * * for every day at 04:00"}},
        BadManifest{"a_day_that_never_comes",
                    minimal_with("0 4 * * *", "0 4 30 2 *"),
                    {"m.yaml:5:11: schedule '0 4 30 2 *' names day 30 of month 2, which never comes; write for example "
                     "0 4 * * * for every day at 04:00"}},
        BadManifest{"at_reboot",
                    minimal_with("0 4 * * *", "@reboot"),
                    {"m.yaml:5:11: schedule '@reboot' is not known; write one of @hourly, @daily, @weekly, @monthly, "
                     "@yearly, or five fields, for example 0 4 * * * for every day at 04:00"}},
        BadManifest{"time_zone",
                    minimal_with("\"0 4 * * *\"", "{ cron: \"@daily\", timezone: Europe Berlin }"),
                    {"m.yaml:5:39: schedule.timezone 'Europe Berlin' is not a time zone; write UTC or a name such as "
                     "Europe/Berlin"}},
        BadManifest{"jitter_of_two_days",
                    minimal_with("\"0 4 * * *\"", "{ cron: \"@daily\", jitter: 2d }"),
                    {"m.yaml:5:37: schedule.jitter '2d' is more than a day; write at most 24h"}},
        BadManifest{"window_without_duration",
                    minimal_with("\"0 4 * * *\"", "{ cron: \"@daily\", window: { deny: [{ cron: \"0 20 * * *\" }] } }"),
                    {"m.yaml:5:46: 'schedule.window.deny.duration' is missing; add it, for example duration: 10h"}},
        BadManifest{"window_of_no_time_at_a_wrong_hour",
                    minimal_with("\"0 4 * * *\"",
                                 "{ cron: \"@daily\", window: { allow: [{ cron: \"0 5-2 * * *\", duration: 0h }] } }"),
                    {"m.yaml:5:55: schedule.window.allow.cron '0 5-2 * * *' has hour '5-2' at character 3, which runs "
                     "backwards; write 5-23,0-2 to pass the end, or exchange the two",
                     "m.yaml:5:80: schedule.window.allow.duration '0h' is no time at all; write more than zero"}},
        BadManifest{"window_that_is_a_text",
                    minimal_with("\"0 4 * * *\"", "{ cron: \"@daily\", window: { deny: [nights] } }"),
                    {"m.yaml:5:46: an entry of 'schedule.window.deny' is a single value, but must be a map; write for "
                     "example - { cron: \"0 20 * * 1-5\", duration: 10h }"}}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Secrets, BadManifestTest,
    testing::Values(
        BadManifest{"key", minimal_plus("client_secret: hunter2\n"), {secret("m.yaml:9:1: key 'client_secret'")}},
        BadManifest{"nested_key", minimal_plus("source: { apiKey: hunter2 }\n"), {secret("m.yaml:9:11: key 'apiKey'")}},
        BadManifest{
            "list_under_a_key", minimal_plus("tokens: [hunter2, hunter3]\n"), {secret("m.yaml:9:1: key 'tokens'")}},
        BadManifest{"adobe_client_secret",
                    minimal_with("name: luma-loyalty", "name: p8e-AbCdEfGhIjKlMnOp"),
                    {secret("m.yaml:2:7: the value of 'name' looks like a secret")}},
        BadManifest{"web_token",
                    minimal_plus("notes: eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln\n"),
                    {secret("m.yaml:9:8: the value of 'notes' looks like a secret")}},
        BadManifest{"bearer",
                    minimal_plus("source: { merge_policy: Bearer abcdefghijklmnopqrstuv }\n"),
                    {secret("m.yaml:9:25: the value of 'merge_policy' looks like a secret")}},
        BadManifest{"in_a_list",
                    minimal_plus("source: { statuses: [p8e-AbCdEfGhIjKlMnOp] }\n"),
                    {secret("m.yaml:9:22: the value of 'statuses' looks like a secret")}},
        BadManifest{
            "as_a_key", minimal_plus("p8e-AbCdEfGhIjKlMnOp: 1\n"), {secret("m.yaml:9:1: a key looks like a secret")}},
        BadManifest{"as_a_key_twice",
                    minimal_plus("p8e-AbCdEfGhIjKlMnOp: 1\np8e-AbCdEfGhIjKlMnOp: 1\n"),
                    {secret("m.yaml:9:1: a key looks like a secret"),
                     "m.yaml:10:1: key (not shown: it looks like a credential) is here a second time, first at "
                     "m.yaml:9:1; keep one of them"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(BadManifestTest, ProblemsWithoutEndAreCutShort) {
  std::string keys;
  for (int i = 0; i < 300; ++i) keys += "zz" + std::to_string(i) + ": 1\n";
  const auto loaded = load_text(minimal_plus(keys));
  ASSERT_EQ(loaded.problems.size(), 101u);
  EXPECT_EQ(loaded.problems.back().text(), "m.yaml:109:1: 200 more problems from here on; fix the ones above first");
}

TEST(BadManifestTest, AFileThatIsNotThereIsNotFound) {
  const MemoryFiles files;
  const auto loaded = load_manifest(files, "m.yaml", {});
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].code(), ErrorCode::NotFound);
  EXPECT_EQ(loaded.problems[0].text(), "m.yaml: there is no such file; check the path");
}

}  // namespace
}  // namespace audiencesync
