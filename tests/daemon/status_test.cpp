#include "daemon/status_text.h"

#include <gmock/gmock.h>

#include <sstream>

#include "daemon/history_text.h"
#include "engine/base/json.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Time kStatusNow = *parse_time("2026-01-02T12:00:00Z");

Time at(const char* text) { return *parse_time(text); }

RunRecord run(std::int64_t id, const char* ended, const char* verdict) {
  RunRecord record;
  record.id = id;
  record.uid = "luma";
  record.started = at(ended) - std::chrono::minutes(2);
  record.ended = at(ended);
  record.verdict = verdict;
  record.manifest = Value::Object{{"name", "luma-loyalty"}, {"uid", "luma"}};
  record.summary = Value::Object{{"applied", 0}, {"pending", 0}};
  return record;
}

RunRecord waiting(RunRecord record) {
  record.summary["waiting"] = Value::Array{"connection/dataset: the dataset is in no connection"};
  return record;
}

SyncRecords records_of(std::vector<RunRecord> runs) {
  SyncRecords records;
  records.uid = "luma";
  records.name = "luma-loyalty";
  records.runs = std::move(runs);
  return records;
}

HeldPlan held(HoldState state = HoldState::Held) {
  HeldPlan plan;
  plan.uid = "luma";
  plan.digest = std::string(16, '7') + std::string(48, '0');
  plan.since = at("2026-01-02T05:00:00Z");
  plan.until = at("2026-01-03T05:00:00Z");
  plan.state = state;
  return plan;
}

SyncRecords complete() {
  auto last = waiting(run(13, "2026-01-02T04:00:00.123Z", "waiting"));
  last.summary["report"] = "pending until 2026-01-02T07:00:00Z";
  auto records = records_of(
      {last, waiting(run(12, "2026-01-01T04:00:00Z", "waiting")), run(11, "2025-12-31T04:00:00Z", "converged")});
  records.snapshot = SnapshotRecord{};
  records.snapshot->dataset = "65f1a2b3c4d5e6f708192a3b";
  records.snapshot->generation = 5;
  records.snapshot->batch = "01HQ";
  records.snapshot->proven = at("2026-01-02T03:59:00Z");
  records.quarantined = 3;
  return records;
}

TEST(StatusText, SaysWhatWaitsForWhomAndSinceWhen) {
  auto records = complete();
  EXPECT_EQ(status_text(records, kStatusNow), R"(luma-loyalty (uid luma): waits for a person; all else is in sync
  last run   2026-01-02T04:00:00Z (7 h ago), run 13: waiting
  converged  2025-12-31T04:00:00Z (2 d ago)
  proven     2026-01-02T03:59:00Z (8 h ago): generation 5 in batch 01HQ of
             dataset 65f1a2b3c4d5e6f708192a3b
  report     pending until 2026-01-02T07:00:00Z
  person     connection/dataset: the dataset is in no connection (waiting 32 h)
  quarantine 3 people
)");
}

TEST(StatusText, AHeldPlanComesWithTheLineThatLetsItThrough) {
  auto records = complete();
  records.plans = {held()};
  EXPECT_THAT(status_text(records, kStatusNow),
              AllOf(HasSubstr("luma-loyalty (uid luma): waits for an approval\n"),
                    HasSubstr("  approval   plan 7777777777777777 is held since 2026-01-02T05:00:00Z (7 h ago)\n"
                              "             and lapses 2026-01-03T05:00:00Z:\n"
                              "             audiencesync approve 7777777777777777 --reason \"...\"\n")));
}

TEST(StatusText, AnApprovedPlanSaysWhoAndWhy) {
  auto records = complete();
  records.plans = {held(HoldState::Approved)};
  records.plans[0].by = "ada";
  records.plans[0].reason = "campaign ended";
  EXPECT_THAT(status_text(records, kStatusNow),
              AllOf(HasSubstr("approved; the next apply executes the plan\n"),
                    HasSubstr("  approved   plan 7777777777777777 by ada: campaign ended; lapses"),
                    Not(HasSubstr("audiencesync approve"))));
}

struct ConditionCase {
  const char* name;
  SyncRecords records;
  Condition condition;
};

SyncRecords with_open_change() {
  auto records = complete();
  records.open.push_back({1, 13, {}});
  records.plans = {held()};
  return records;
}

