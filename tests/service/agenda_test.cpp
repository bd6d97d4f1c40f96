#include "daemon/service/agenda.h"

#include <gtest/gtest.h>

namespace audiencesync {
namespace {

using namespace std::chrono_literals;

Time at(const char* text) { return *parse_time(text); }

class AgendaTest : public ::testing::Test {
 protected:
  AgendaTest() {
    manifest_.uid = "luma";
    manifest_.name = "luma";
    manifest_.file = "luma.yaml";
    manifest_.schedule = CronSchedule{"0 4 * * *", "UTC", Duration(0)};
    now_.wall = at("2026-03-10T12:00:00Z");
    now_.steady = std::chrono::steady_clock::time_point(1h);
  }

  Agenda make(const Value& memory = {}) {
    auto agenda = Agenda::make(manifest_, memory, back_off_, now_);
    EXPECT_TRUE(agenda.ok());
    return std::move(agenda).take();
  }
  void pass(Duration time) {
    now_.wall += time;
    now_.steady += time;
  }
  void go_to(const char* time) { pass(at(time) - now_.wall); }
  void run(Agenda& agenda, ExitCode code, double spread = 1.0) {
    agenda.begin(now_);
    agenda.end(code, now_, spread);
  }
  bool ready(Agenda& agenda) { return agenda.turn(now_).ready; }

  Manifest manifest_;
  BackOff back_off_{1min, 10min, 2min};
  Moment now_;
};

TEST_F(AgendaTest, RunsWhenItIsDueAndOnceOnly) {
  auto agenda = make();
  const auto turn = agenda.turn(now_);
  EXPECT_FALSE(turn.ready);
  EXPECT_EQ(turn.again, at("2026-03-11T04:00:00Z"));
  go_to("2026-03-11T04:00:00Z");
  EXPECT_TRUE(ready(agenda));
  run(agenda, ExitCode::Converged);
  EXPECT_FALSE(ready(agenda));
  EXPECT_EQ(agenda.turn(now_).again, at("2026-03-12T04:00:00Z"));
}

TEST_F(AgendaTest, AMissedTimeIsMadeUpForOnceAfterARestart) {
  const auto memory = make().memory();
  go_to("2026-03-15T09:00:00Z");
  auto agenda = make(memory);
  EXPECT_TRUE(ready(agenda));
  run(agenda, ExitCode::Waits);
  EXPECT_FALSE(ready(agenda));
}

TEST_F(AgendaTest, ARunThatACrashCutShortIsDueAgain) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  agenda.begin(now_);
  auto after = make(agenda.memory());
  EXPECT_TRUE(ready(after));
}

TEST_F(AgendaTest, AFailureLeavesItAloneForLongerAndLongerAndASuccessEndsThat) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  for (const auto wait :
       {Duration(1min), Duration(2min), Duration(4min), Duration(8min), Duration(10min), Duration(10min)}) {
    ASSERT_TRUE(ready(agenda));
    run(agenda, ExitCode::Failed);
    pass(wait - 1s);
    EXPECT_FALSE(ready(agenda)) << wait.count();
    pass(1s);
  }
  EXPECT_TRUE(ready(agenda));
  run(agenda, ExitCode::Converged);
  EXPECT_EQ(agenda.failures(), 0);
  EXPECT_FALSE(ready(agenda));
}

TEST_F(AgendaTest, ThePauseAfterAFailureIsSpread) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  run(agenda, ExitCode::Access, 0.0);
  pass(30s);
  EXPECT_TRUE(ready(agenda)) << "half of it at least, all of it at most";
}

TEST_F(AgendaTest, WhatOnlyAPersonCanEndIsNotTriedAgain) {
  for (const auto code : {ExitCode::Waits, ExitCode::Refused}) {
    auto agenda = make();
    go_to("2026-03-11T04:00:00Z");
    run(agenda, code);
    pass(3h);
    EXPECT_FALSE(ready(agenda));
    now_.wall = at("2026-03-10T12:00:00Z");
  }
}

