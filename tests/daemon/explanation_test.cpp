#include "daemon/explanation.h"

#include <gmock/gmock.h>

#include <sstream>

#include "engine/base/json.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Time kExplainedNow = *parse_time("2026-01-02T12:00:00Z");

SyncRecords luma() {
  SyncRecords records;
  records.uid = "luma";
  records.name = "luma-loyalty";
  RunRecord run;
  run.id = 3;
  run.ended = *parse_time("2026-01-02T04:00:00Z");
  run.verdict = "converged";
  run.manifest = Value::Object{
      {"name", "luma-loyalty"},
      {"source", Value::Object{{"statuses", Value::Array{"realized", "existing"}}}},
      {"identity", Value::Object{{"normalize", "lower"}}},
      {"audiences", Value::Array{Value::Object{{"id", "A1"}, {"name", "Gold"}, {"namespace", "ups"}},
                                 Value::Object{{"id", nullptr}, {"name", "Silver"}, {"namespace", "ups"}}}}};
  run.summary =
      Value::Object{{"memberships", Value::Array{Value::Object{{"id", "A1"}, {"name", "Gold"}, {"people", 7}},
                                                 Value::Object{{"id", "A2"}, {"name", "Silver"}, {"people", 1}},
                                                 Value::Object{{"id", "A9"}, {"name", "Old"}, {"people", 1}}}},
                    {"report", "verified"}};
  records.runs = {run};
  records.snapshot = SnapshotRecord{};
  records.snapshot->generation = 5;
  records.snapshot->batch = "01HQ";
  records.snapshot->dataset = "65f1";
  records.snapshot->proven = *parse_time("2026-01-02T03:59:00Z");
  return records;
}

PersonFacts ada() {
  PersonFacts facts;
  facts.person = PersonId("Ada.Lovelace@example.com");
  facts.normalized = PersonId("ada.lovelace@example.com");
  facts.normalize = "lower";
  facts.batches = "E1";
  facts.exported = PersonInExport{true, {{"A1", "realized"}, {"A2", "exited"}, {"X", "realized"}}};
  facts.snapshot = PersonInSnapshot{true, {"A1"}};
  return facts;
}

struct VerdictCase {
  const char* name;
  std::function<void(PersonFacts&, SyncRecords&)> change;
  PersonVerdict gold;
  const char* why;
};

class ExplainGold : public ::testing::TestWithParam<VerdictCase> {};

TEST_P(ExplainGold, SaysWhy) {
  auto facts = ada();
  auto records = luma();
  GetParam().change(facts, records);
  const auto audiences = explain_audiences(records, facts, kExplainedNow);
  ASSERT_GE(audiences.size(), 2U);
  EXPECT_EQ(audiences[0].name, "Gold");
  EXPECT_EQ(audiences[0].verdict, GetParam().gold);
  EXPECT_THAT(audiences[0].why, HasSubstr(GetParam().why));
}

