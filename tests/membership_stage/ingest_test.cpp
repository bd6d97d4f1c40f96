#include "plugins/membership/ingest.h"

#include <gmock/gmock.h>

#include "tests/membership_stage/ingest_world.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class IngestTest : public testing::Test, protected IngestWorld {};

TEST_F(IngestTest, EverybodyIsSentProvenAndCommittedInThatOrder) {
  people(3);

  const auto applied = run();

  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_THAT(log.order, ElementsAre("batch-1", "put-1-part-00000.jsonl", "complete-1", "wait batch B1", "commit-1"));
  EXPECT_EQ(platform.in_dataset(), "p0 p1 p2 ");
  const auto& batch = platform.batches.at("B1");
  EXPECT_EQ(batch.dataset, "D1");
  EXPECT_EQ(batch.external_id, "audiencesync-luma-0123456789abcdef-1");
  EXPECT_THAT(batch.tags, ElementsAre("uid:luma", "role:target", "state:state-1", "generation:1"));
  ASSERT_THAT(log.commits, SizeIs(1));
  const auto& [snapshot, record, quarantine] = log.commits[0];
  EXPECT_EQ(snapshot.content, "p0 p1 p2 ");
  EXPECT_EQ(snapshot.relation, "luma/analytics");
  EXPECT_EQ(snapshot.dataset, "D1");
  EXPECT_EQ(snapshot.definition, "definition-1");
  EXPECT_EQ(snapshot.source, "E1");
  EXPECT_EQ(snapshot.batch, "B1");
  EXPECT_EQ(snapshot.generation, 1);
  EXPECT_EQ(record.batch, "B1");
  EXPECT_EQ(record.records, 3U);
  EXPECT_EQ(record.supersedes_below, 0);
  EXPECT_THAT(quarantine, IsEmpty());
  EXPECT_EQ(applied->proof.batch, "B1");
  EXPECT_EQ(applied->proof.records, 3U);
  EXPECT_EQ(applied->outputs.at("generation"), Value(1));
  EXPECT_FALSE(files.exists(folder.path() / "upload")) << "the files hold person ids";
}

TEST_F(IngestTest, TheSnapshotSaysHowManyPeopleAreInIt) {
  people(3);
  engine.in_an_audience = 41;
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(log.commits[0].snapshot.people, 41U) << "not the three whose sets changed";

  IngestWorld emptied;
  emptied.people(3);
  ASSERT_TRUE(emptied.run().ok());
  EXPECT_EQ(emptied.log.commits[0].snapshot.people, 0U) << "or the next empty export is refused for ever";
}

TEST_F(IngestTest, ABatchThatTakesItsTimeIsWaitedFor) {
  people(1);
  platform.looks_until_done = 5;
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(log.commits, SizeIs(1));
}

TEST_F(IngestTest, ABatchThatTakesTooLongStaysOpen) {
  people(1);
  platform.looks_until_done = 1'000'000;
  const auto applied = run();
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::NotFinished);
  EXPECT_THAT(log.commits, IsEmpty());
}

class NamedRejection : public IngestTest, public testing::WithParamInterface<BatchPlatform::Names> {};

TEST_P(NamedRejection, PutsThePersonInQuarantineAndSendsTheRest) {
  people(5);
  platform.bad = {"p1", "p3"};
  platform.names = GetParam();

  ASSERT_TRUE(run().ok());

  EXPECT_EQ(platform.in_dataset(), "p0 p2 p4 ");
  EXPECT_EQ(platform.batches.at("B1").status, "failed");
  ASSERT_THAT(log.commits, SizeIs(1));
  EXPECT_EQ(log.commits[0].snapshot.content, "p0 p2 p4 ") << "the others keep their old entry";
  EXPECT_EQ(log.commits[0].snapshot.generation, 2) << "a failed attempt's number is not used again";
  EXPECT_THAT(quarantined(), ElementsAre("p1: INGEST-1 bad date", "p3: INGEST-1 bad date"));
}

INSTANTIATE_TEST_SUITE_P(Table, NamedRejection,
                         testing::Values(BatchPlatform::Names::Person, BatchPlatform::Names::Line),
                         [](const auto& tested) {
                           return tested.param == BatchPlatform::Names::Person ? "by_its_record" : "by_its_line";
                         });

TEST_F(IngestTest, WhoWasInQuarantineBeforeStaysThere) {
  people(2);
  platform.bad = {"p1"};
  records.kept = {{"luma/analytics", "other", "INGEST-9", "B0", {}}, {"luma/analytics", "p1", "old", "B0", {}}};
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(quarantined(), ElementsAre("other: INGEST-9", "p1: INGEST-1 bad date"));
}

