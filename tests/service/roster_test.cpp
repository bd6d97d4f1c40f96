#include "daemon/service/roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/report/memory_events.h"
#include "engine/store/sqlite/sqlite_store.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RosterTest : public ::testing::Test {
 protected:
  RosterTest() {
    auto store = open_sqlite_store(folder_.path() / "state.db", OpenMode::ReadWrite);
    store_ = std::move(store).take();
    roster_ = std::make_unique<Roster>(*store_, events_, BackOff{1min, 10min, 2min});
    now_.wall = *parse_time("2026-03-10T12:00:00Z");
    now_.steady = std::chrono::steady_clock::time_point(1h);
  }

  static LoadedManifest manifest(const std::string& uid, std::optional<std::string> cron = "0 * * * *") {
    LoadedManifest loaded;
    loaded.manifest.uid = uid;
    loaded.manifest.name = "name of " + uid;
    loaded.manifest.file = uid + ".yaml";
    loaded.texts = {{loaded.manifest.file, uid + cron.value_or("")}};
    if (cron) loaded.manifest.schedule = CronSchedule{*cron, "UTC", Duration(0)};
    return loaded;
  }
  /// As if each had run with its definition before: nothing is wanted but what the schedule says.
  void has_run(const LoadedManifest& each) {
    const auto value = each.manifest.canonical();
    auto run = store_->begin_run(each.manifest.uid, digest_of(value), value, now_.wall);
    ASSERT_TRUE(run.ok());
    ASSERT_TRUE(store_->end_run(run->id, "converged", Value::Object{}, now_.wall).ok());
  }
  void accept(const std::vector<LoadedManifest>& manifests, const std::vector<std::string>& rejected = {}) {
    ManifestSet set;
    set.manifests = manifests;
    for (const auto& file : rejected) set.rejected.push_back({file, {file + ":1:1: wrong"}});
    roster_->accept(set, now_);
  }
  void pass(Duration time) {
    now_.wall += time;
    now_.steady += time;
  }
  std::vector<std::string> next(std::size_t count = 100) {
    std::vector<std::string> uids;
    for (const auto& run : roster_->next(now_, count)) uids.push_back(run.uid);
    return uids;
  }
  void run(const std::string& uid, ExitCode code) {
    roster_->begin(uid, now_);
    roster_->end(uid, code, now_, 1.0);
  }

  testing::TemporaryFolder folder_;
  MemoryEvents events_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Roster> roster_;
  Moment now_;
};

TEST_F(RosterTest, WhoWaitsLongestGoesFirstWhateverItsName) {
  for (const auto* uid : {"a", "b", "c"}) has_run(manifest(uid));
  accept({manifest("a", "30 * * * *"), manifest("b", "10 * * * *"), manifest("c", "20 * * * *")});
  pass(10min);
  EXPECT_THAT(next(), ElementsAre("b"));
  pass(10min);
  next();
  pass(10min);
  EXPECT_THAT(next(), ElementsAre("b", "c", "a"));
  EXPECT_THAT(next(1), ElementsAre("b"));
  run("b", ExitCode::Converged);
  EXPECT_THAT(next(1), ElementsAre("c"));
}

TEST_F(RosterTest, ASyncThatFailsAgainAndAgainDoesNotHoldUpAnother) {
  for (const auto* uid : {"sick", "well"}) has_run(manifest(uid));
  accept({manifest("sick"), manifest("well")});
  pass(1h);
  ASSERT_THAT(next(1), ElementsAre("sick"));
  run("sick", ExitCode::Failed);
  EXPECT_THAT(next(1), ElementsAre("well"));
  run("well", ExitCode::Converged);
  EXPECT_THAT(next(), IsEmpty());
  const auto alarm = roster_->alarm(now_);
  EXPECT_EQ(alarm.steady, now_.steady + 1min);
}

TEST_F(RosterTest, ANewManifestAndAChangedDefinitionRunAtOnce) {
  accept({manifest("a")});
  EXPECT_THAT(next(), ElementsAre("a"));
  has_run(manifest("a"));
  run("a", ExitCode::Waits);
  EXPECT_THAT(next(), IsEmpty());
  auto changed = manifest("a");
  changed.manifest.tenant = "_other";
  changed.texts["a.yaml"] = "other";
  accept({changed});
  EXPECT_THAT(next(), ElementsAre("a"));
}

