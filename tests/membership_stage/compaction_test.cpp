#include "plugins/membership/compaction.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace audiencesync {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration kDay = hours(24);

Time day(std::int64_t count) { return from_epoch_ms(1'767'000'000'000) + kDay * count; }

BatchRecord batch(std::int64_t generation, Time proven, bool superseded = false) {
  BatchRecord record;
  record.batch = fmt::format("B{}", generation);
  record.dataset = "D1";
  record.relation = "luma/analytics";
  record.generation = generation;
  record.proven = proven;
  record.superseded = superseded;
  return record;
}

platform::Batch in_catalog(std::int64_t generation, const std::string& status = "success",
                           const std::string& successor = "") {
  platform::Batch seen;
  seen.id = fmt::format("B{}", generation);
  seen.dataset = "D1";
  seen.status = status;
  seen.successor = successor;
  return seen;
}

Target with(RowRule rule) {
  Target target;
  target.row_rule = rule;
  return target;
}

std::vector<std::string> ids(const std::vector<BatchRecord>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(record.batch);
  return out;
}

TEST(FullGeneration, IsDueAWeekAfterTheLastOneWhereOlderRowsMayStayVisible) {
  const std::vector<BatchRecord> written{batch(1, day(0)), batch(2, day(3))};
  EXPECT_FALSE(full_generation_due(with(RowRule::Unknown), written, day(7) - Duration(1)));
  const auto due = full_generation_due(with(RowRule::Unknown), written, day(7));
  ASSERT_TRUE(due);
  EXPECT_THAT(*due, HasSubstr("7 d old (target.compact_every: 7 d)"));
  EXPECT_TRUE(full_generation_due(with(RowRule::Accumulate), written, day(8)));
}

TEST(FullGeneration, IsNotDueByAgeWhereANewRecordReplacesTheOlderOnes) {
  EXPECT_FALSE(full_generation_due(with(RowRule::Replace), {batch(1, day(0)), batch(2, day(3))}, day(700)));
}

TEST(FullGeneration, IsDueWhenTooManyBatchesCountWhateverTheRule) {
  std::vector<BatchRecord> written;
  for (int generation = 1; generation <= 60; ++generation) written.push_back(batch(generation, day(0)));
  EXPECT_FALSE(full_generation_due(with(RowRule::Replace), written, day(1)));
  written.push_back(batch(61, day(0)));
  const auto due = full_generation_due(with(RowRule::Replace), written, day(1));
  ASSERT_TRUE(due);
  EXPECT_THAT(*due, HasSubstr("61 batches count by now, at most 60 should"));
}

TEST(FullGeneration, IsNotDueWhenNothingWasWrittenSinceTheLastOne) {
  EXPECT_FALSE(full_generation_due(with(RowRule::Unknown), {}, day(700)));
  EXPECT_FALSE(full_generation_due(with(RowRule::Unknown), {batch(1, day(0), true), batch(9, day(1))}, day(700)));
}

TEST(FullGeneration, CountsFromTheNewestFullGenerationOnly) {
  const std::vector<BatchRecord> written{batch(1, day(0), true), batch(2, day(3), true), batch(3, day(7)),
                                         batch(4, day(8))};
  EXPECT_FALSE(full_generation_due(with(RowRule::Unknown), written, day(13)));
  EXPECT_TRUE(full_generation_due(with(RowRule::Unknown), written, day(14)));
}

TEST(OldBatches, GoOldestFirstOnceTheNewOnesHaveHadTimeToArrive) {
  const std::vector<BatchRecord> written{batch(3, day(2), true), batch(2, day(1), true), batch(10, day(7))};
  const std::vector<platform::Batch> seen{in_catalog(2), in_catalog(3), in_catalog(10)};

  const auto early = old_batches(written, seen, day(7) + hours(3) - Duration(1));
  EXPECT_THAT(early.removable, IsEmpty());
  EXPECT_EQ(early.waits_until, day(7) + hours(3));

  const auto later = old_batches(written, seen, day(7) + hours(3));
  EXPECT_THAT(ids(later.removable), ElementsAre("B2", "B3"));
  EXPECT_FALSE(later.waits_until);
}

TEST(OldBatches, WhatCountsAndWhatIsGoneOrUnknownStaysOutOfIt) {
  const std::vector<BatchRecord> written{batch(1, day(0), true), batch(2, day(0), true), batch(3, day(0), true),
                                         batch(10, day(1))};
  const auto old = old_batches(written, {in_catalog(1, "inactive"), in_catalog(2), in_catalog(10)}, day(9));
  EXPECT_THAT(ids(old.removable), ElementsAre("B2"));
  EXPECT_THAT(old.shared, IsEmpty());
}

TEST(OldBatches, OneThatWasConsolidatedWithRowsThatCountStaysAndIsReported) {
  const std::vector<BatchRecord> written{batch(1, day(0), true), batch(2, day(0), true), batch(10, day(1))};
  const std::vector<platform::Batch> seen{in_catalog(1, "inactive", "B77"), in_catalog(2),
                                          in_catalog(10, "inactive", "B77"), in_catalog(77)};
  const auto old = old_batches(written, seen, day(9));
  EXPECT_THAT(ids(old.shared), ElementsAre("B1"));
  EXPECT_THAT(ids(old.removable), ElementsAre("B2"));
}

}  // namespace
}  // namespace audiencesync
