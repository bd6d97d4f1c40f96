#include "plugins/membership/past.h"

#include <gmock/gmock.h>

#include "tests/membership_stage/ingest_world.h"

namespace audiencesync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Time day_of(int day) { return from_epoch_ms(0) + std::chrono::hours(24 * day); }

PastSnapshot step(std::int64_t id, std::int64_t run, const std::string& content, const std::string& delta) {
  PastSnapshot past;
  past.id = id;
  past.run = run;
  past.previous = id - 1;
  past.record.content = content;
  past.record.delta = delta;
  past.record.proven = day_of(static_cast<int>(id));
  return past;
}

// Newest first, as the store gives them: runs 1, 2, 2, 5; the first commit needs no delta.
std::vector<PastSnapshot> four() {
  return {step(4, 5, "c4", "d4"), step(3, 2, "c3", "d3"), step(2, 2, "c2", "d2"), step(1, 1, "c1", "")};
}

TEST(WayBack, LeadsToTheLastSnapshotOfARun) {
  const auto to_two = way_back(four(), 2);
  ASSERT_TRUE(to_two.ok() && to_two->has_value());
  EXPECT_EQ((*to_two)->snapshot.id, 3);
  EXPECT_EQ((*to_two)->ref.current, "c4");
  EXPECT_THAT((*to_two)->ref.deltas, ElementsAre("d4"));
  EXPECT_EQ((*to_two)->ref.expected, "c3");
  EXPECT_THAT(way_back(four(), 1).value()->ref.deltas, ElementsAre("d4", "d3", "d2"));
  EXPECT_THAT(way_back(four(), 9).value()->ref.deltas, IsEmpty());
}

TEST(WayBack, ARunThatProvedNothingGivesTheStateItFound) {
  EXPECT_EQ(way_back(four(), 4).value()->snapshot.id, 3);
  EXPECT_EQ(way_back(four(), 0).value(), std::nullopt) << "nothing was proven before run 1";
}

TEST(WayBack, EndsWhereAStepIsMissingUnlessItChangedNothing) {
  auto snapshots = four();
  snapshots[1].record.delta = "";
  const auto gone = way_back(snapshots, 1);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code(), ErrorCode::NotFound);
  EXPECT_THAT(gone.error().text(), HasSubstr("goes back to run 2"));
  snapshots[1].record.content = "c2";
  EXPECT_THAT(way_back(snapshots, 1).value()->ref.deltas, ElementsAre("d4", "d2"));
}

TEST(WayBack, AfterPeopleWereErasedTheContentOfThenIsNotExpected) {
  auto snapshots = four();
  snapshots[1].record.erased = true;
  EXPECT_EQ(way_back(snapshots, 2).value()->ref.expected, "c3") << "the way does not use that delta";
  EXPECT_EQ(way_back(snapshots, 1).value()->ref.expected, std::nullopt);
}

struct KeptCase {
  const char* name;
  Retention retention;
  int today;
  std::set<Digest> kept;
  std::int64_t drop_through;
};

class KeptHistoryTest : public ::testing::TestWithParam<KeptCase> {};

TEST_P(KeptHistoryTest, TheOldestGoFirst) {
  const auto& [name, retention, today, wanted, drop_through] = GetParam();
  const auto kept = kept_history(four(), retention, day_of(today), [](const Digest&) { return 10; });
  EXPECT_EQ(kept.deltas, wanted);
  EXPECT_EQ(kept.drop_through, drop_through);
  EXPECT_EQ(kept.missing, std::nullopt);
}

constexpr Duration kLong = std::chrono::hours(24 * 100);

INSTANTIATE_TEST_SUITE_P(Table, KeptHistoryTest,
                         ::testing::Values(KeptCase{"everything", {kLong, 100, 1000}, 5, {"d4", "d3", "d2"}, 0},
                                           KeptCase{"by_age", {std::chrono::hours(36), 100, 1000}, 4, {"d4", "d3"}, 2},
                                           KeptCase{"by_count", {kLong, 1, 1000}, 5, {"d4"}, 3},
                                           KeptCase{"by_size", {kLong, 100, 20}, 5, {"d4", "d3"}, 2},
                                           KeptCase{"none", {kLong, 0, 1000}, 5, {}, 4}),
                         [](const auto& test) { return test.param.name; });

