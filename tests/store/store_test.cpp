#include "engine/store/store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreTest : public testing::Test {
 protected:
  void reopen() {
    store.reset();
    store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  }
  RunRecord begin(const std::string& uid = "loyalty") {
    return must(store->begin_run(uid, "definition-1", Value::Object{{"name", uid}}, at(1)));
  }
  ChangeRecord open_change(const std::string& name = "target") {
    return must(store->open_change(begin().id, change_named(name), at(2)));
  }
  Intent open(std::int64_t change, const std::string& step, const std::string& sequence = "") {
    return must(store->open_intent(change, step, sequence, at(3)));
  }

  Scratch scratch;
  Path file = scratch.folder() / "state" / "store.db";
  std::unique_ptr<Store> store = must(open_sqlite_store(file, OpenMode::ReadWrite));
};

TEST_F(StoreTest, AnInterruptedRunIsContinuedWithTheManifestItBeganWith) {
  const auto first = begin();
  reopen();

  const auto again = must(store->begin_run("loyalty", "definition-2", Value::Object{{"name", "changed"}}, at(50)));

  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.definition, "definition-1");
  EXPECT_EQ(again.manifest.text("name"), "loyalty");
  EXPECT_EQ(again.started, at(1));
  EXPECT_FALSE(again.ended);
}

TEST_F(StoreTest, AfterTheEndOfARunANewOneBegins) {
  const auto first = begin();
  must(store->end_run(first.id, "converged", Value::Object{{"changes", 3}}, at(9)));

  const auto second = must(store->begin_run("loyalty", "definition-2", Value::Object{}, at(10)));

  EXPECT_GT(second.id, first.id);
  const auto runs = must(store->runs("loyalty", 10));
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].id, second.id);
  EXPECT_EQ(runs[0].verdict, "");
  EXPECT_EQ(runs[1].verdict, "converged");
  EXPECT_EQ(runs[1].ended, at(9));
  EXPECT_EQ(runs[1].summary.number("changes"), 3);
  EXPECT_EQ(must(store->runs("loyalty", 1)).size(), 1U);
  EXPECT_EQ(must(store->last_run("loyalty"))->id, second.id);
}

TEST_F(StoreTest, SyncsDoNotShareRuns) {
  const auto loyalty = begin("loyalty");
  const auto churn = begin("churn");

  EXPECT_NE(loyalty.id, churn.id);
  EXPECT_THAT(must(store->syncs()), ElementsAre("churn", "loyalty"));
  EXPECT_FALSE(must(store->last_run("nobody")).has_value());
  EXPECT_THAT(must(store->runs("nobody", 5)), IsEmpty());
}

TEST_F(StoreTest, ARunEndsOnce) {
  const auto run = begin();
  must(store->end_run(run.id, "failed", Value(), at(5)));

  const auto again = store->end_run(run.id, "converged", Value(), at(6));

  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::Internal);
  EXPECT_EQ(must(store->last_run("loyalty"))->verdict, "failed");
}

TEST_F(StoreTest, AnOpenChangeIsSeenAgainAfterRestartAndAfterItsRun) {
  const auto change = open_change("target");
  must(store->end_run(change.run, "not_finished", Value(), at(8)));
  reopen();

  const auto open = must(store->open_changes("loyalty"));

  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].id, change.id);
  EXPECT_EQ(open[0].run, change.run);
  EXPECT_EQ(open[0].change.to_value(), change_named("target").to_value());
  EXPECT_THAT(must(store->open_changes("churn")), IsEmpty());
}

TEST_F(StoreTest, ClosingAChangeClosesItsOpenIntentsAndKeepsTheAnsweredOnes) {
  const auto change = open_change();
  const auto answered = open(change.id, "batch");
  must(store->close_intent(answered.id, Value::Object{{"id", "B1"}}, at(4)));
  open(change.id, "complete");

  must(store->close_change(change.id, "abandoned", "orphan aborted", at(5)));

  EXPECT_THAT(must(store->open_changes("loyalty")), IsEmpty());
  EXPECT_EQ(open(change.id, "batch").result->text("id"), "B1");
  const auto left = open(change.id, "complete");
  ASSERT_TRUE(left.result.has_value());
  EXPECT_TRUE(left.result->is_null());
  EXPECT_FALSE(store->open_intent(change.id, "new", "", at(6)).ok());
  EXPECT_FALSE(store->close_change(change.id, "done", Value(), at(6)).ok());
}

