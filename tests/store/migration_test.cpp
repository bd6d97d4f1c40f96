#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "engine/store/sqlite/sqlite_schema.h"
#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

using testing::SizeIs;

// States of every version that was ever in use, as the program of that version left them: of the first a dump, of the
// later ones what their migrations had made of it, with what only they could keep.
class Migration : public testing::TestWithParam<std::int64_t> {
 protected:
  Migration() {
    std::ifstream stream(AUDIENCESYNC_SOURCE_DIR "/tests/store/states/version-1.sql");
    const std::string sql(std::istreambuf_iterator<char>(stream), {});
    EXPECT_FALSE(sql.empty());
    must(PosixFiles().make_folder(file.parent_path()));
    auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
    must(database->run_script(sql.c_str(), "make an old state"));
    must(migrate_to(*database, GetParam()));
    EXPECT_EQ(must(database->number("PRAGMA user_version", "read the version")), GetParam());
    if (GetParam() >= 2) {
      must(
          database->run_script("INSERT INTO held_plans (uid, digest, definition, source, plan, since, until) "
                               "VALUES ('loyalty', 'abcd', 'd1', 'e1', '{\"digest\":\"abcd\"}', 5, 50)",
                               "hold a plan as then"));
    }
    if (GetParam() >= 3) must(database->run_script("UPDATE quarantine SET given_up = 1", "give up as then"));
  }

  Scratch scratch;
  Path file = scratch.folder() / "state" / "state.db";
};

TEST_P(Migration, KeepsEverythingThatWasKnown) {
  const auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));

  const auto run = must(store->last_run("loyalty"));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->verdict, "converged");
  EXPECT_EQ(run->summary.number("applied"), 1);
  const auto current = must(store->current("loyalty/analytics"));
  ASSERT_TRUE(current);
  EXPECT_EQ(current->content, "c1");
  EXPECT_EQ(current->generation, 7);
  const auto batches = must(store->batches("loyalty/analytics"));
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].supersedes_below, 0) << "nobody knew";
  const auto quarantine = must(store->quarantine("loyalty/analytics"));
  ASSERT_THAT(quarantine, SizeIs(1));
  EXPECT_EQ(quarantine[0].given_up, GetParam() >= 3);
  const auto held = must(store->held_plans("loyalty", 5));
  ASSERT_THAT(held, SizeIs(GetParam() >= 2 ? 1 : 0));
  if (!held.empty()) {
    EXPECT_EQ(held[0].digest, "abcd");
    EXPECT_TRUE(held[0].live());
    EXPECT_EQ(held[0].plan.text("digest"), "abcd");
  }
  EXPECT_EQ(must(store->remembered("loyalty", "pin:Gold")), Value("A1"));
  const auto next = must(store->begin_run("loyalty", "d1", Value(), at(20)));
  const auto change = must(store->open_change(next.id, change_named("x"), at(21)));
  EXPECT_EQ(must(store->open_intent(change.id, "batch", "loyalty/analytics", at(22))).number, 8);
}

TEST_P(Migration, GivesWhatNewerVersionsNeed) {
  const auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  HeldPlan plan;
  plan.uid = "loyalty";
  plan.digest = "abc";
  must(store->hold_plan(plan));
  EXPECT_EQ(must(store->held_plans("loyalty", 5)).front().digest, "abc");
  const auto past = must(store->past_snapshots("loyalty/analytics", 5));
  ASSERT_THAT(past, SizeIs(1));
  EXPECT_EQ(past[0].record.content, "c1");
  EXPECT_EQ(past[0].record.delta, "") << "nothing leads back from it";
  Suspension freeze;
  freeze.uid = "loyalty";
  must(store->suspend(freeze));
  EXPECT_THAT(must(store->suspensions("loyalty", 5)), SizeIs(1));
  EXPECT_THAT(must(store->audit(5)), SizeIs(0));
  must(store->begin_audit(audited(at(5), "ann", "status")));
  EXPECT_THAT(must(store->audit(5)), SizeIs(1));
}

TEST_P(Migration, WaitsForAWriterWhenOnlyRead) {
  const auto store = open_sqlite_store(file, OpenMode::ReadOnly);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code(), ErrorCode::Unsupported);
}

INSTANTIATE_TEST_SUITE_P(States, Migration, testing::Values(1, 2, 3, 4, 5),
                         [](const auto& test) { return "version_" + std::to_string(test.param); });

}  // namespace
}  // namespace audiencesync
