#include "plugins/membership/pace.h"

#include <gmock/gmock.h>

#include "tests/membership_stage/ingest_world.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class PaceTest : public testing::Test, protected IngestWorld {
 protected:
  PaceTest() { settings.limits.ingest_per_hour = 1000; }

  std::optional<Time> take(const std::string& key, std::uint64_t size, Time now) {
    auto taken = IngestPace(files, settings, manifest).take(key, size, now);
    EXPECT_TRUE(taken.ok()) << (taken.ok() ? "" : taken.error().text());
    return taken.ok() ? *taken : std::nullopt;
  }
  const Time noon = parse_time("2026-01-02T12:00:00Z").value();
};

using std::chrono::minutes;

TEST_F(PaceTest, TheHourSlides) {
  EXPECT_EQ(take("a", 600, noon), std::nullopt);
  EXPECT_EQ(take("b", 400, noon + minutes(20)), std::nullopt) << "exactly full";
  EXPECT_EQ(take("c", 300, noon + minutes(30)), noon + minutes(60)) << "when the first is an hour old";
  EXPECT_EQ(take("c", 700, noon + minutes(30)), noon + minutes(80)) << "when both are";
  EXPECT_EQ(take("c", 600, noon + minutes(60)), std::nullopt);
  EXPECT_EQ(IngestPace(files, settings, manifest).taken(noon + minutes(61)), 1000U);
}

TEST_F(PaceTest, WhatWasTakenUpOnceIsNotTakenUpAgain) {
  EXPECT_EQ(take("a", 900, noon), std::nullopt);
  EXPECT_EQ(take("a", 900, noon + minutes(5)), std::nullopt) << "a run that was interrupted goes on";
  EXPECT_EQ(IngestPace(files, settings, manifest).taken(noon + minutes(6)), 900U);
}

TEST_F(PaceTest, MoreThanAnHoursLimitPassesOnceTheHourIsEmpty) {
  EXPECT_EQ(take("a", 10, noon), std::nullopt);
  EXPECT_EQ(take("b", 5000, noon + minutes(1)), noon + minutes(60));
  EXPECT_EQ(take("b", 5000, noon + minutes(60)), std::nullopt);
}

TEST_F(PaceTest, SyncsOfASandboxShareOneHourAndSandboxesDoNot) {
  EXPECT_EQ(take("luma/1", 1000, noon), std::nullopt);
  manifest.uid = "other";
  EXPECT_NE(take("other/1", 1, noon), std::nullopt);
  manifest.sandbox = "stage";
  EXPECT_EQ(take("other/1", 1000, noon), std::nullopt);
}

TEST_F(PaceTest, ADamagedFileIsAnEmptyOne) {
  take("a", 1000, noon);
  const auto ingested = settings.state / "ingested";
  const auto names = files.list(ingested).value();
  ASSERT_THAT(names, SizeIs(1));
  ASSERT_TRUE(files.write_atomic(ingested / names[0], "{\"sent\":[{").ok());
  EXPECT_EQ(take("b", 1000, noon), std::nullopt);
}

TEST_F(PaceTest, ALargeChangeIsSentInBatchesOneAnHour) {
  people(30);
  bytes = 2400;
  const auto first = run();
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.error().code(), ErrorCode::NotFinished);
  EXPECT_THAT(first.error().text(), HasSubstr("run again after"));
  ASSERT_THAT(log.commits, SizeIs(1)) << "what may be sent was";
  const auto sent = platform.people_in_dataset();
  EXPECT_GT(sent, 5U);
  EXPECT_LT(sent, 30U);
  EXPECT_EQ(run().error().code(), ErrorCode::NotFinished) << "the hour is not over";
  EXPECT_THAT(log.commits, SizeIs(1));

  for (int hour = 0; hour < 5 && platform.people_in_dataset() < 30; ++hour) {
    clock.sleep(minutes(61), {});
    (void)run();
  }
  EXPECT_EQ(platform.people_in_dataset(), 30U);
  std::string everyone;
  for (const auto& person : engine.everyone) everyone += person + " ";
  EXPECT_EQ(log.commits.back().snapshot.content, everyone);
  EXPECT_EQ(log.commits.back().batch.supersedes_below, 0);
  EXPECT_TRUE(run().ok());
}

TEST_F(PaceTest, AFullGenerationOfSeveralBatchesCountsOnceItIsWhole) {
  people(30);
  rewrite = true;
  settings.limits.ingest_per_hour = 1'000'000;
  settings.limits.batch = 700;
  ASSERT_TRUE(run().ok());
  ASSERT_GT(log.commits.size(), 2U);
  for (std::size_t i = 0; i + 1 < log.commits.size(); ++i) {
    EXPECT_EQ(log.commits[i].batch.supersedes_below, 0);
    EXPECT_TRUE(is_unfinished(log.commits[i].snapshot));
  }
  EXPECT_FALSE(is_unfinished(log.commits.back().snapshot));
  EXPECT_EQ(log.commits.back().batch.supersedes_below, log.commits.front().batch.generation);
  EXPECT_EQ(platform.people_in_dataset(), 30U);
}

TEST_F(PaceTest, AnInterruptedRunFillsItsBatchesAsItBegan) {
  for (int die_at = 1; die_at < 40; ++die_at) {
    IngestWorld world;
    world.people(30);
    world.rewrite = true;
    world.settings.limits.batch = 1000;
    world.log.die_at = die_at;
    world.log.die_after_effect = die_at % 2 == 0;
    if (world.run().ok()) break;
    world.log.die_at = 0;
    world.settings.limits.batch = 700;  // somebody changed it meanwhile
    const auto resumed = world.run();
    ASSERT_TRUE(resumed.ok()) << die_at << ": " << resumed.error().text();
    EXPECT_EQ(world.platform.people_in_dataset(), 30U) << die_at;
    std::size_t written = 0;
    for (const auto& [id, batch] : world.platform.batches) {
      if (batch.status == "success") written += batch.records;
    }
    EXPECT_EQ(written, 30U) << die_at << ": nobody twice";
    EXPECT_EQ(resumed->proof.records, 30U) << die_at;
  }
}

}  // namespace
}  // namespace audiencesync
