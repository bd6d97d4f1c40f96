#include "engine/report/plan_text.h"

#include <gmock/gmock.h>

#include <functional>

#include "engine/base/json.h"
#include "engine/report/text_layout.h"
#include "tests/report/plan_fixtures.h"

namespace audiencesync {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Time kNow = testing::kPlanNow;

Plan luma() { return testing::luma_plan(); }
Plan full() { return testing::full_plan(); }

// The digest is told by its own tests.
std::string text_of(const Plan& plan, Purpose purpose = Purpose::Review) {
  auto text = plan_text(plan, kNow, purpose);
  const auto digest = plan.digest().substr(0, 16);
  for (auto at = text.find(digest); at != std::string::npos; at = text.find(digest)) {
    text.replace(at, digest.size(), "DIGEST");
  }
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
  for      organisation 1234@AdobeOrg, sandbox prod
  digest   DIGEST
  inputs   export 2026-01-02T04:00:00Z (8 h old)
  guards   passed

attention
  warning  audience Gold is held

nothing to do
)");
}

TEST(PlanText, AHoldIsNeverHiddenByNothingToDo) {
  auto plan = luma();
  plan.hold = Hold{kNow, kNow, "", ""};
  EXPECT_THAT(text_of(plan), HasSubstr("  held     this plan is held since"));
}

TEST(PlanText, ARefusalSaysWhatToSettle) {
  auto plan = luma();
  plan.findings = {{Severity::Refuse, "another-writer", "batch B1 was not written by us"}};
  EXPECT_EQ(text_of(plan), R"(plan for luma-loyalty (manifests/luma.yaml)
  for      organisation 1234@AdobeOrg, sandbox prod
  digest   DIGEST
  inputs   export 2026-01-02T04:00:00Z (8 h old)
  guards   not judged

attention
  refuse   batch B1 was not written by us

refused: nothing is applied until what stands above is settled
)");
}

TEST(PlanText, WaitingForAnExportNamesTheNextCommand) {
  auto plan = luma();
  plan.source_created.reset();
  plan.known = false;
  plan.findings = {{Severity::Wait, "known-after-export", "there is no export that can be used"}};
  EXPECT_EQ(text_of(plan), R"(plan for luma-loyalty (manifests/luma.yaml)
  for      organisation 1234@AdobeOrg, sandbox prod
  digest   DIGEST
  inputs   no export yet that can be used
  guards   known after the export

attention
  wait     there is no export that can be used

memberships are known after the export; next:
  audiencesync apply manifests/luma.yaml
)");
}

TEST(PlanText, AnOlderPlanWithoutStagesStillGroupsItsChanges) {
  EXPECT_EQ(text_of(full()), R"(plan for luma-loyalty (manifests/luma.yaml)
  for      organisation 1234@AdobeOrg, sandbox prod
  digest   DIGEST
  inputs   export 2026-01-02T04:00:00Z (8 h old)
  guards   passed

attention
  warning  a warning
  note     a note

resources
  export
    run     export/job: none that can be used yet (our own staging, needs no
            approval)
  dataset
    create  dataset/target: does not exist
  membership
    ingest  membership/people: 8 people changed

memberships
  audience before   after +entered −left    Δ% verdict
  Gold         40 →    44       +5    −1 +10.0 ok
  Größe         7 →     7       +0    −0   0.0 ok

2 changes, 8 people written (5 new, 1 leave all audiences)
next: audiencesync apply manifests/luma.yaml
)");
}