TEST_F(StoreTest, ChangesHaveKnownEndsAndOpenRunsOnly) {
  const auto change = open_change();
  EXPECT_EQ(store->close_change(change.id, "finished", Value(), at(5)).error().code(), ErrorCode::Internal);
  EXPECT_EQ(store->close_change(999, "done", Value(), at(5)).error().code(), ErrorCode::Internal);
  EXPECT_EQ(store->open_change(999, change_named("x"), at(5)).error().code(), ErrorCode::Internal);
  must(store->end_run(change.run, "failed", Value(), at(6)));
  EXPECT_EQ(store->open_change(change.run, change_named("x"), at(7)).error().code(), ErrorCode::Internal);
}

TEST_F(StoreTest, AnIntentIsFreshOnlyInTheCallThatMadeIt) {
  const auto change = open_change();

  const auto made = open(change.id, "batch", "generation/loyalty");
  reopen();
  const auto stored = open(change.id, "batch", "generation/loyalty");

  EXPECT_TRUE(made.fresh);
  EXPECT_FALSE(stored.fresh);
  EXPECT_EQ(stored.id, made.id);
  EXPECT_EQ(stored.number, made.number);
  EXPECT_EQ(stored.opened, at(3));
  EXPECT_FALSE(stored.result.has_value());
}

TEST_F(StoreTest, AClosedStepKeepsItsResult) {
  const auto change = open_change();
  const auto intent = open(change.id, "batch");
  must(store->close_intent(intent.id, Value::Object{{"id", "B1"}, {"count", 3}}, at(4)));
  reopen();

  const auto stored = open(change.id, "batch");

  EXPECT_EQ(stored.result, Value(Value::Object{{"id", "B1"}, {"count", 3}}));
  EXPECT_EQ(store->close_intent(intent.id, Value("other"), at(5)).error().code(), ErrorCode::Internal);
  EXPECT_EQ(open(change.id, "batch").result->text("id"), "B1");
}

TEST_F(StoreTest, NumbersOfASequenceAreNeverUsedTwice) {
  std::set<std::int64_t> seen;
  for (int round = 0; round < 5; ++round) {
    const auto change = open_change(fmt::format("round-{}", round));
    const auto number = open(change.id, "batch", "generation/loyalty").number;
    EXPECT_TRUE(seen.insert(number).second) << number;
    EXPECT_EQ(number, *seen.rbegin());
    must(store->close_change(change.id, "failed", Value(), at(5)));
    reopen();
  }
  const auto change = open_change();
  EXPECT_EQ(open(change.id, "other", "generation/churn").number, 1);
  EXPECT_EQ(open(change.id, "plain").number, 0);
}

TEST_F(StoreTest, RaisingASequenceNeverLowersIt) {
  const auto change = open_change();
  must(store->raise_sequence("generation", 41));
  EXPECT_EQ(open(change.id, "a", "generation").number, 42);
  must(store->raise_sequence("generation", 7));
  EXPECT_EQ(open(change.id, "b", "generation").number, 43);
}

TEST_F(StoreTest, CommitMakesTheSnapshotCurrentAndClosesTheIntent) {
  const auto change = open_change();
  const auto intent = open(change.id, "commit");
  const auto snapshot = snapshot_of("loyalty/analytics", 7);

  must(store->commit(intent.id, snapshot, batch_of(snapshot),
                     {{"loyalty/analytics", "ada@example.org", "bad date", "batch-7", at(6)}}, at(8)));
  reopen();

  const auto current = must(store->current("loyalty/analytics"));
  ASSERT_TRUE(current.has_value());
  EXPECT_EQ(current->content, "content-7");
  EXPECT_EQ(current->dataset, "dataset-1");
  EXPECT_EQ(current->generation, 7);
  EXPECT_EQ(current->batch, "batch-7");
  EXPECT_EQ(current->definition, "definition-1");
  EXPECT_EQ(current->source, "export-1,export-2");
  EXPECT_EQ(current->people, 1'000U);
  EXPECT_EQ(current->proven, at(7));
  const auto batches = must(store->batches("loyalty/analytics"));
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].records, 12U);
  const auto people = must(store->quarantine("loyalty/analytics"));
  ASSERT_EQ(people.size(), 1U);
  EXPECT_EQ(people[0].person, "ada@example.org");
  EXPECT_EQ(people[0].since, at(6));
  const auto closed = open(change.id, "commit");
  ASSERT_TRUE(closed.result.has_value());
  EXPECT_EQ(closed.result->text("batch"), "batch-7");
  EXPECT_FALSE(must(store->current("churn/analytics")).has_value());
}

