// The past of a relation and the suspensions of a sync, as the store keeps them.
#include <gmock/gmock.h>

#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

using testing::SizeIs;

class HistoryStoreTest : public testing::Test {
 protected:
  void reopen() {
    store.reset();
    store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  }
  /// A run that commits one generation, with a delta of this name.
  std::int64_t commit(std::int64_t generation, const Digest& delta) {
    const auto run = must(store->begin_run("loyalty", "d", Value(), at(generation)));
    const auto change = must(store->open_change(run.id, change_named("people"), at(generation)));
    const auto intent = must(store->open_intent(change.id, "commit", "", at(generation)));
    auto snapshot = snapshot_of("loyalty/analytics", generation);
    snapshot.delta = delta;
    must(store->commit(intent.id, snapshot, batch_of(snapshot), {}, at(generation)));
    must(store->close_change(change.id, "done", Value(), at(generation)));
    must(store->end_run(run.id, "converged", Value(), at(generation)));
    return run.id;
  }
  static Suspension suspension(const std::string& by, std::int64_t since) {
    Suspension one;
    one.uid = "loyalty";
    one.by = by;
    one.reason = "freeze";
    one.since = at(since);
    return one;
  }
  std::vector<PastSnapshot> past() { return must(store->past_snapshots("loyalty/analytics", 10)); }

  Scratch scratch;
  Path file = scratch.folder() / "state" / "store.db";
  std::unique_ptr<Store> store = must(open_sqlite_store(file, OpenMode::ReadWrite));
};

TEST_F(HistoryStoreTest, EachSnapshotKnowsItsRunAndTheOneBefore) {
  const auto first = commit(1, "");
  const auto second = commit(2, "d2");
  reopen();

  const auto snapshots = past();

  ASSERT_THAT(snapshots, SizeIs(2));
  EXPECT_EQ(snapshots[0].run, second);
  EXPECT_EQ(snapshots[0].record.content, "content-2");
  EXPECT_EQ(snapshots[0].record.delta, "d2");
  EXPECT_EQ(snapshots[0].previous, snapshots[1].id);
  EXPECT_EQ(snapshots[1].run, first);
  EXPECT_EQ(snapshots[1].previous, 0);
  EXPECT_EQ(must(store->current("loyalty/analytics"))->delta, "d2");
}

TEST_F(HistoryStoreTest, DeltasAreDroppedUpToASnapshotAndReplacedByName) {
  commit(1, "");
  for (int generation = 2; generation <= 4; ++generation) commit(generation, "d" + std::to_string(generation));

  must(store->drop_deltas("loyalty/analytics", past()[2].id));
  must(store->replace_deltas("loyalty/analytics", {{"d4", "e4"}, {"d2", "e2"}}));

  const auto snapshots = past();
  EXPECT_EQ(snapshots[0].record.delta, "e4");
  EXPECT_TRUE(snapshots[0].record.erased);
  EXPECT_EQ(snapshots[1].record.delta, "d3");
  EXPECT_FALSE(snapshots[1].record.erased);
  EXPECT_EQ(snapshots[2].record.delta, "");
}

TEST_F(HistoryStoreTest, OnlyTheNewestSuspensionCanHold) {
  must(store->suspend(suspension("ada", 1)));
  auto rollback = suspension("bob", 2);
  rollback.until = at(9);
  rollback.run = 7;
  const auto second = must(store->suspend(rollback));
  reopen();

  auto suspensions = must(store->suspensions("loyalty", 5));
  ASSERT_THAT(suspensions, SizeIs(2));
  EXPECT_TRUE(suspensions[0].holds(at(8)));
  EXPECT_FALSE(suspensions[0].holds(at(9))) << "it ends by itself";
  EXPECT_EQ(suspensions[0].run, 7);
  EXPECT_FALSE(suspensions[1].holds(at(8)));

  must(store->resume(second.id, "cid", "repaired", at(5)));
  must(store->resume(second.id, "dee", "again", at(6)));
  suspensions = must(store->suspensions("loyalty", 5));
  EXPECT_FALSE(suspensions[0].holds(at(6)));
  EXPECT_EQ(suspensions[0].resumed_by, "cid") << "lifted once";
  EXPECT_THAT(must(store->suspensions("other", 5)), SizeIs(0));
}

TEST_F(HistoryStoreTest, CommandsOfOperatorsAreKeptWithHowTheyEnded) {
  const auto first = must(store->begin_audit(audited(at(1), "ann", "approve ab")));
  auto refused = audited(at(2), "bob", "daemon");
  refused.answer = "refused";
  must(store->begin_audit(refused));
  must(store->end_audit(first, 3, at(4)));
  must(store->end_audit(first + 100, 0, at(5)));
  reopen();

  const auto commands = must(store->audit(10));

  ASSERT_THAT(commands, SizeIs(2));
  EXPECT_EQ(commands[0].user, "bob");
  EXPECT_EQ(commands[0].answer, "refused");
  EXPECT_FALSE(commands[0].code.has_value());
  EXPECT_EQ(commands[1].command, "approve ab");
  EXPECT_EQ(commands[1].uid, 1000);
  EXPECT_EQ(commands[1].at, at(1));
  EXPECT_EQ(commands[1].ended, at(4));
  EXPECT_EQ(commands[1].code, 3);
  EXPECT_THAT(must(store->audit(1)), SizeIs(1));
}

TEST_F(HistoryStoreTest, CommandsAreKeptForALongTimeButNotForEver) {
  const auto command = [](Time when) { return audited(when, "ann", "status"); };
  must(store->begin_audit(command(at(1))));
  must(store->begin_audit(command(at(1) + Store::kAuditedFor - std::chrono::hours(1))));
  EXPECT_THAT(must(store->audit(10)), SizeIs(2));
  must(store->begin_audit(command(at(1) + Store::kAuditedFor + std::chrono::hours(1))));
  EXPECT_THAT(must(store->audit(10)), SizeIs(2));
}

}  // namespace
}  // namespace audiencesync