TEST(PlanText, EveryPartHasItsPlace) {
  auto plan = testing::guarded_plan();
  EXPECT_EQ(text_of(plan), R"(plan for luma-loyalty (manifests/luma.yaml)
  for      organisation 1234@AdobeOrg, sandbox prod
  commit   3f2a9c14d5e6
  digest   DIGEST
  inputs   export 2026-01-02T04:00:00Z (8 h old)
  guards   1 tripped

attention
  guard    audience 'Luma - Blue+ Members' would be emptied: 1234567 people
           before, none after; the limit is guard.allow_empty_audience
           if the numbers are right, this lets exactly this plan through, once:
           audiencesync approve DIGEST --reason "..."
  warning  a warning
  warning  luma.yaml:9:5: audience 'Größe' (A2): it does not exist; its
           memberships stay as they are; remove the entry to withdraw them
  held     this plan is held since 2026-01-02T05:00:00Z (7 h) with its export;
           without an approval it lapses 2026-01-03T05:00:00Z
  person   connection/dataset: the dataset is in no connection, so analysts do
           not see it
            1. In Customer Journey Analytics open Data management, then
               Connections, and choose 'Luma' (dg_1)
            2. Add dataset 65f1a2b3c4d5e6f708192a3b and choose person id
               'personID'
            3. Switch on 'Import all new data' and save
  note     a note

resources
  audiences   in sync
  export      1 change
    run     export/job: none that can be used yet (our own staging, needs no
            approval)
  schema      in sync
  dataset     1 change
    create  dataset/target: does not exist
  membership  1 change
    ingest  membership/people: 8 people changed
  connection  1 person action
    person  connection/dataset (steps above)
  data-view   skipped: no data_view is declared
  report      pending until 2026-01-02T15:00:00Z

memberships
  audience                before   after +entered      −left     Δ% runs verdict
  Luma - Blue+ Members 1,234,567 →     0       +0 −1,234,567 −100.0 ▃▄▆▅ guard
  Größe                        7 →     7       +0         −0    0.0 ▅▅▅▅ held
  Neu                          0 →    12      +12         −0    new      ok

samples (masked)
  new      a***@x***.io   +Luma - Blue+ Members
  changed  b***@y***.de   +Neu; −Größe
  leaves   c***@z***.com  −Luma - Blue+ Members, −Größe

cost
  24,567 rows, 9.9 MB, less than 0.1 % of what may be ingested in an hour
  at least 6 write calls
  in Customer Journey Analytics about 90 min to 3 h after the apply

2 changes, 8 people written (5 new, 1 leave all audiences), 1 step for a person
refused by a guard; if this is what should happen:
  audiencesync approve DIGEST --reason "..."
)");
}

TEST(PlanText, WhileApplyingNobodyIsToldToApply) {
  for (const auto& plan : {full(), testing::rich_plan(), testing::guarded_plan()}) {
    const auto text = text_of(plan, Purpose::Applying);
    EXPECT_THAT(
        text, AllOf(HasSubstr("2 changes, 8 people written"), Not(HasSubstr("audiencesync ")), Not(HasSubstr("next"))));
  }
}

struct NextCase {
  const char* name;
  std::function<void(Plan&)> change;
  const char* end;
};

class PlanNext : public ::testing::TestWithParam<NextCase> {};

TEST_P(PlanNext, IsTheLastThingSaid) {
  auto plan = full();
  GetParam().change(plan);
  EXPECT_THAT(text_of(plan), ::testing::EndsWith(GetParam().end));
}

const Hold kHeld{kNow, kNow + std::chrono::hours(24), "", ""};