TEST_F(RosterTest, WithoutAScheduleNothingRunsByItself) {
  accept({manifest("a", std::nullopt)});
  EXPECT_THAT(next(), IsEmpty());
  ASSERT_TRUE(roster_->want("name of a", now_).ok());
  EXPECT_THAT(next(), ElementsAre("a"));
}

TEST_F(RosterTest, ARejectedFileLeavesItsSyncAsItWasAndARemovedOneEndsIt) {
  for (const auto* uid : {"a", "b"}) has_run(manifest(uid));
  accept({manifest("a"), manifest("b")});
  accept({}, {"a.yaml"});
  pass(1h);
  EXPECT_THAT(next(), ElementsAre("a"));
  EXPECT_EQ(roster_->entries().size(), 1U);
}

TEST_F(RosterTest, ARunOfARemovedSyncMayEnd) {
  has_run(manifest("a"));
  accept({manifest("a")});
  pass(1h);
  roster_->begin("a", now_);
  accept({});
  EXPECT_EQ(roster_->entries().size(), 1U);
  roster_->end("a", ExitCode::Converged, now_, 0);
  EXPECT_TRUE(roster_->entries().empty());
}

TEST_F(RosterTest, ASuspendedSyncIsSkippedAndRunNowIsRefused) {
  has_run(manifest("a"));
  accept({manifest("a")});
  Suspension suspension;
  suspension.uid = "a";
  suspension.since = now_.wall;
  suspension.until = now_.wall + 90min;
  ASSERT_TRUE(store_->suspend(suspension).ok());
  roster_->read_decisions(now_);
  pass(1h);
  EXPECT_THAT(next(), IsEmpty());
  const auto wanted = roster_->want("a", now_);
  ASSERT_FALSE(wanted.ok());
  EXPECT_EQ(wanted.error().code(), ErrorCode::Refused);
  EXPECT_THAT(wanted.error().text(), HasSubstr("audiencesync resume"));
  pass(30min);
  EXPECT_THAT(next(), ElementsAre("a"));
}

TEST_F(RosterTest, AnApprovedPlanRunsOnceAtOnce) {
  has_run(manifest("a"));
  accept({manifest("a")});
  HeldPlan plan;
  plan.uid = "a";
  plan.digest = std::string(64, 'd');
  plan.definition = std::string(64, 'e');
  plan.plan = Value::Object{};
  plan.since = now_.wall;
  plan.until = now_.wall + 24h;
  const auto held = store_->hold_plan(plan);
  ASSERT_TRUE(held.ok());
  roster_->read_decisions(now_);
  EXPECT_THAT(next(), IsEmpty());
  ASSERT_TRUE(store_->decide_plan(held->id, HoldState::Approved, "ada", "why not", now_.wall).ok());
  roster_->read_decisions(now_);
  EXPECT_THAT(next(), ElementsAre("a"));
  // It stays approved when the run could not execute it: that must not be tried for ever.
  run("a", ExitCode::Refused);
  roster_->read_decisions(now_);
  EXPECT_THAT(next(), IsEmpty());
}

TEST_F(RosterTest, AZoneThatThisMachineDoesNotKnowStopsOnlyItsOwnSync) {
  auto wrong = manifest("a");
  wrong.manifest.schedule->timezone = "Europe/Atlantis";
  accept({wrong, manifest("b")});
  EXPECT_THAT(next(), ElementsAre("b"));
}

TEST_F(RosterTest, UnknownSyncsAreNamedWithThoseThatAre) {
  accept({manifest("a")});
  const auto wanted = roster_->want("z", now_);
  ASSERT_FALSE(wanted.ok());
  EXPECT_THAT(wanted.error().text(), HasSubstr("'z'"));
  EXPECT_THAT(wanted.error().text(), HasSubstr("name of a"));
}

}  // namespace
}  // namespace audiencesync
