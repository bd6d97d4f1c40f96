#include "engine/reconcile/logged_context.h"

#include <gmock/gmock.h>

#include "tests/reconcile/run_world.h"

namespace audiencesync {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// One open change, and what a step of it looks for and makes.
class LoggedContextTest : public testing::Test, protected RunWorld {
 protected:
  LoggedContextTest() {
    settings.timing.settle = seconds(80);
    run = must(store->begin_run("luma", "definition", Value{}, server.now())).id;
    change = open_change("people");
  }

  std::int64_t open_change(const std::string& name) {
    return must(store->open_change(run, change_named(name), server.now())).id;
  }
  // Every context is a new one: nothing may be kept in memory.
  LoggedContext context() { return LoggedContext(services, outputs, *store, client, change); }

  Result<Value> once(const Step& step = {"batch", ""}) { return context().once(step, find, make); }
  void interrupted_before_the_answer(const std::string& step = "batch", const std::string& sequence = "") {
    ASSERT_TRUE(must(store->open_intent(change, step, sequence, server.now())).fresh);
  }
  // As long as the intent is open, the store hands it out without a result.
  std::optional<Value> stored(const std::string& step = "batch") {
    return must(store->open_intent(change, step, "", server.now())).result;
  }

  std::int64_t run = 0;
  std::int64_t change = 0;
  int made = 0;
  int looked = 0;
  std::vector<Duration> looked_at;  // since the test began
  std::optional<Duration> appears;  // what was made is to be found from then on
  std::vector<Result<Value>> answers;

  WriteContext::Find find = [this](const Attempt&) -> Result<std::optional<Value>> {
    ++looked;
    looked_at.push_back(clock.now() - at(0));
    if (appears && clock.now() - at(0) >= *appears) return std::optional(Value("found"));
    return std::optional<Value>();
  };
  WriteContext::Make make = [this](http::WriteClient&, const Attempt&) -> Result<Value> {
    const auto index = static_cast<std::size_t>(made++);
    return index < answers.size() ? answers[index] : Result<Value>(Value("made"));
  };
};

TEST_F(LoggedContextTest, AFreshStepIsMadeWithoutLooking) {
  EXPECT_EQ(*once(), Value("made"));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(looked, 0);
  EXPECT_THAT(clock.sleeps, IsEmpty());
}

TEST_F(LoggedContextTest, AClosedStepGivesItsStoredResultWithoutAnyCall) {
  ASSERT_TRUE(once().ok());
  reopen_store();

  EXPECT_EQ(*once(), Value("made"));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(looked, 0);
}

TEST_F(LoggedContextTest, TheIntentIsOnTheDiskBeforeTheCall) {
  make = [&](http::WriteClient&, const Attempt&) -> Result<Value> {
    const auto intent = must(store->open_intent(change, "batch", "", server.now()));
    EXPECT_FALSE(intent.fresh);
    EXPECT_FALSE(intent.result);
    return Value("made");
  };
  ASSERT_TRUE(once().ok());
}

TEST_F(LoggedContextTest, WhatAnOpenIntentMadeIsFoundAndNotMadeAgain) {
  interrupted_before_the_answer();
  appears = seconds(0);

  EXPECT_EQ(*once(), Value("found"));
  EXPECT_EQ(made, 0);
  EXPECT_EQ(stored(), Value("found"));
  EXPECT_THAT(events.named("step.found"), SizeIs(1));
}

TEST_F(LoggedContextTest, WhatShowsUpWhileItSettlesIsFoundToo) {
  interrupted_before_the_answer();
  appears = seconds(65);

  EXPECT_EQ(*once(), Value("found"));
  EXPECT_EQ(made, 0);
}

TEST_F(LoggedContextTest, WhatShowsUpOnlyInTheLastLookIsFoundToo) {
  interrupted_before_the_answer();
  appears = seconds(81);

  EXPECT_EQ(*once(), Value("found"));
  EXPECT_EQ(made, 0);
}

TEST_F(LoggedContextTest, AbsenceCountsAfterTheSettleTimeAndASecondLook) {
  interrupted_before_the_answer();

  EXPECT_EQ(*once(), Value("made"));

  EXPECT_EQ(made, 1);
  ASSERT_GE(looked_at.size(), 2U);
  EXPECT_GE(looked_at[looked_at.size() - 2], seconds(80)) << "a look before the settle time proves nothing";
  EXPECT_GT(looked_at.back(), looked_at[looked_at.size() - 2]) << "lists lag, so it is looked for twice";
}

TEST_F(LoggedContextTest, TheSettleTimeStartsNowAndNotWithTheIntent) {
  interrupted_before_the_answer();
  clock.advance(std::chrono::hours(5));  // a killed process may have sent its request just before it died

  ASSERT_TRUE(once().ok());
  EXPECT_GE(looked_at.back(), std::chrono::hours(5) + seconds(80));
}

TEST_F(LoggedContextTest, SettlingIsMeasuredInServerTime) {
  interrupted_before_the_answer();
  // The platform's clock runs an hour ahead of ours.
  const Time date = clock.now() + std::chrono::hours(1);
  server.observe(date, clock.now(), clock.now());

  ASSERT_TRUE(once().ok());
  EXPECT_GE(looked_at.back(), seconds(80));
  EXPECT_LT(looked_at.back(), seconds(120));
}

TEST_F(LoggedContextTest, AnUnknownOutcomeIsLookedFor) {
  answers = {Error(ErrorCode::Unknown, "the answer was lost")};
  appears = seconds(0);

  EXPECT_EQ(*once(), Value("found"));
  EXPECT_EQ(made, 1);
  EXPECT_THAT(events.named("step.unknown"), SizeIs(1));
}

TEST_F(LoggedContextTest, AnUnknownOutcomeThatLeftNothingIsTriedAgain) {
  answers = {Error(ErrorCode::Unknown, "lost")};

  EXPECT_EQ(*once(), Value("made"));
  EXPECT_EQ(made, 2);
  EXPECT_GE(looked_at.back(), seconds(80));
}

TEST_F(LoggedContextTest, AfterThreeUnknownOutcomesTheNextRunLooksAgain) {
  answers = {Error(ErrorCode::Unknown, "lost"), Error(ErrorCode::Unknown, "lost"), Error(ErrorCode::Unknown, "lost")};

  const auto ended = once();

  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Unavailable);
  EXPECT_THAT(ended.error().message(), AllOf(HasSubstr("batch"), HasSubstr("3 attempts"), HasSubstr("next apply")));
  EXPECT_EQ(made, 3);