TEST_F(StoreTest, TheQuarantineOfARelationIsReplacedAndOthersAreLeftAlone) {
  const auto change = open_change();
  const auto first = snapshot_of("loyalty/analytics", 1);
  const auto other = snapshot_of("churn/analytics", 2);
  const auto next = snapshot_of("loyalty/analytics", 3);
  must(store->commit(open(change.id, "1").id, first, batch_of(first),
                     {{"", "ada", "bad", "batch-1", at(1)}, {"", "bob", "bad", "batch-1", at(1)}}, at(1)));
  must(store->commit(open(change.id, "2").id, other, batch_of(other), {{"", "eve", "bad", "batch-2", at(2)}}, at(2)));

  must(store->commit(open(change.id, "3").id, next, batch_of(next), {{"", "bob", "worse", "batch-3", at(3)}}, at(3)));

  const auto people = must(store->quarantine("loyalty/analytics"));
  ASSERT_EQ(people.size(), 1U);
  EXPECT_EQ(people[0].person, "bob");
  EXPECT_EQ(people[0].reason, "worse");
  EXPECT_EQ(must(store->quarantine("churn/analytics")).size(), 1U);
  EXPECT_EQ(must(store->current("loyalty/analytics"))->generation, 3);
  EXPECT_EQ(must(store->current("churn/analytics"))->generation, 2);
  EXPECT_EQ(must(store->batches("loyalty/analytics")).size(), 2U);
}

TEST_F(StoreTest, AnAdoptionIsTrueAsAWhole) {
  const auto change = open_change();
  auto first = snapshot_of("loyalty/analytics", 3);
  auto superseding = batch_of(first);
  superseding.supersedes_below = 3;
  const auto old = snapshot_of("loyalty/analytics", 2);
  must(store->commit(open(change.id, "1").id, old, batch_of(old), {}, at(1)));
  must(store->commit(open(change.id, "2").id, first, superseding, {}, at(2)));

  Adoption adoption;
  adoption.snapshot = snapshot_of("loyalty/analytics", 9);
  adoption.batches = {batch_of(old), batch_of(adoption.snapshot)};
  adoption.sequence = "generation/loyalty";
  adoption.generation = 12;
  adoption.uid = "loyalty";
  adoption.remember = {{"rebuilt", Value::Object{{"why", "lost"}}}, {"dataset", Value("dataset-1")}};
  must(store->adopt(open(change.id, "adopt").id, adoption, at(10)));
  reopen();

  EXPECT_EQ(must(store->current("loyalty/analytics"))->generation, 9);
  const auto batches = must(store->batches("loyalty/analytics"));
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_TRUE(batches[0].superseded) << "what is known of a batch already stays";
  EXPECT_FALSE(batches[2].superseded);
  EXPECT_EQ(must(store->remembered("loyalty", "rebuilt")).text("why"), "lost");
  EXPECT_EQ(must(store->remembered("loyalty", "dataset")), Value("dataset-1"));
  EXPECT_TRUE(open(change.id, "adopt").result.has_value());
  EXPECT_EQ(open(change.id, "next", "generation/loyalty").number, 13);
  EXPECT_EQ(store->adopt(999, adoption, at(11)).error().code(), ErrorCode::Internal);
}

TEST_F(StoreTest, TheQuarantineCanBeReplacedOnItsOwn) {
  must(store->replace_quarantine("r", {{"", "ada", "bad", "b", at(1)}, {"", "bob", "bad", "b", at(1)}}));
  must(store->replace_quarantine("other", {{"", "eve", "bad", "b", at(1)}}));
  must(store->replace_quarantine("r", {{"", "bob", "worse", "b", at(2)}}));
  reopen();

  const auto people = must(store->quarantine("r"));

  ASSERT_EQ(people.size(), 1U);
  EXPECT_EQ(people[0].person, "bob");
  EXPECT_EQ(people[0].relation, "r");
  must(store->replace_quarantine("r", {}));
  EXPECT_THAT(must(store->quarantine("r")), IsEmpty());
  EXPECT_EQ(must(store->quarantine("other")).size(), 1U);
}

