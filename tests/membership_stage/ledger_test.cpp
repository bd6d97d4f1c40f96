#include "plugins/membership/ledger.h"

#include <gmock/gmock.h>

#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

platform::Batch batch(std::string id, std::string status = "success") {
  platform::Batch made;
  made.id = std::move(id);
  made.status = std::move(status);
  made.dataset = "D1";
  return made;
}

platform::Batch into(platform::Batch made, std::string successor) {
  made.successor = std::move(successor);
  return made;
}

platform::Batch of(platform::Batch made, std::vector<std::string> predecessors) {
  made.predecessors = std::move(predecessors);
  return made;
}

platform::Batch tagged(platform::Batch made, std::vector<std::string> tags, std::string external_id = "") {
  made.tags["audiencesync"] = std::move(tags);
  made.external_id = std::move(external_id);
  return made;
}

platform::Batch ours(std::string id, std::string status, std::string external_id = "") {
  return tagged(batch(std::move(id), std::move(status)), {"uid:luma", "role:target", "state:s1", "generation:7"},
                std::move(external_id));
}

BatchRecord written(std::string id, bool superseded = false) {
  BatchRecord record;
  record.batch = std::move(id);
  record.dataset = "D1";
  record.relation = "luma/analytics";
  record.generation = 7;
  record.records = 40;
  record.superseded = superseded;
  return record;
}

struct LedgerCase {
  const char* name;
  std::vector<BatchRecord> written;
  std::vector<platform::Batch> seen;
  std::vector<platform::Batch> looked_up = {};  // what the list does not show, or no longer
  bool damaged = false;
  std::vector<std::string> refusals = {};  // ids of batches of other writers
  std::vector<std::string> leftovers = {};
  std::set<std::string> in_flight = {};
  std::vector<std::string> unrecorded = {};
  bool take_over = false;
};

LedgerVerdict check(const LedgerCase& tested) {
  LedgerInput input;
  input.dataset = "D1";
  input.written = tested.written;
  input.seen = tested.seen;
  input.uid_tag = "uid:luma";
  input.state_tag = "state:s1";
  input.in_flight = tested.in_flight;
  input.take_over = tested.take_over;
  input.lookup = [&](const std::string& id) -> Result<std::optional<platform::Batch>> {
    for (const auto& each : tested.looked_up)
      if (each.id == id) return std::optional(each);
    return std::optional<platform::Batch>();
  };
  auto verdict = check_ledger(input);
  if (!verdict.ok()) {
    ADD_FAILURE() << verdict.error().text();
    return {};
  }
  return std::move(verdict).take();
}

class Ledger : public testing::TestWithParam<LedgerCase> {};