TEST_F(AgendaTest, WhatIsNotFinishedGoesOnSoonAndCountsAsNoFailure) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  run(agenda, ExitCode::NotFinished, 0.0);
  EXPECT_FALSE(ready(agenda));
  pass(2min);
  EXPECT_TRUE(ready(agenda));
  run(agenda, ExitCode::Locked, 0.0);
  pass(2min);
  EXPECT_TRUE(ready(agenda));
  EXPECT_EQ(agenda.failures(), 0);
}

TEST_F(AgendaTest, StoppedByUsItIsDueAsBefore) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  run(agenda, ExitCode::Terminated);
  EXPECT_TRUE(ready(agenda));
}

TEST_F(AgendaTest, APersonsWishOverridesAWindowAndThePauseAfterAFailure) {
  manifest_.schedule->deny = {{"0 0 * * *", Duration(24h), "UTC"}};
  auto agenda = make();
  EXPECT_FALSE(ready(agenda));
  agenda.want(Cause::Definition);
  EXPECT_FALSE(ready(agenda)) << "a window holds up what no person asked for";
  agenda.want(Cause::Person);
  EXPECT_TRUE(ready(agenda));
  run(agenda, ExitCode::Converged);
  EXPECT_FALSE(ready(agenda));
}

TEST_F(AgendaTest, AWishIsKeptOverARestart) {
  auto agenda = make();
  agenda.want(Cause::Person);
  auto after = make(agenda.memory());
  EXPECT_TRUE(ready(after));
  EXPECT_EQ(after.turn(now_).cause, Cause::Person);
}

TEST_F(AgendaTest, SuspendedItRestsUntilThen) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  agenda.pause(Pause{at("2026-03-12T10:00:00Z")});
  EXPECT_FALSE(ready(agenda));
  EXPECT_EQ(agenda.turn(now_).again, at("2026-03-12T10:00:00Z"));
  go_to("2026-03-12T10:00:00Z");
  EXPECT_TRUE(ready(agenda));
}

TEST_F(AgendaTest, AClockSetFarForwardAndBackSilencesNothing) {
  auto agenda = make();
  now_.wall = at("2036-01-01T00:00:00Z");
  EXPECT_TRUE(ready(agenda));
  run(agenda, ExitCode::Converged);
  now_.wall = at("2026-03-10T12:05:00Z");
  EXPECT_FALSE(ready(agenda));
  now_.wall = at("2026-03-11T04:00:00Z");
  EXPECT_TRUE(ready(agenda));
}

TEST_F(AgendaTest, AClockSetBackDoesNotLengthenThePauseAfterAFailure) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  run(agenda, ExitCode::Failed);
  now_.wall -= 6h;
  now_.steady += 1min;
  agenda.want(Cause::Definition);
  EXPECT_TRUE(ready(agenda));
}

TEST_F(AgendaTest, AnotherScheduleHasMissedNothing) {
  auto agenda = make();
  go_to("2026-03-11T03:00:00Z");
  manifest_.schedule->cron = "30 1 * * *";
  ASSERT_TRUE(agenda.change(manifest_, now_).ok());
  EXPECT_FALSE(ready(agenda));
  EXPECT_EQ(agenda.turn(now_).again, at("2026-03-12T01:30:00Z"));
}

TEST_F(AgendaTest, AMendedManifestDoesNotWaitForThePauseOfTheBrokenOne) {
  auto agenda = make();
  go_to("2026-03-11T04:00:00Z");
  run(agenda, ExitCode::Invalid);
  EXPECT_FALSE(ready(agenda));
  ASSERT_TRUE(agenda.change(manifest_, now_).ok());
  EXPECT_TRUE(ready(agenda));
}

TEST_F(AgendaTest, WithoutAScheduleItRunsOnRequestOnly) {
  manifest_.schedule.reset();
  auto agenda = make();
  EXPECT_FALSE(ready(agenda));
  EXPECT_EQ(agenda.turn(now_).again, std::nullopt);
  agenda.want(Cause::Person);
  EXPECT_TRUE(ready(agenda));
}

}  // namespace
}  // namespace audiencesync