  appears = seconds(0);
  EXPECT_EQ(*once(), Value("found"));
  EXPECT_EQ(made, 3);
}

TEST_F(LoggedContextTest, AnyOtherErrorPassesAndLeavesTheIntentOpen) {
  answers = {Error(ErrorCode::Rejected, "no such dataset")};

  const auto ended = once();

  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Rejected);
  EXPECT_EQ(ended.error().message(), "no such dataset");
  EXPECT_EQ(made, 1);
  EXPECT_EQ(stored(), std::nullopt);
}

TEST_F(LoggedContextTest, ALookThatFailsMakesNothing) {
  interrupted_before_the_answer();
  find = [](const Attempt&) -> Result<std::optional<Value>> { return Error(ErrorCode::Unavailable, "catalog down"); };

  const auto ended = once();

  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(stored(), std::nullopt);
}

TEST_F(LoggedContextTest, ARepeatableStepIsRepeatedAtOnce) {
  interrupted_before_the_answer();
  find = {};

  EXPECT_EQ(*once(), Value("made"));
  EXPECT_THAT(clock.sleeps, IsEmpty());
}

TEST_F(LoggedContextTest, ARepeatableStepWithoutAnswerIsRepeatedAtOnce) {
  answers = {Error(ErrorCode::Unknown, "lost")};
  find = {};

  EXPECT_EQ(*once(), Value("made"));
  EXPECT_EQ(made, 2);
  EXPECT_THAT(clock.sleeps, IsEmpty());
}

TEST_F(LoggedContextTest, NumbersOfASequenceAreNeverUsedAgain) {
  std::vector<std::int64_t> numbers;
  make = [&](http::WriteClient&, const Attempt& attempt) -> Result<Value> {
    numbers.push_back(attempt.number);
    return Value("made");
  };
  const std::string sequence = "generation/luma/analytics";

  ASSERT_TRUE(once({"batch-1", sequence}).ok());
  ASSERT_TRUE(once({"batch-2", sequence}).ok());
  ASSERT_TRUE(once({"plain", ""}).ok());
  ASSERT_TRUE(once({"batch-1", "generation/other"}).ok());  // closed already: no number is drawn
  reopen_store();
  change = open_change("next");
  ASSERT_TRUE(once({"batch-1", sequence}).ok());

  EXPECT_THAT(numbers, ElementsAre(1, 2, 0, 3));
}