SyncRecords without_end() {
  auto records = complete();
  records.runs.front().ended.reset();
  records.runs.front().verdict.clear();
  return records;
}

SyncRecords with_plan(HoldState state, const char* until = "2026-01-03T05:00:00Z") {
  auto records = records_of({run(13, "2026-01-02T04:00:00Z", "refused")});
  records.plans = {held(state)};
  records.plans[0].until = at(until);
  return records;
}

class StatusCondition : public ::testing::TestWithParam<ConditionCase> {};

TEST_P(StatusCondition, IsTheFirstThatApplies) {
  const auto& tested = GetParam();
  EXPECT_EQ(condition_of(tested.records, kStatusNow), tested.condition);
  EXPECT_EQ(status_value(tested.records, kStatusNow).text("condition"), word_of(tested.condition));
}

INSTANTIATE_TEST_SUITE_P(
    Table, StatusCondition,
    ::testing::Values(
        ConditionCase{"never_ran", records_of({}), Condition::NeverRan},
        ConditionCase{"open_change", with_open_change(), Condition::Interrupted},
        ConditionCase{"run_without_end", without_end(), Condition::Interrupted},
        ConditionCase{"held", with_plan(HoldState::Held), Condition::WaitsForApproval},
        ConditionCase{"approved", with_plan(HoldState::Approved), Condition::Approved},
        ConditionCase{"past_its_time", with_plan(HoldState::Held, "2026-01-02T06:00:00Z"), Condition::Refused},
        ConditionCase{"rejected", with_plan(HoldState::Rejected), Condition::Refused},
        ConditionCase{"in_sync", records_of({run(1, "2026-01-02T04:00:00Z", "converged")}), Condition::InSync},
        ConditionCase{"drifted", records_of({run(1, "2026-01-02T04:00:00Z", "pending")}), Condition::Drifted},
        ConditionCase{"person", complete(), Condition::WaitsForPerson},
        ConditionCase{"approval_that_no_longer_stands", records_of({run(1, "2026-01-02T04:00:00Z", "waiting")}),
                      Condition::Drifted},
        ConditionCase{"not_finished", records_of({run(1, "2026-01-02T04:00:00Z", "not_finished")}),
                      Condition::NotFinished},
        ConditionCase{"failed", records_of({run(1, "2026-01-02T04:00:00Z", "failed")}), Condition::Failed},
        ConditionCase{"a_verdict_of_a_later_version", records_of({run(1, "2026-01-02T04:00:00Z", "odd")}),
                      Condition::Failed}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(StatusText, AFailedRunDoesNotForgetWhatWaits) {
  auto records = complete();
  records.runs.insert(records.runs.begin(), run(14, "2026-01-02T05:00:00Z", "failed"));
  records.runs.front().summary["error"] = "the token was refused";
  EXPECT_THAT(
      status_text(records, kStatusNow),
      AllOf(HasSubstr(": failed\n"), HasSubstr("  error      the token was refused\n"), HasSubstr("(waiting 32 h)")));
}

TEST(StatusText, AStepThatWasDoneInBetweenWaitsSinceItCameBack) {
  const auto records =
      records_of({waiting(run(14, "2026-01-02T11:00:00Z", "waiting")), run(13, "2026-01-02T04:00:00Z", "converged"),
                  waiting(run(12, "2026-01-01T04:00:00Z", "waiting"))});
  const auto steps = waiting_for_person(records);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(to_iso8601(steps[0].since), "2026-01-02T11:00:00Z");
}

TEST(StatusText, ASyncThatIsDoneWaitsForNobody) {
  EXPECT_THAT(waiting_for_person(records_of(
                  {run(13, "2026-01-02T04:00:00Z", "converged"), waiting(run(12, "2026-01-01T04:00:00Z", "waiting"))})),
              IsEmpty());
}

TEST(StatusText, StaysWithinEightyColumns) {
  auto records = with_open_change();
  records.name = std::string(100, 'n');
  records.runs[0].summary["error"] = std::string(90, 'e') + " " + std::string(300, 'f');
  records.plans[0].reason = std::string(200, 'r');
  std::istringstream lines(status_text(records, kStatusNow) + history_text(records));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns_of(line), kTextWidth) << line;
}

TEST(StatusValue, HasTheSameForAMonitor) {
  auto records = complete();
  records.plans = {held()};
  const auto value = status_value(records, kStatusNow);
  EXPECT_EQ(value.text("sync"), "luma");
  EXPECT_EQ(value.text("name"), "luma-loyalty");
  EXPECT_EQ(value.find("proven")->text("at"), "2026-01-02T03:59:00Z");
  EXPECT_EQ(value.text("last_success"), "2025-12-31T04:00:00Z");
  EXPECT_EQ(value.text("report"), "pending until 2026-01-02T07:00:00Z");
  EXPECT_EQ(value.find("held_plan")->text("state"), "held");
  EXPECT_EQ(value.items("waiting")[0].text("since"), "2026-01-01T04:00:00Z");
  EXPECT_EQ(value.number("quarantined"), 3);
}

SyncRecords story() {
  auto applied = run(13, "2026-01-02T06:00:00Z", "converged");
  applied.summary =
      Value::Object{{"applied", 1},      {"people", 1234},       {"bytes", 9'876'543},         {"entered", 20'000},
                    {"left", 1'234'567}, {"approved_by", "ada"}, {"reason", "campaign ended"}, {"report", "verified"}};
  auto refused = run(12, "2026-01-02T05:00:00Z", "refused");
  auto failed = run(11, "2026-01-01T04:00:00Z", "not_finished");
  failed.summary = Value::Object{{"error", "export job E1 still runs"}};
  auto old = run(10, "2025-12-31T04:00:00Z", "converged");
  old.summary = Value();
  auto records = records_of({applied, refused, failed, old});
  records.plans = {held(HoldState::Applied)};
  records.plans[0].decided = at("2026-01-02T06:00:00Z");
  records.plans[0].by = "ada";
  records.plans[0].reason = "campaign ended";
  return records;
}

TEST(HistoryText, IsNewestFirstWithWhoApprovedWhatBetween) {
  EXPECT_EQ(history_text(story()), R"(luma-loyalty
  run   ended                verdict      changes people    bytes +entered −left
  13    2026-01-02T06:00:00Z converged          1   1234   9.9 MB   +20000 −1.2M
        approved by ada: campaign ended
        report: verified
  plan  2026-01-02T06:00:00Z 7777777777777777 applied; approved by ada: campaign
                             ended
  12    2026-01-02T05:00:00Z refused            0
  plan  2026-01-02T05:00:00Z 7777777777777777 held for an approval until
                             2026-01-03T05:00:00Z
  11    2026-01-01T04:00:00Z not finished
        error: export job E1 still runs
  10    2025-12-31T04:00:00Z converged
)");
}

TEST(HistoryText, RunsWithinASecondStandInTheOrderTheyWereMade) {
  const auto text = history_text(
      records_of({run(13, "2026-01-02T06:00:00Z", "converged"), run(12, "2026-01-02T06:00:01Z", "pending")}));
  EXPECT_LT(text.find("  13 "), text.find("  12 "));
}

TEST(HistoryText, APlanThatWasOnlyShownIsNoNews) {
  auto records = records_of({run(13, "2026-01-02T06:00:00Z", "converged")});
  records.plans = {held(HoldState::Offered)};
  EXPECT_THAT(history_text(records), Not(HasSubstr("plan")));
}

TEST(HistoryText, ARejectedPlanSaysBothWhenAndWhy) {
  auto records = records_of({run(12, "2026-01-01T05:00:00Z", "refused")});
  records.plans = {held(HoldState::Rejected)};
  records.plans[0].decided = at("2026-01-02T07:00:00Z");
  records.plans[0].by = "ada";
  records.plans[0].reason = "wrong audience";
  EXPECT_THAT(history_text(records),
              HasSubstr("2026-01-02T07:00:00Z 7777777777777777 rejected by ada: wrong audience"));
}

TEST(HistoryValue, HasRunsAndPlans) {
  const auto value = history_value(story());
  ASSERT_EQ(value.items("runs").size(), 4U);
  EXPECT_EQ(value.items("runs")[0].number("id"), 13);
  EXPECT_EQ(value.items("runs")[0].find("summary")->text("approved_by"), "ada");
  ASSERT_EQ(value.items("plans").size(), 1U);
  EXPECT_EQ(value.items("plans")[0].text("reason"), "campaign ended");
}

}  // namespace
}  // namespace audiencesync