HeldPlan held_plan() {
  HeldPlan plan;
  plan.digest = std::string(64, '7');
  plan.until = kExplainedNow + std::chrono::hours(1);
  return plan;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ExplainGold,
    ::testing::Values(
        VerdictCase{"in", [](auto&, auto&) {}, PersonVerdict::In, "the export says 'realized', and it is proven"},
        VerdictCase{"enters", [](auto& facts, auto&) { facts.snapshot->audiences.clear(); }, PersonVerdict::Enters,
                    "enters with the next apply"},
        VerdictCase{"enters_when_nothing_is_proven_yet", [](auto& facts, auto&) { facts.snapshot.reset(); },
                    PersonVerdict::Enters, "enters with the next apply"},
        VerdictCase{"waits_for_an_approval",
                    [](auto& facts, auto& records) {
                      facts.snapshot->audiences.clear();
                      records.plans = {held_plan()};
                    },
                    PersonVerdict::Enters, "when plan 7777777777777777 is approved and applied"},
        VerdictCase{"rejected_record",
                    [](auto& facts, auto&) {
                      facts.snapshot->audiences.clear();
                      facts.quarantined = "not an email";
                    },
                    PersonVerdict::Enters, "the platform rejected this person's record, so it stays as it is: not an"},
        VerdictCase{"exited", [](auto& facts, auto&) { facts.exported->statuses["A1"] = "exited"; },
                    PersonVerdict::Leaves,
                    "says 'exited', and only realized or existing counts (source.statuses); leaves"},
        VerdictCase{"never_there",
                    [](auto& facts, auto&) {
                      facts.exported->statuses.erase("A1");
                      facts.snapshot->audiences.clear();
                    },
                    PersonVerdict::Out, "the export has this person without this audience"},
        VerdictCase{"unknown_person",
                    [](auto& facts, auto&) {
                      facts.exported = PersonInExport{};
                      facts.snapshot = PersonInSnapshot{};
                    },
                    PersonVerdict::Out, "the export has no such person"},
        VerdictCase{"unusable_id",
                    [](auto& facts, auto&) {
                      facts.unusable = "not UTF-8";
                      facts.snapshot = PersonInSnapshot{};
                    },
                    PersonVerdict::Out, "an id that is not UTF-8 is never written"},
        VerdictCase{"export_not_read", [](auto& facts, auto&) { facts.exported.reset(); }, PersonVerdict::InAsProven,
                    "proven to be written"},
        VerdictCase{"export_not_read_and_not_proven",
                    [](auto& facts, auto&) {
                      facts.exported.reset();
                      facts.snapshot->audiences.clear();
                    },
                    PersonVerdict::OutAsProven, "not in what was proven to be written"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Explanation, ANameIsFoundUnderTheIdItWasPinnedTo) {
  const auto audiences = explain_audiences(luma(), ada(), kExplainedNow);
  ASSERT_EQ(audiences.size(), 2U);
  EXPECT_EQ(audiences[1].id, "A2");
  EXPECT_EQ(audiences[1].status, "exited");
  EXPECT_EQ(audiences[1].verdict, PersonVerdict::Out);
}

TEST(Explanation, AnAudienceThatIsNoLongerDeclaredIsShownWhileThePersonIsInIt) {
  auto facts = ada();
  facts.snapshot->audiences = {"A1", "A9"};
  const auto audiences = explain_audiences(luma(), facts, kExplainedNow);
  ASSERT_EQ(audiences.size(), 3U);
  EXPECT_EQ(audiences[2].name, "Old");
  EXPECT_EQ(audiences[2].verdict, PersonVerdict::Leaves);
  EXPECT_THAT(audiences[2].why, HasSubstr("the manifest no longer declares it; leaves with the next apply"));
}

TEST(Explanation, TheTextFollowsTheWayOfAMembership) {
  EXPECT_EQ(explanation_text(luma(), ada(), kExplainedNow), R"(luma-loyalty: A***@e***.com
  id         identity.normalize: lower changes it before it is compared
  export     has this person, with 3 memberships of any audience (E1)
  snapshot   has this person (generation 5, proven 2026-01-02T03:59:00Z in batch
             01HQ of dataset 65f1)
  analytics  report: verified

  Gold: in it
    the export says 'realized', and it is proven to be written
  Silver: not in it
    the export says 'exited', and only realized or existing counts
    (source.statuses)
)");
}

TEST(Explanation, SomebodyInNothingIsToldThatAnEmptyListIsWritten) {
  auto facts = ada();
  facts.exported->statuses.clear();
  facts.snapshot->audiences.clear();
  EXPECT_THAT(explanation_text(luma(), facts, kExplainedNow),
              AllOf(HasSubstr("has this person in nothing: an empty list is written"), HasSubstr("Gold: not in it"),
                    HasSubstr("Silver: not in it")));
}

TEST(Explanation, NothingOfItRepeatsTheId) {
  auto facts = ada();
  facts.quarantined = "row 7 was refused";
  for (const auto& text :
       {explanation_text(luma(), facts, kExplainedNow), to_json(explanation_value(luma(), facts, kExplainedNow))}) {
    EXPECT_THAT(text, AllOf(Not(HasSubstr("Lovelace")), Not(HasSubstr("lovelace")), HasSubstr("A***@e***.com")));
    std::istringstream lines(text);
  }
  std::istringstream lines(explanation_text(luma(), facts, kExplainedNow));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns_of(line), kTextWidth) << line;
}

TEST(Explanation, TheJsonHasEveryStation) {
  const auto value = explanation_value(luma(), ada(), kExplainedNow);
  EXPECT_EQ(value.number("version"), 1);
  EXPECT_TRUE(value.flag("normalized"));
  EXPECT_TRUE(value.find("export")->flag("found"));
  EXPECT_EQ(value.find("snapshot")->number("generation"), 5);
  EXPECT_EQ(value.find("analytics")->text("report"), "verified");
  ASSERT_EQ(value.items("audiences").size(), 2U);
  EXPECT_EQ(value.items("audiences")[0].text("verdict"), "in");
  EXPECT_EQ(value.items("audiences")[1].text("verdict"), "out");
}

}  // namespace
}  // namespace audiencesync