TEST_F(IngestTest, AFailureWithoutANameIsTriedOnceMoreAsItWas) {
  people(4);
  platform.fails_first = 1;
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(platform.in_dataset(), "p0 p1 p2 p3 ");
  EXPECT_THAT(quarantined(), IsEmpty());
  EXPECT_THAT(platform.batches, SizeIs(2));
}

TEST_F(IngestTest, OnePersonAloneIsAlsoTriedOnceMore) {
  people(1);
  platform.fails_first = 1;
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(platform.in_dataset(), "p0 ");
  EXPECT_THAT(quarantined(), IsEmpty());
}

TEST_F(IngestTest, HalvingFindsTheOneThatNobodyNames) {
  for (int bad = 0; bad < 8; ++bad) {
    IngestWorld world;
    world.people(8);
    world.platform.names = BatchPlatform::Names::Nobody;
    world.platform.bad = {fmt::format("p{}", bad)};

    const auto applied = world.run();

    ASSERT_TRUE(applied.ok()) << bad << ": " << applied.error().text();
    EXPECT_EQ(world.platform.people_in_dataset(), 7U) << bad;
    EXPECT_THAT(world.quarantined(), ElementsAre(fmt::format("p{}: no reason given", bad)));
    EXPECT_EQ(applied->proof.records, 7U);
  }
}

TEST_F(IngestTest, WhatHasLandedIsAlwaysABeginningOfTheChange) {
  people(8);
  platform.names = BatchPlatform::Names::Nobody;
  platform.bad = {"p5"};

  ASSERT_TRUE(run().ok());

  ASSERT_THAT(log.commits, SizeIs(3));
  EXPECT_EQ(log.commits[0].snapshot.content, "p0 p1 p2 p3 ");
  EXPECT_EQ(log.commits[1].snapshot.content, "p0 p1 p2 p3 p4 ");
  EXPECT_EQ(log.commits[2].snapshot.content, "p0 p1 p2 p3 p4 p6 p7 ");
}

TEST_F(IngestTest, MoreRejectionsThanAllowedFailAndCommitNothing) {
  people(10);
  platform.bad = {"p1", "p3"};
  manifest.guard.min_people = 0;
  manifest.guard.max_bad_rows = {.share = 0.1, .count = {}};

  const auto applied = run();

  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_THAT(applied.error().message(), AllOf(HasSubstr("2 of 10 people"), HasSubstr("guard.max_bad_rows (10%)"),
                                               HasSubstr("INGEST-1 bad date"), testing::Not(HasSubstr("p1"))));
  EXPECT_THAT(log.commits, IsEmpty());
  EXPECT_EQ(platform.in_dataset(), "");
}

TEST_F(IngestTest, ExactlyAsManyRejectionsAsAllowedAreTolerated) {
  people(10);
  platform.bad = {"p1"};
  manifest.guard.min_people = 0;
  manifest.guard.max_bad_rows = {.share = 0.1, .count = {}};
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(platform.people_in_dataset(), 9U);
}

TEST_F(IngestTest, WhenEverybodyIsRejectedByNameOnlyTheQuarantineIsStored) {
  people(2);
  platform.bad = {"p0", "p1"};
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(log.commits, IsEmpty());
  EXPECT_THAT(quarantined(), ElementsAre("p0: INGEST-1 bad date", "p1: INGEST-1 bad date"));
  EXPECT_EQ(platform.batches.at("B2").status, "aborted") << "no empty batch is left loading";
}

TEST_F(IngestTest, WhenEverythingFailsAndNobodyIsNamedNobodyIsBlamed) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4}, std::size_t{64}}) {
    IngestWorld world;
    world.people(size);
    world.platform.fails_first = 1'000'000;

    const auto applied = world.run();

    ASSERT_FALSE(applied.ok()) << size;
    EXPECT_EQ(applied.error().code(), ErrorCode::Rejected) << size;
    EXPECT_THAT(applied.error().message(), HasSubstr("the platform rejects every batch of this change"));
    EXPECT_THAT(world.log.commits, IsEmpty());
    EXPECT_THAT(world.quarantined(), IsEmpty()) << size;
  }
}

TEST_F(IngestTest, ABatchThatDoesNotHoldWhatWasSentIsTakenBack) {
  people(3);
  platform.loses = 1;

  const auto applied = run();

  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_EQ(applied.error().message(), "batch B1 holds 2 records and 0 failed, 3 were sent; it was taken back");
  EXPECT_EQ(platform.batches.at("B1").status, "inactive");
  EXPECT_THAT(log.commits, IsEmpty());
}