TEST_F(LoggedContextTest, ARepeatedAttemptKeepsItsNumberAndItsTime) {
  interrupted_before_the_answer("batch", "generation");
  const Time opened = server.now();
  clock.advance(std::chrono::hours(1));
  std::vector<Attempt> seen;
  find = [&](const Attempt& attempt) -> Result<std::optional<Value>> {
    seen.push_back(attempt);
    return std::optional(Value("found"));
  };

  ASSERT_TRUE(once({"batch", "generation"}).ok());

  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].number, 1);
  EXPECT_EQ(seen[0].opened, opened) << "what the attempt made is not older than its intent";
}

TEST_F(LoggedContextTest, NothingIsMadeOnceAStopWasRequested) {
  stop.request_stop();

  const auto ended = once();

  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Interrupted);
  EXPECT_EQ(ended.error().message(), "interrupted before step batch; the next apply continues");
  EXPECT_EQ(made, 0);
}

TEST_F(LoggedContextTest, AStopWhileSettlingMakesNothing) {
  interrupted_before_the_answer();
  clock.on_sleep = [&] { stop.request_stop(); };

  const auto ended = once();

  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Interrupted);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(stored(), std::nullopt);
}

class LoggedWaitTest : public LoggedContextTest {
 protected:
  Result<Value> wait() {
    return context().wait("batch B1", seconds(20), seconds(50), [this]() -> Result<std::optional<Value>> {
      ++looks;
      if (failure) return *failure;
      if (looks >= answer_at) return std::optional(Value("success"));
      return std::optional<Value>();
    });
  }
  int looks = 0;
  int answer_at = 1;
  std::optional<Error> failure;
};

TEST_F(LoggedWaitTest, AnAnswerThatIsThereNeedsNoSleep) {
  EXPECT_EQ(*wait(), Value("success"));
  EXPECT_THAT(clock.sleeps, IsEmpty());
}

TEST_F(LoggedWaitTest, LooksOnceAPoll) {
  answer_at = 3;
  EXPECT_EQ(*wait(), Value("success"));
  EXPECT_THAT(clock.sleeps, ElementsAre(seconds(20), seconds(20)));
  EXPECT_THAT(events.all_progress(), SizeIs(2));
}

TEST_F(LoggedWaitTest, TheLastLookIsAtTheDeadline) {
  answer_at = 100;

  const auto ended = wait();

  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::NotFinished);
  EXPECT_EQ(ended.error().message(), "batch B1 is not finished after 50 s; run apply again later, it continues there");
  EXPECT_THAT(clock.sleeps, ElementsAre(seconds(20), seconds(20), seconds(10)));
  EXPECT_EQ(looks, 4);
}

TEST_F(LoggedWaitTest, AnErrorEndsIt) {
  failure = Error(ErrorCode::Permission, "no access to the catalog");
  const auto ended = wait();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Permission);
  EXPECT_EQ(looks, 1);
}

TEST_F(LoggedWaitTest, AStopEndsIt) {
  answer_at = 100;
  clock.on_sleep = [&] { stop.request_stop(); };
  const auto ended = wait();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), ErrorCode::Interrupted);
  EXPECT_EQ(ended.error().message(), "interrupted while waiting for batch B1; the next apply continues");
  EXPECT_EQ(looks, 1);
}

TEST_F(LoggedContextTest, ACommitHappensOnce) {
  const auto first = snapshot_of("luma/analytics", 1);
  const auto second = snapshot_of("luma/analytics", 2);
  const std::vector<QuarantineRecord> bad{{"luma/analytics", "x@y.io", "INGEST-1 bad", "batch-1", at(1)}};

  ASSERT_TRUE(context().commit({"commit-1", ""}, first, batch_of(first), bad).ok());
  reopen_store();
  ASSERT_TRUE(context().commit({"commit-1", ""}, second, batch_of(second), {}).ok());

  EXPECT_EQ(must(store->current("luma/analytics"))->content, first.content);
  EXPECT_THAT(must(store->batches("luma/analytics")), SizeIs(1));
  EXPECT_THAT(must(store->quarantine("luma/analytics")), SizeIs(1));
}

TEST_F(LoggedContextTest, TheQuarantineCanChangeWithoutASnapshot) {
  ASSERT_TRUE(context().quarantine("luma/analytics", {{"luma/analytics", "x@y.io", "bad", "b1", at(1)}}).ok());
  EXPECT_THAT(must(store->quarantine("luma/analytics")), SizeIs(1));
  ASSERT_TRUE(context().quarantine("luma/analytics", {}).ok());
  EXPECT_THAT(must(store->quarantine("luma/analytics")), IsEmpty());
  EXPECT_FALSE(must(store->current("luma/analytics")).has_value());
}

}  // namespace
}  // namespace audiencesync