INSTANTIATE_TEST_SUITE_P(
    Table, PlanNext,
    ::testing::Values(NextCase{"changes", [](Plan&) {}, "\nnext: audiencesync apply manifests/luma.yaml\n"},
                      NextCase{
                          "only_steps", [](Plan& plan) { plan.changes = {testing::person_change()}; },
                          "\n1 step for a person\nwhen the steps are done: audiencesync apply manifests/luma.yaml\n"},
                      NextCase{"held", [](Plan& plan) { plan.hold = kHeld; },
                               "\nwaits for an approval; next:\n  audiencesync approve DIGEST --reason \"...\"\n"},
                      NextCase{"approved",
                               [](Plan& plan) {
                                 plan.hold = kHeld;
                                 plan.hold->approved_by = "ada";
                               },
                               "\nnext: audiencesync apply manifests/luma.yaml\n"},
                      NextCase{"a_guard_and_a_refusal",
                               [](Plan& plan) {
                                 plan.findings.push_back({Severity::Guard, "guard", "g"});
                                 plan.findings.push_back({Severity::Refuse, "r", "r"});
                               },
                               "\nrefused: nothing is applied until what stands above is settled\n"},
                      NextCase{"a_name_for_the_shell", [](Plan& plan) { plan.file = "my plans/it's.yaml"; },
                               "\nnext: audiencesync apply 'my plans/it'\\''s.yaml'\n"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(PlanText, AnApprovalIsToldWithItsNameAndReason) {
  auto plan = full();
  plan.findings = {{Severity::Note, "guard", "audience 'Gold' would be emptied; let through by ada: campaign ended"}};
  plan.hold = kHeld;
  plan.hold->approved_by = "ada";
  plan.hold->reason = "campaign ended";
  EXPECT_THAT(text_of(plan), AllOf(HasSubstr("  guards   let through by ada\n"),
                                   HasSubstr("  approved by ada: campaign ended; the next apply executes"),
                                   Not(HasSubstr("audiencesync approve"))));
}

TEST(PlanText, ColoursNeverMoveAColumn) {
  for (const auto& plan : {full(), testing::rich_plan(), testing::guarded_plan(), luma()}) {
    auto text = plan_text(plan, kNow, Purpose::Review, Style::Colour);
    EXPECT_EQ(text.find("\x1b[") != std::string::npos, !plan.empty());
    for (auto at = text.find("\x1b["); at != std::string::npos; at = text.find("\x1b[")) {
      text.erase(at, text.find('m', at) + 1 - at);
    }
    EXPECT_EQ(text, plan_text(plan, kNow));
  }
}

TEST(PlanText, AnAudienceThatIsEmptiedWithoutAGuardIsNamedSo) {
  auto plan = full();
  plan.audiences = {{"A1", "Gold", 5, 0, 0, 5}, {"A2", "Silver", 5, 0, 0, 5}};
  plan.findings = {{Severity::Note, "audience-withdrawn", "audience 'Silver' (A2) is no longer declared"}};
  const auto text = text_of(plan);
  EXPECT_THAT(text, HasSubstr("−100.0 emptied\n"));
  EXPECT_THAT(text, HasSubstr("−100.0 withdrawn\n"));
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

TEST(PlanText, NoLineIsLongerThanEightyColumns) {
  auto plan = testing::guarded_plan();
  std::string umlauts;
  for (int i = 0; i < 120; ++i) umlauts += "ü";
  plan.sync = std::string(200, 's');
  plan.organization = std::string(90, '1') + "@AdobeOrg";
  plan.findings.push_back({Severity::Refuse, "", "words and " + umlauts + " and words " + std::string(300, 'x')});
  plan.changes[0].reason = umlauts + " " + umlauts;
  plan.audiences[0] = {"A1", umlauts, 9'999'999'999, 9'999'999'999, 9'999'999'999, 9'999'999'999};
  plan.audiences[1] = {"A2", "会員会員会員会員会員会員会員会員会員会員", 1, UINT64_MAX / 4, UINT64_MAX / 4, 0};
  plan.history["A1"] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  plan.samples[0] = {"changed", umlauts, {umlauts, umlauts}, {umlauts}};
  plan.stages[0] = {umlauts, umlauts + " " + umlauts};
  plan.changes[2].reason = umlauts;
  plan.changes[2].steps = {umlauts + " " + umlauts, std::string(200, 'y')};
  plan.commit = std::string(100, 'c');
  plan.cost.bytes = UINT64_MAX / 4;
  plan.cost.records = UINT64_MAX / 4;

  std::string text = plan_text(plan, kNow);

  EXPECT_TRUE(to_json(Value(text)).find("\xEF\xBF\xBD") == std::string::npos) << "no character was cut in two";
  std::size_t lines = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
    EXPECT_LE(columns_of(text.substr(0, end)), 80U) << text.substr(0, end);
    text.erase(0, end + 1);
    ++lines;
  }
  EXPECT_GT(lines, 20U);
}

TEST(PlanText, ANameIsCutToItsColumnAtACharacter) {
  auto plan = full();
  std::string exact;
  for (int i = 0; i < 34; ++i) exact += "é";
  plan.audiences = {{"A1", exact + "éé", 1, 1, 0, 0}, {"A2", exact + "ééé", 1, 1, 0, 0}};
  const auto text = text_of(plan);
  EXPECT_THAT(text, HasSubstr("  " + exact + "éé "));
  EXPECT_THAT(text, HasSubstr("  " + exact + "é~ "));
}

TEST(PlanText, FiguresAreShortenedBeforeANameGetsTooNarrow) {
  auto plan = full();
  plan.audiences = {{"A1", "Customers of the last year", 1'234'567'890, 1'234'567'999, 2'345'678'901, 2'345'678'792}};
  plan.history["A1"] = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THAT(text_of(plan),
              HasSubstr("  Customers of the last year   1.2G →  1.2G    +2.3G −2.3G +0.0 ▁▂▃▄▅▆▇█ ok\n"));
}

TEST(PlanText, WhatToTypeStaysInOnePiece) {
  auto plan = full();
  plan.file = "/srv/" + std::string(120, 'm') + ".yaml";
  EXPECT_THAT(text_of(plan), HasSubstr("\nnext:\n  audiencesync apply " + plan.file + "\n"));
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

class AgeText : public ::testing::TestWithParam<AgeCase> {};

TEST_P(AgeText, UsesTheLargestReadableUnit) { EXPECT_EQ(age_text(GetParam().age), GetParam().text); }

using std::chrono::hours;
using std::chrono::seconds;

INSTANTIATE_TEST_SUITE_P(
    Table, AgeText,
    ::testing::Values(AgeCase{"none", seconds(0), "0 s"}, AgeCase{"from_the_future", seconds(-5), "0 s"},
                      AgeCase{"below_a_second", Duration(999), "0 s"}, AgeCase{"seconds", seconds(119), "119 s"},
                      AgeCase{"minutes", seconds(120), "2 min"}, AgeCase{"many_minutes", seconds(7199), "119 min"},
                      AgeCase{"hours", hours(2), "2 h"}, AgeCase{"many_hours", seconds(48 * 3600 - 1), "47 h"},
                      AgeCase{"days", hours(48), "2 d"}, AgeCase{"many_days", hours(24 * 90), "90 d"}),
    [](const auto& tested) { return std::string(tested.param.name); });

struct InputCase {
  const char* name;
  std::function<void(Plan&)> change;
};

class DigestInput : public ::testing::TestWithParam<InputCase> {};
class NoDigestInput : public ::testing::TestWithParam<InputCase> {};

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
    ::testing::Values(InputCase{"uid", [](Plan& plan) { plan.uid = "other"; }},
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

INSTANTIATE_TEST_SUITE_P(
    Table, NoDigestInput,
    ::testing::Values(InputCase{"findings", [](Plan& plan) { plan.findings.clear(); }},
                      InputCase{"age_of_the_export", [](Plan& plan) { plan.source_created = kNow; }},
                      InputCase{"refresh_writes", [](Plan& plan) { plan.refresh.clear(); }},
                      InputCase{"name_of_the_file", [](Plan& plan) { plan.file = "elsewhere.yaml"; }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(PlanValue, ReadsBackAsItWasWritten) {
  const auto value = full().to_value();
  const auto read = parse_json(to_json(value));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(to_json(*read), to_json(value));
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
