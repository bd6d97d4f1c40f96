#include "engine/report/plan_text.h"

#include <gmock/gmock.h>

#include <functional>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

using testing::HasSubstr;
using testing::Not;

const Time kNow = *parse_time("2026-01-02T12:00:00Z");

Plan luma() {
  Plan plan;
  plan.sync = "luma-loyalty";
  plan.uid = "luma";
  plan.file = "manifests/luma.yaml";
  plan.organization = "1234@AdobeOrg";
  plan.sandbox = "prod";
  plan.definition = "definition-1";
  plan.source = "E1,E2";
  plan.source_created = *parse_time("2026-01-02T04:00:00Z");
  plan.base = "snapshot-1";
  return plan;
}

Change ingest() {
  Change change;
  change.key = {"membership", "people"};
  change.action = Action::Ingest;
  change.reason = "8 people changed";
  change.bulk = Bulk{};
  change.bulk->content = "changes-1";
  change.bulk->people = 8;
  change.bulk->added = 5;
  change.bulk->removed = 1;
  change.bulk->bytes = 2048;
  change.bulk->dropped = {100, 1, 2, 0, 0};
  return change;
}

Plan full() {
  Plan plan = luma();
  Change create;
  create.key = {"dataset", "target"};
  create.reason = "does not exist";
  Change job;
  job.key = {"export", "job"};
  job.action = Action::Run;
  job.reason = "none that can be used yet";
  plan.refresh = {job};
  plan.changes = {create, ingest()};
  plan.findings = {{Severity::Note, "n", "a note"}, {Severity::Warning, "w", "a warning"}};
  plan.audiences = {{"A1", "Gold", 40, 44, 5, 1}, {"A2", "Größe", 7, 7, 0, 0}};
  return plan;
}

// The digest is told by its own tests.
std::string text_of(const Plan& plan) {
  auto text = plan_text(plan, kNow);
  const auto digest = plan.digest().substr(0, 16);
  if (const auto found = text.find(digest); found != std::string::npos) text.replace(found, digest.size(), "DIGEST");
  return text;
}

TEST(PlanText, NothingToDoIsOneLine) {
  EXPECT_EQ(text_of(luma()), "luma-loyalty: nothing to do as of export 2026-01-02T04:00:00Z (8 h)\n");
  auto unknown = luma();
  unknown.source_created.reset();
  unknown.findings = {{Severity::Note, "n", "a note"}};
  EXPECT_EQ(text_of(unknown), "luma-loyalty: nothing to do\n");
}

TEST(PlanText, AWarningIsNeverHiddenByNothingToDo) {
  auto plan = luma();
  plan.findings = {{Severity::Warning, "audience-held", "audience Gold is held"}};
  EXPECT_EQ(text_of(plan), R"(plan for luma-loyalty (manifests/luma.yaml)
  organisation 1234@AdobeOrg, sandbox prod
  as of export 2026-01-02T04:00:00Z (8 h old)
  digest DIGEST

attention
  warning audience Gold is held

nothing to do
)");
}

TEST(PlanText, ARefusalSaysWhatToSettle) {
  auto plan = luma();
  plan.findings = {{Severity::Refuse, "guard", "40 of 100 memberships would be removed (40.0 %, allowed 10%)"}};
  EXPECT_EQ(text_of(plan), R"(plan for luma-loyalty (manifests/luma.yaml)
  organisation 1234@AdobeOrg, sandbox prod
  as of export 2026-01-02T04:00:00Z (8 h old)
  digest DIGEST

attention
  refuse  40 of 100 memberships would be removed (40.0 %, allowed 10%)

refused: nothing is applied until what stands above is settled
)");
}

TEST(PlanText, WaitingForAnExportNamesTheNextCommand) {
  auto plan = luma();
  plan.source_created.reset();
  plan.known = false;
  plan.findings = {{Severity::Wait, "known-after-export", "there is no export that can be used"}};
  EXPECT_EQ(text_of(plan), R"(plan for luma-loyalty (manifests/luma.yaml)
  organisation 1234@AdobeOrg, sandbox prod
  digest DIGEST

attention
  wait    there is no export that can be used

memberships are known after the export; next:
  audiencesync apply manifests/luma.yaml
)");
}