TEST_P(Ledger, TellsOursFromTheirsAndSeesWhatIsGone) {
  const auto& tested = GetParam();
  const auto verdict = check(tested);
  EXPECT_EQ(verdict.damaged, tested.damaged);
  EXPECT_EQ(verdict.missing.size(), tested.damaged ? 1U : 0U);
  EXPECT_EQ(verdict.leftovers, tested.leftovers);
  std::vector<std::string> unrecorded;
  for (const auto& each : verdict.unrecorded) unrecorded.push_back(each.id);
  EXPECT_EQ(unrecorded, tested.unrecorded);
  for (const auto& each : verdict.live) EXPECT_TRUE(platform::is_live(each)) << each.id;
  EXPECT_THAT(codes_of(verdict.findings, Severity::Refuse), SizeIs(tested.refusals.size()));
  for (const auto& id : tested.refusals) EXPECT_THAT(text_of(verdict.findings, "another-writer"), HasSubstr(id));
  EXPECT_EQ(codes_of(verdict.findings, Severity::Warning).size(), tested.damaged ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Ledger,
    testing::Values(
        LedgerCase{"nothing_on_either_side", {}, {}},
        LedgerCase{"all_there", {written("B1"), written("B2")}, {batch("B1"), batch("B2", "active")}},
        LedgerCase{"consolidated", {written("B1")}, {into(batch("B1", "inactive"), "C1"), of(batch("C1"), {"B1"})}},
        LedgerCase{"consolidated_twice",
                   {written("B1")},
                   {into(batch("B1", "inactive"), "C1"), into(batch("C1", "inactive"), "C2"), batch("C2")}},
        // Who replaces a batch names it as predecessor as well: only our batch's own word for it counts.
        LedgerCase{.name = "only_the_new_one_says_so",
                   .written = {written("B1")},
                   .seen = {batch("B1", "inactive"), of(batch("C1"), {"B1"})},
                   .damaged = true},
        LedgerCase{"successor_not_in_the_list",
                   {written("B1")},
                   {into(batch("B1", "inactive"), "C1")},
                   {of(batch("C1"), {"B1"})}},
        LedgerCase{.name = "chain_ends_in_nothing",
                   .written = {written("B1")},
                   .seen = {into(batch("B1", "inactive"), "C1")},
                   .damaged = true},
        LedgerCase{.name = "chain_turns_in_a_circle",
                   .written = {written("B1")},
                   .seen = {into(batch("B1", "inactive"), "C1"), into(batch("C1", "inactive"), "B1")},
                   .damaged = true},
        LedgerCase{.name = "vanished", .written = {written("B1")}, .seen = {}, .damaged = true},
        LedgerCase{.name = "taken_back",
                   .written = {written("B1"), written("B2")},
                   .seen = {batch("B1", "inactive"), batch("B2")},
                   .damaged = true},
        LedgerCase{"superseded_ones_may_go", {written("B1", true), written("B2")}, {batch("B2")}},
        LedgerCase{"superseded_ones_may_stay", {written("B1", true)}, {batch("B1")}},
        LedgerCase{"the_list_lags", {written("B1")}, {}, {batch("B1")}},
        LedgerCase{"still_promoted_elsewhere", {written("B1")}, {batch("B1", "staging")}},
        LedgerCase{.name = "a_stranger", .written = {}, .seen = {batch("X1")}, .refusals = {"X1"}},
        LedgerCase{.name = "a_stranger_who_is_loading", .written = {}, .seen = {batch("X1", "loading")}},
        LedgerCase{.name = "a_stranger_who_failed", .written = {}, .seen = {batch("X1", "failed")}},
        LedgerCase{.name = "our_tags_but_not_in_the_log",
                   .written = {},
                   .seen = {ours("B9", "success")},
                   .unrecorded = {"B9"}},
        LedgerCase{.name = "consolidated_but_not_in_the_log",
                   .written = {},
                   .seen = {into(ours("B8", "inactive"), "C1"), of(batch("C1"), {"B8", "B9"})},
                   .looked_up = {into(ours("B9", "inactive"), "C1")},
                   .unrecorded = {"B8", "B9"}},
        LedgerCase{.name = "a_consolidation_that_nobody_knows_all_of",
                   .written = {},
                   .seen = {into(ours("B8", "inactive"), "C1"), of(batch("C1"), {"B8", "B9"})},
                   .refusals = {"C1"}},
        LedgerCase{.name = "of_another_state_folder",
                   .written = {},
                   .seen = {tagged(batch("B9"), {"uid:luma", "state:s2"})},
                   .refusals = {"B9"}},
        LedgerCase{.name = "of_another_state_folder_taken_over",
                   .written = {},
                   .seen = {tagged(batch("B9"), {"uid:luma", "state:s2"})},
                   .unrecorded = {"B9"},
                   .take_over = true},
        LedgerCase{.name = "nobody_else_is_taken_over",
                   .written = {},
                   .seen = {tagged(batch("B9"), {"uid:other", "state:s2"})},
                   .refusals = {"B9"},
                   .take_over = true},
        LedgerCase{.name = "consolidated_strangers",
                   .written = {written("B1")},
                   .seen = {batch("B1"), of(batch("C1"), {"X1", "X2"})},
                   .refusals = {"C1"}},
        LedgerCase{.name = "our_leftover", .written = {}, .seen = {ours("B9", "loading")}, .leftovers = {"B9"}},
        LedgerCase{.name = "a_leftover_of_another_sync",
                   .written = {},
                   .seen = {tagged(batch("B9", "loading"), {"uid:other", "state:s1"})}},
        LedgerCase{.name = "a_leftover_of_another_state_folder",
                   .written = {},
                   .seen = {tagged(batch("B9", "loading"), {"uid:luma", "state:s2"})}},
        LedgerCase{.name = "in_flight_loading",
                   .written = {},
                   .seen = {ours("B9", "loading", "audiencesync-luma-abc-7")},
                   .in_flight = {"audiencesync-luma-abc-7"}},
        LedgerCase{.name = "in_flight_promoted_already",
                   .written = {},
                   .seen = {ours("B9", "success", "audiencesync-luma-abc-7")},
                   .in_flight = {"audiencesync-luma-abc-7"}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(LedgerText, ADriftSaysWhatIsMissingAndWhatHappensNext) {
  const auto verdict = check({.name = "", .written = {written("B1")}, .seen = {}});
  EXPECT_EQ(text_of(verdict.findings, "drift"),
            "batch B1 with 40 records, written by this sync at generation 7, is no longer in dataset D1; everyone is "
            "written again");
}

TEST(LedgerText, AnotherWriterIsNamedByItsTagsElseByItsClient) {
  auto anonymous = batch("X1");
  auto known = batch("X2");
  known.client = "acp_core_hudson";
  const auto marked = tagged(batch("X3"), {"uid:other", "state:s9"});
  const auto text = [](const platform::Batch& one) {
    return text_of(check({.name = "", .written = {}, .seen = {one}}).findings, "another-writer");
  };
  EXPECT_THAT(text(anonymous), AllOf(HasSubstr("X1"), HasSubstr("D1"), HasSubstr("it has no tags of ours")));
  EXPECT_THAT(text(known), HasSubstr("created by client acp_core_hudson"));
  EXPECT_THAT(text(marked), AllOf(HasSubstr("its tags say uid:other, state:s9"), HasSubstr("a dataset of its own")));
}

TEST(LedgerText, ABatchOfAnotherStateFolderNamesTheWayToTakeItOver) {
  const auto theirs = tagged(batch("X4"), {"uid:luma", "state:s9"});
  EXPECT_THAT(text_of(check({.name = "", .written = {}, .seen = {theirs}}).findings, "another-writer"),
              HasSubstr("audiencesync state rebuild SYNC --take-over"));
}

TEST(LedgerChecks, RowsThatAreStillPromotedAreSaidToBe) {
  EXPECT_EQ(check({.name = "", .written = {written("B1")}, .seen = {batch("B1", "staging")}}).unsettled, "B1");
  EXPECT_EQ(check({.name = "", .written = {written("B1")}, .seen = {batch("B1")}}).unsettled, "");
}

TEST(LedgerChecks, WhatTheListDoesNotShowIsReadAllTheSame) {
  const auto verdict = check({.name = "", .written = {written("B1")}, .seen = {}, .looked_up = {batch("B1")}});
  ASSERT_EQ(verdict.live.size(), 1U);
  EXPECT_EQ(verdict.live[0].id, "B1");
}

TEST(LedgerChecks, BatchesOfAnotherDatasetAreNotMissedHere) {
  auto elsewhere = written("B1");
  elsewhere.dataset = "D0";
  EXPECT_FALSE(check({.name = "", .written = {elsewhere}, .seen = {}}).damaged);
}

TEST(LedgerChecks, ALookUpThatFailsIsNoDamage) {
  LedgerInput input;
  input.dataset = "D1";
  input.written = {written("B1")};
  input.lookup = [](const std::string&) -> Result<std::optional<platform::Batch>> {
    return Error(ErrorCode::Unavailable, "catalog down");
  };
  const auto verdict = check_ledger(input);
  ASSERT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.error().code(), ErrorCode::Unavailable);
}

}  // namespace
}  // namespace audiencesync