TEST(KeptHistory, EndsLoudlyWhereAFileIsGone) {
  const auto kept = kept_history(four(), {kLong, 100, 1000}, day_of(5), [](const Digest& delta) {
    return delta == "d3" ? std::nullopt : std::optional<std::uint64_t>(10);
  });
  EXPECT_EQ(kept.deltas, std::set<Digest>{"d4"});
  EXPECT_EQ(kept.drop_through, 3);
  EXPECT_EQ(kept.missing, "d3");
}

TEST(KeptHistory, WhatCannotBeReachedAnyMoreIsNotKept) {
  auto snapshots = four();
  snapshots[1].record.delta = "";
  const auto kept = kept_history(snapshots, {kLong, 100, 1000}, day_of(5), [](const Digest&) { return 10; });
  EXPECT_EQ(kept.deltas, std::set<Digest>{"d4"});
  EXPECT_EQ(kept.drop_through, 2);
}

class KeptDeltaTest : public ::testing::Test, protected IngestWorld {
 protected:
  void was_current(const std::string& content) {
    SnapshotRecord record;
    record.content = content;
    records.before = record;
  }
};

TEST_F(KeptDeltaTest, TheFirstCommitNeedsNoneAndALaterOneLeadsBack) {
  people(3);
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(engine.deltas, IsEmpty());
  ASSERT_THAT(log.commits, SizeIs(1));
  EXPECT_EQ(log.commits[0].snapshot.delta, "");
}

TEST_F(KeptDeltaTest, RowsOfTheChangesetAreEnoughWhenItStartsFromWhatIsCurrent) {
  people(3);
  was_current("base");
  base = "base";
  ASSERT_TRUE(run().ok());
  ASSERT_THAT(engine.deltas, SizeIs(1));
  EXPECT_EQ(engine.deltas[0].before, "base");
  ASSERT_TRUE(engine.deltas[0].rows);
  EXPECT_EQ(engine.deltas[0].rows->rows.last, 3U);
  EXPECT_EQ(log.commits[0].snapshot.delta, "delta of " + log.commits[0].snapshot.content);
}

TEST_F(KeptDeltaTest, ANewTargetIsComparedWithWhatWasCurrent) {
  people(3);
  was_current("of the old target");
  ASSERT_TRUE(run().ok());
  ASSERT_THAT(engine.deltas, SizeIs(1));
  EXPECT_EQ(engine.deltas[0].before, "of the old target");
  EXPECT_FALSE(engine.deltas[0].rows);
}

TEST_F(KeptDeltaTest, WhatIsWrongWithItShortensTheHistoryAndNothingElse) {
  people(3);
  was_current("base");
  base = "base";
  engine.delta_failure = Error(ErrorCode::Corrupt, "damaged");
  ASSERT_TRUE(run().ok());
  ASSERT_THAT(log.commits, SizeIs(1));
  EXPECT_EQ(log.commits[0].snapshot.delta, "");
  EXPECT_THAT(events.names, ::testing::Contains("history.shortened"));
}

TEST_F(KeptDeltaTest, AFullDiskIsNoReasonToLoseIt) {
  people(3);
  was_current("base");
  engine.delta_failure = Error(ErrorCode::NoSpace, "full");
  const auto ended = run();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::NoSpace);
  EXPECT_THAT(log.commits, IsEmpty());
}

TEST_F(KeptDeltaTest, NoneIsMadeWhereNoPastIsKept) {
  people(3);
  was_current("base");
  manifest.retention.generations = 0;
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(engine.deltas, IsEmpty());
}

}  // namespace
}  // namespace audiencesync