TEST(PlanText, AFullPlanShowsEveryPart) {
  EXPECT_EQ(text_of(full()), R"(plan for luma-loyalty (manifests/luma.yaml)
  organisation 1234@AdobeOrg, sandbox prod
  as of export 2026-01-02T04:00:00Z (8 h old)
  digest DIGEST

attention
  warning a warning
  note    a note

refresh (our own staging, needs no approval)
  run     export/job: none that can be used yet

changes
  create  dataset/target: does not exist
  ingest  membership/people: 8 people changed

memberships
  audience                          before      after  +entered     -left
  Gold                                  40         44        +5        -1
  Größe                                  7          7        +0        -0

8 people written (5 new, 1 leave everything), 2048 bytes; 3 of 100 exported rows
unusable (1 without person id, 2 over-long, 0 not UTF-8)

2 changes; next: audiencesync apply manifests/luma.yaml
)");
}

TEST(PlanText, FindingsComeBySeverityAndThenAsFound) {
  auto plan = luma();
  plan.findings = {{Severity::Note, "", "n1"},    {Severity::Refuse, "", "r1"},  {Severity::Warning, "", "w1"},
                   {Severity::Wait, "", "wait1"}, {Severity::Warning, "", "w2"}, {Severity::Refuse, "", "r2"}};
  const auto text = text_of(plan);
  std::size_t last = 0;
  for (const char* each : {"r1", "r2", "wait1", "w1", "w2", "n1"}) {
    const auto found = text.find(each);
    ASSERT_NE(found, std::string::npos) << each;
    EXPECT_GT(found, last) << each;
    last = found;
  }
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

TEST(PlanText, NoLineIsLongerThanEightyColumns) {
  auto plan = full();
  std::string umlauts;
  for (int i = 0; i < 120; ++i) umlauts += "ü";
  plan.sync = std::string(200, 's');
  plan.organization = std::string(90, '1') + "@AdobeOrg";
  plan.findings.push_back({Severity::Refuse, "", "words and " + umlauts + " and words " + std::string(300, 'x')});
  plan.changes[0].reason = umlauts + " " + umlauts;
  plan.audiences[0] = {"A1", umlauts, 9'999'999'999, 9'999'999'999, 9'999'999'999, 9'999'999'999};

  std::string text = plan_text(plan, kNow);

  EXPECT_TRUE(to_json(Value(text)).find("\xEF\xBF\xBD") == std::string::npos) << "no character was cut in two";
  std::size_t lines = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
    EXPECT_LE(columns(text.substr(0, end)), 80U) << text.substr(0, end);
    text.erase(0, end + 1);
    ++lines;
  }
  EXPECT_GT(lines, 20U);
}

TEST(PlanText, ANameIsCutToItsColumnAtACharacter) {
  auto plan = full();
  std::string exact;
  for (int i = 0; i < 30; ++i) exact += "é";
  plan.audiences = {{"A1", exact, 1, 1, 0, 0}, {"A2", exact + "é", 1, 1, 0, 0}};
  const auto text = text_of(plan);
  EXPECT_THAT(text, HasSubstr("  " + exact + " "));
  EXPECT_THAT(text, HasSubstr("  " + exact.substr(0, 58) + "~ "));
}

TEST(PlanText, WhatToTypeStaysInOnePiece) {
  auto plan = full();
  plan.file = "/srv/" + std::string(120, 'm') + ".yaml";
  EXPECT_THAT(text_of(plan), HasSubstr("2 changes; next:\n  audiencesync apply " + plan.file + "\n"));
}

TEST(PlanText, ANameCannotCommandTheTerminalOrBreakTheTable) {
  auto plan = full();
  plan.audiences[0].name = "Gold\x1B[2J\nfake row";
  plan.findings[1].text = "audience 'Gold\r\x1B[31m' is held";
  const auto text = text_of(plan);
  EXPECT_THAT(text, Not(HasSubstr("\x1B")));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
  EXPECT_THAT(text, HasSubstr("Gold [2J fake row"));
}

struct AgeCase {
  const char* name;
  Duration age;
  const char* text;
};

class AgeText : public testing::TestWithParam<AgeCase> {};