TEST_F(StoreTest, AFullGenerationSupersedesTheEarlierBatchesOfItsRelation) {
  const auto change = open_change();
  const auto commit = [&](const char* relation, std::int64_t generation, std::int64_t supersedes_below) {
    const auto snapshot = snapshot_of(relation, generation);
    auto batch = batch_of(snapshot);
    batch.supersedes_below = supersedes_below;
    must(store->commit(open(change.id, fmt::format("commit-{}", generation)).id, snapshot, batch, {}, at(9)));
  };
  commit("r", 1, 0);
  commit("other", 2, 0);
  commit("r", 3, 3);
  commit("r", 4, 0);
  reopen();

  const auto batches = must(store->batches("r"));

  ASSERT_EQ(batches.size(), 3U);
  EXPECT_TRUE(batches[0].superseded);
  EXPECT_FALSE(batches[1].superseded) << "the full generation itself counts";
  EXPECT_EQ(batches[1].supersedes_below, batches[1].generation);
  EXPECT_FALSE(batches[2].superseded);
  EXPECT_FALSE(must(store->batches("other")).at(0).superseded);
}

TEST_F(StoreTest, ACommitThatFailsLeavesNothingBehind) {
  const auto change = open_change();
  const auto intent = open(change.id, "commit");
  const auto first = snapshot_of("r", 1);
  must(store->commit(intent.id, first, batch_of(first), {}, at(1)));
  const auto second = snapshot_of("r", 2);

  const auto again = store->commit(intent.id, second, batch_of(second), {{"r", "ada", "", "", at(1)}}, at(2));

  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().text().find("ada"), std::string::npos);
  EXPECT_EQ(must(store->current("r"))->generation, 1);
  EXPECT_EQ(must(store->batches("r")).size(), 1U);
  EXPECT_THAT(must(store->quarantine("r")), IsEmpty());
}

TEST_F(StoreTest, RemembersReplacesAndForgets) {
  EXPECT_TRUE(must(store->remembered("loyalty", "dataset_id")).is_null());
  must(store->remember("loyalty", "dataset_id", "D1"));
  must(store->remember("loyalty", "dataset_id", Value::Object{{"id", "D2"}}));
  must(store->remember("churn", "dataset_id", "D9"));
  reopen();
  EXPECT_EQ(must(store->remembered("loyalty", "dataset_id")).text("id"), "D2");

  must(store->remember("loyalty", "dataset_id", Value()));

  EXPECT_TRUE(must(store->remembered("loyalty", "dataset_id")).is_null());
  EXPECT_EQ(must(store->remembered("churn", "dataset_id")), Value("D9"));
}

TEST_F(StoreTest, TextComesBackByteForByte) {
  const std::string odd("quote' \" \\ zero\0inside \xC3\xBC", 25);
  must(store->remember(odd, odd, odd));
  EXPECT_EQ(must(store->remembered(odd, odd)), Value(odd));
  EXPECT_TRUE(must(store->remembered("", "")).is_null());
}

TEST_F(StoreTest, ThreadsShareOneStore) {
  const auto change = open_change();
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::int64_t> numbers;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 25; ++i) {
        const auto intent = open(change.id, fmt::format("{}-{}", thread, i), "numbers");
        must(store->close_intent(intent.id, i, at(5)));
        must(store->last_run("loyalty"));
        const std::scoped_lock lock(mutex);
        numbers.insert(intent.number);
      }
    });
  }
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(numbers.size(), 100U);
  EXPECT_EQ(*numbers.rbegin(), 100);
}

TEST_F(StoreTest, TenThousandIntentsStayTellable) {
  const auto change = open_change();
  for (int i = 0; i < 10'000; ++i) {
    const auto intent = open(change.id, fmt::format("part-{:05}", i), "parts");
    ASSERT_EQ(intent.number, i + 1);
    if (i % 10 != 0) continue;
    must(store->close_intent(intent.id, i, at(4)));
  }
  reopen();
  EXPECT_EQ(open(change.id, "part-09990").result, Value(9'990));
  EXPECT_FALSE(open(change.id, "part-09999").result.has_value());
  must(store->close_change(change.id, "done", Value(), at(9)));
  EXPECT_TRUE(open(change.id, "part-09999").result.has_value());
}

}  // namespace
}  // namespace audiencesync