TEST_F(IngestTest, ABatchThatSucceededWithFailedRecordsIsTakenBack) {
  people(3);
  platform.failed_records = 1;
  const auto applied = run();
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_EQ(platform.in_dataset(), "");
  EXPECT_THAT(log.commits, IsEmpty());
}

class LostFiles : public IngestTest, public testing::WithParamInterface<ErrorCode> {};

TEST_P(LostFiles, AbortTheBatchAndPlanAnew) {
  people(2);
  engine.failure = Error(GetParam(), "the changeset is gone");

  const auto applied = run();

  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Conflict);
  EXPECT_EQ(platform.batches.at("B1").status, "aborted");
}

INSTANTIATE_TEST_SUITE_P(Table, LostFiles,
                         testing::Values(ErrorCode::NotFound, ErrorCode::Conflict, ErrorCode::Corrupt),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_F(IngestTest, AFullDiskLeavesTheBatchToTheNextRun) {
  people(2);
  engine.failure = Error(ErrorCode::NoSpace, "disk full");
  const auto applied = run();
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::NoSpace);
  EXPECT_EQ(platform.batches.at("B1").status, "loading");
}

TEST_F(IngestTest, OnlyTheLastBatchOfARewriteSupersedes) {
  people(8);
  rewrite = true;
  platform.names = BatchPlatform::Names::Nobody;
  platform.bad = {"p5"};
  ASSERT_TRUE(run().ok());
  std::vector<std::int64_t> supersedes;
  for (const auto& commit : log.commits) supersedes.push_back(commit.batch.supersedes_below);
  EXPECT_THAT(supersedes, ElementsAre(0, 0, 1));
}

TEST_F(IngestTest, ACompleteWhoseAnswerWasAnErrorIsJudgedByTheBatch) {
  people(2);
  platform.complete_answers_error = true;
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(platform.in_dataset(), "p0 p1 ");
}

// The promise of the whole engine, for this stage: killed before or after any step, it ends as if it had not been.
TEST_F(IngestTest, KilledAnywhereItEndsAsIfUndisturbed) {
  const auto scenario = [](IngestWorld& world) {
    world.people(8);
    world.platform.bad = {"p2", "p6"};
    world.platform.names = BatchPlatform::Names::Nobody;
  };
  IngestWorld undisturbed;
  scenario(undisturbed);
  ASSERT_TRUE(undisturbed.run().ok());
  int kills = 0;
  for (const bool after : {false, true}) {
    for (int step = 1; step <= undisturbed.log.performed; ++step) {
      IngestWorld world;
      scenario(world);
      world.log.die_at = step;
      world.log.die_after_effect = after;
      ASSERT_FALSE(world.run().ok());
      world.log.die_at = 0;
      const auto applied = world.run();
      ASSERT_TRUE(applied.ok()) << "step " << step << ": " << applied.error().text();
      EXPECT_EQ(world.platform.in_dataset(), undisturbed.platform.in_dataset()) << step;
      EXPECT_EQ(world.platform.statuses(), undisturbed.platform.statuses()) << step;
      EXPECT_EQ(world.log.commits.back().snapshot.content, undisturbed.log.commits.back().snapshot.content) << step;
      EXPECT_EQ(world.quarantined(), undisturbed.quarantined()) << step;
      ++kills;
    }
  }
  EXPECT_GT(kills, 40);
}

TEST(IsAttemptOf, KnowsTheBatchesOfABulkByTheirExternalId) {
  Bulk bulk;
  bulk.content = "0123456789abcdef0123456789abcdef";
  EXPECT_TRUE(is_attempt_of("audiencesync-luma-0123456789abcdef-7", bulk));
  EXPECT_TRUE(is_attempt_of("audiencesync-luma-0123456789abcdef-12", bulk));
  EXPECT_FALSE(is_attempt_of("audiencesync-luma-fedcba9876543210-7", bulk));
  EXPECT_FALSE(is_attempt_of("audiencesync-luma-0123456789abcdef", bulk));
  EXPECT_FALSE(is_attempt_of("", bulk));
}

TEST_F(IngestTest, AnIngestWithoutMembershipsIsOurMistake) {
  Change change;
  change.action = Action::Ingest;
  const auto applied = with_context([&](WriteContext& context) { return ingest(change, context); });
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Internal);
}

}  // namespace
}  // namespace audiencesync