TEST_P(AgeText, UsesTheLargestReadableUnit) { EXPECT_EQ(age_text(GetParam().age), GetParam().text); }

using std::chrono::hours;
using std::chrono::seconds;

INSTANTIATE_TEST_SUITE_P(
    Table, AgeText,
    testing::Values(AgeCase{"none", seconds(0), "0 s"}, AgeCase{"from_the_future", seconds(-5), "0 s"},
                    AgeCase{"below_a_second", Duration(999), "0 s"}, AgeCase{"seconds", seconds(119), "119 s"},
                    AgeCase{"minutes", seconds(120), "2 min"}, AgeCase{"many_minutes", seconds(7199), "119 min"},
                    AgeCase{"hours", hours(2), "2 h"}, AgeCase{"many_hours", seconds(48 * 3600 - 1), "47 h"},
                    AgeCase{"days", hours(48), "2 d"}, AgeCase{"many_days", hours(24 * 90), "90 d"}),
    [](const auto& tested) { return std::string(tested.param.name); });

struct InputCase {
  const char* name;
  std::function<void(Plan&)> change;
};

class DigestInput : public testing::TestWithParam<InputCase> {};
class NoDigestInput : public testing::TestWithParam<InputCase> {};

TEST_P(DigestInput, ChangesTheDigest) {
  auto plan = full();
  GetParam().change(plan);
  EXPECT_NE(plan.digest(), full().digest());
}

TEST_P(NoDigestInput, LeavesTheDigestAsItIs) {
  auto plan = full();
  GetParam().change(plan);
  EXPECT_EQ(plan.digest(), full().digest());
}

INSTANTIATE_TEST_SUITE_P(
    Table, DigestInput,
    testing::Values(InputCase{"uid", [](Plan& plan) { plan.uid = "other"; }},
                    InputCase{"definition", [](Plan& plan) { plan.definition = "other"; }},
                    InputCase{"source", [](Plan& plan) { plan.source = "E3"; }},
                    InputCase{"base", [](Plan& plan) { plan.base = "other"; }},
                    InputCase{"known", [](Plan& plan) { plan.known = false; }},
                    InputCase{"order_of_changes", [](Plan& plan) { std::swap(plan.changes[0], plan.changes[1]); }},
                    InputCase{"a_change_less", [](Plan& plan) { plan.changes.pop_back(); }},
                    InputCase{"key", [](Plan& plan) { plan.changes[0].key.name = "other"; }},
                    InputCase{"action", [](Plan& plan) { plan.changes[0].action = Action::Update; }},
                    InputCase{"field", [](Plan& plan) { plan.changes[0].after["x"] = Value(1); }},
                    InputCase{"version", [](Plan& plan) { plan.changes[0].expected_version = "13"; }},
                    InputCase{"content", [](Plan& plan) { plan.changes[1].bulk->content = "other"; }},
                    InputCase{"people", [](Plan& plan) { plan.changes[1].bulk->people = 9; }}),
    [](const auto& tested) { return std::string(tested.param.name); });

INSTANTIATE_TEST_SUITE_P(Table, NoDigestInput,
                         testing::Values(InputCase{"findings", [](Plan& plan) { plan.findings.clear(); }},
                                         InputCase{"age_of_the_export", [](Plan& plan) { plan.source_created = kNow; }},
                                         InputCase{"refresh_writes", [](Plan& plan) { plan.refresh.clear(); }},
                                         InputCase{"name_of_the_file",
                                                   [](Plan& plan) { plan.file = "elsewhere.yaml"; }}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(PlanValue, ReadsBackAsItWasWritten) {
  const auto value = full().to_value();
  const auto read = parse_json(to_json(value));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(*read, value);
  for (std::size_t i = 0; i < full().changes.size(); ++i) {
    const auto change = Change::from_value(read->items("changes")[i]);
    ASSERT_TRUE(change.ok());
    EXPECT_EQ(to_json(change->to_value()), to_json(full().changes[i].to_value()));
  }
}

TEST(PlanValue, EqualPlansAreEqualBytes) {
  EXPECT_EQ(to_json(full().to_value()), to_json(full().to_value()));
  EXPECT_EQ(plan_text(full(), kNow), plan_text(full(), kNow));
}

}  // namespace
}  // namespace audiencesync
