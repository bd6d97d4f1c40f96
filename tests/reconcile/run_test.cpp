#include "engine/reconcile/run.h"

#include <gmock/gmock.h>

#include "engine/base/json.h"
#include "tests/reconcile/scripted_stage.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A sync with a staging slice (refreshed) and a target slice (converged).
class RunTest : public testing::Test, protected RunWorld {
 protected:
  RunTest() {
    staging.objects = {{"export", "e1"}};
    stages = {stage_over("staging", Phase::Refresh, staging, {{"export", Value("e1")}}),
              stage_over("target", Phase::Converge, target, {{"a", Value("1")}})};
  }

  RunResult execute(RunOptions options) {
    const auto registry = must(Registry::of(stages));
    SyncRun run(registry, services, *store, client);
    return run.execute(options);
  }
  RunResult plan(Refresh refresh = Refresh::No) {
    RunOptions options;
    options.mode = Mode::Plan;
    options.refresh = refresh;
    options.approve = [&](const Plan&) {
      ADD_FAILURE() << "a plan asks nobody";
      return Consent::Declined;
    };
    return execute(options);
  }
  RunResult apply(Refresh refresh = Refresh::No) {
    RunOptions options;
    options.mode = Mode::Apply;
    options.refresh = refresh;
    options.approve = [&](const Plan& asked_for) {
      asked.push_back(asked_for.digest());
      return consent;
    };
    options.announce = [&](const Change& change) { announced.push_back(change.key.text()); };
    return execute(options);
  }

  Change wanted_change(const std::string& name, const std::string& value, const std::string& stage = "target") {
    Change change;
    change.key = {stage, name};
    change.after["value"] = Value(value);
    return change;
  }
  // An earlier process began this change and died.
  ChangeRecord left_open(const Change& change, Digest definition = {}) {
    if (definition.empty()) definition = digest_of(manifest.canonical());
    const auto run = must(store->begin_run("luma", definition, Value{}, server.now()));
    return must(store->open_change(run.id, change, server.now()));
  }
  std::optional<RunRecord> last_run() { return must(store->last_run("luma")); }

  Slice staging;
  Slice target;
  std::vector<StageDescriptor> stages;
  Consent consent = Consent::Given;
  std::vector<Digest> asked;
  std::vector<std::string> announced;
};

TEST_F(RunTest, ADryRunShowsWhatWouldBeDoneAndWritesNothing) {
  target.remember = {{"pin", Value("x")}};

  const auto result = plan();

  EXPECT_EQ(result.verdict, Verdict::Pending);
  EXPECT_EQ(result.code(), ExitCode::ChangesPending);
  ASSERT_THAT(result.plan.changes, SizeIs(1));
  EXPECT_EQ(result.plan.changes[0].key.text(), "target/a");
  EXPECT_THAT(target.objects, IsEmpty());
  EXPECT_FALSE(last_run()) << "not even a record of the run";
  EXPECT_TRUE(must(store->remembered("luma", "pin")).is_null());
}

TEST_F(RunTest, ADryRunOfAConvergedSyncFindsNothing) {
  target.objects = {{"a", "1"}};
  const auto result = plan();
  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_EQ(result.code(), ExitCode::Converged);
  EXPECT_TRUE(result.plan.empty());
}

TEST_F(RunTest, ThePlanSaysWhoseItIs) {
  const auto plan_made = plan().plan;
  EXPECT_EQ(plan_made.sync, "luma");
  EXPECT_EQ(plan_made.uid, "luma");
  EXPECT_EQ(plan_made.file, "luma.yaml");
  EXPECT_EQ(plan_made.organization, "1234@AdobeOrg");
  EXPECT_EQ(plan_made.sandbox, "prod");
  EXPECT_EQ(plan_made.definition, digest_of(manifest.canonical()));
}

TEST_F(RunTest, TheSameWorldGivesTheSamePlan) {
  const auto first = plan().plan;
  const auto second = plan().plan;
  EXPECT_EQ(first.digest(), second.digest());
  EXPECT_EQ(to_json(first.to_value()), to_json(second.to_value()));
}

TEST_F(RunTest, WhatIsKnownOnlyAfterAnExportIsPendingThoughNothingDiffers) {
  target.objects = {{"a", "1"}};
  target.findings = {{Severity::Wait, "known-after-export", "there is no export"}};
  const auto result = plan();
  EXPECT_EQ(result.verdict, Verdict::Pending);
  EXPECT_FALSE(result.plan.known);
}

TEST_F(RunTest, ARefusalWhilePlanningStopsBeforeTheNextStageIsAsked) {
  staging.findings = {{Severity::Refuse, "export-empty", "it holds nobody"}};
  const auto result = plan();
  EXPECT_EQ(result.verdict, Verdict::Refused);
  EXPECT_EQ(result.code(), ExitCode::Refused);
  EXPECT_THAT(target.not_before, IsEmpty());
}

TEST_F(RunTest, ADryRunSaysThatAnEarlierRunWasInterrupted) {
  left_open(wanted_change("a", "1"));
  const auto result = plan();
  ASSERT_THAT(result.plan.findings, SizeIs(2));
  EXPECT_EQ(result.plan.findings[0].severity, Severity::Warning);
  EXPECT_THAT(result.plan.findings[0].text, HasSubstr("interrupted in target/a"));
  EXPECT_EQ(result.plan.findings[1].code, "first-plan");
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_THAT(must(store->open_changes("luma")), SizeIs(1));
}

TEST_F(RunTest, AnApprovedPlanIsAppliedAndProven) {
  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_EQ(result.code(), ExitCode::Converged);
  EXPECT_EQ(result.applied, 1U);
  EXPECT_EQ(target.objects.at("a"), "1");
  EXPECT_THAT(target.not_before, SizeIs(2)) << "it is observed again after it was written";
  EXPECT_THAT(asked, SizeIs(1));
  EXPECT_THAT(announced, ElementsAre("target/a"));
  ASSERT_TRUE(last_run() && last_run()->ended);
  EXPECT_EQ(last_run()->verdict, "converged");
  EXPECT_EQ(last_run()->summary.number("applied"), 1);
  EXPECT_THAT(must(store->open_changes("luma")), IsEmpty());
}

TEST_F(RunTest, ApplyingAgainAsksNobodyAndDoesNothing) {
  ASSERT_EQ(apply().applied, 1U);
  asked.clear();
  const auto again = apply();
  EXPECT_EQ(again.verdict, Verdict::Converged);
  EXPECT_EQ(again.applied, 0U);
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_THAT(target.told, SizeIs(1));
}

TEST_F(RunTest, WhatIsNotApprovedWaitsAndNothingIsApplied) {
  consent = Consent::Declined;
  target.remember = {{"pin", Value("x")}};

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Waiting);
  EXPECT_EQ(result.code(), ExitCode::Waits);
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_TRUE(must(store->remembered("luma", "pin")).is_null());
  EXPECT_EQ(last_run()->verdict, "waiting");
}

TEST_F(RunTest, FactsAreRememberedOnceThePlanIsApproved) {
  target.remember = {{"pin", Value("x")}};
  ASSERT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_EQ(must(store->remembered("luma", "pin")), Value("x"));

  target.remember = {{"pin", Value{}}};
  ASSERT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_TRUE(must(store->remembered("luma", "pin")).is_null()) << "null forgets";
}

TEST_F(RunTest, WithoutARefreshTheStagingIsOnlyLookedAt) {
  staging.objects.clear();
  const auto result = apply();
  EXPECT_THAT(staging.told, IsEmpty());
  EXPECT_THAT(staging.not_before, testing::Each(std::nullopt));
  ASSERT_THAT(result.plan.refresh, SizeIs(1));
  EXPECT_EQ(result.plan.refresh[0].key.text(), "staging/export");
}

TEST_F(RunTest, ARefreshWritesIntoTheStagingWithoutAsking) {
  staging.objects.clear();
  const auto result = plan(Refresh::Yes);
  EXPECT_EQ(result.verdict, Verdict::Pending);
  EXPECT_THAT(staging.told, ElementsAre("create export=e1"));
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_THAT(result.plan.refresh, IsEmpty()) << "done is not pending";
}

TEST_F(RunTest, ARefreshAsksForAnExportOfThisRun) {
  const Time began = server.now();
  ASSERT_EQ(apply(Refresh::Yes).verdict, Verdict::Converged);
  ASSERT_FALSE(staging.not_before.empty());
  EXPECT_THAT(staging.not_before, testing::Each(std::optional(began)));
}

TEST_F(RunTest, WhatARefreshMadeIsWhatThePlanReads) {
  staging.objects.clear();
  stages[1] = stage_over("target", Phase::Converge, target, {{"a", Ref{"staging", "export"}}}, {"staging"});
  ASSERT_EQ(apply(Refresh::Yes).verdict, Verdict::Converged);
  EXPECT_EQ(target.objects.at("a"), "e1");
}

TEST_F(RunTest, WhatOneStageMakesTheNextOneIsGiven) {
  Slice later;
  stages.push_back(stage_over("later", Phase::Converge, later, {{"b", Ref{"target", "a"}}}, {"target"}));

  const auto planned = plan().plan;
  ASSERT_THAT(planned.changes, SizeIs(2));
  EXPECT_EQ(planned.changes[1].after.at("value"), Field(Ref({"target", "a"}))) << "known after apply";

  ASSERT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_EQ(later.objects.at("b"), "1");
}

TEST_F(RunTest, AnOutputThatNobodyMadeIsOurMistakeAndWritesNothing) {
  Slice later;
  stages.push_back(stage_over("later", Phase::Converge, later, {{"b", Ref{"target", "ghost"}}}, {"target"}));
  const auto result = apply();
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), ErrorCode::Internal);
  EXPECT_THAT(result.error->text(), AllOf(HasSubstr("later/b"), HasSubstr("'value'")));
  EXPECT_THAT(later.told, IsEmpty());
}

TEST_F(RunTest, ARefusalStopsBeforeAnythingIsAskedOrApplied) {
  Slice later;
  later.findings = {{Severity::Refuse, "another-writer", "two writers"}};
  stages.push_back(stage_over("later", Phase::Converge, later, {}));

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Refused);
  EXPECT_EQ(result.code(), ExitCode::Refused);
  EXPECT_THAT(result.plan.changes, SizeIs(1)) << "it still shows what would be done";
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_EQ(last_run()->verdict, "refused");
}

TEST_F(RunTest, AGuardThatTripsIsARefusal) {
  target.objects = {{"people", "1"}};
  target.pending = Bulk{};
  target.pending->content = "c0ffee";
  target.pending->base = "base-1";
  target.pending->people = 500;
  target.pending->audiences = {{"A1", "Gold", 1000, 500, 0, 500}};
  stages[1] = stage_over("target", Phase::Converge, target, {{"people", Value("1")}});

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Refused);
  ASSERT_THAT(result.plan.findings, SizeIs(3));
  EXPECT_EQ(result.plan.findings[0].code, "audience-withdrawn") << "no stage declares any here";
  EXPECT_EQ(result.plan.findings[1].code, "guard");
  EXPECT_EQ(result.plan.findings[2].code, "first-plan");
  EXPECT_EQ(result.plan.base, "base-1");
  EXPECT_EQ(result.plan.audiences, target.pending->audiences);
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(RunTest, AnInterruptedChangeIsFinishedBeforeAnythingIsPlanned) {
  const auto before = left_open(wanted_change("a", "1"));

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("create a=1"));
  EXPECT_THAT(asked, IsEmpty()) << "it was approved when it was begun";
  EXPECT_EQ(result.applied, 1U);
  EXPECT_THAT(must(store->open_changes("luma")), IsEmpty());
  EXPECT_EQ(last_run()->id, before.run) << "the run goes on under its own id";
  EXPECT_EQ(last_run()->verdict, "converged");
}

TEST_F(RunTest, AnInterruptedChangeThatCannotBeFinishedYetStopsTheRun) {
  left_open(wanted_change("a", "1"));
  target.answers = {Error(ErrorCode::NotFinished, "batch B1 is not finished")};

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::NotFinished);
  EXPECT_EQ(result.code(), ExitCode::NotFinished);
  EXPECT_THAT(target.not_before, IsEmpty()) << "nothing is planned on an unsettled world";
  EXPECT_THAT(must(store->open_changes("luma")), SizeIs(1));
  EXPECT_FALSE(last_run()->ended) << "the next run continues it under its id";
}

TEST_F(RunTest, AnInterruptedChangeThatFailsForGoodIsAbandonedAndPlannedAnew) {
  left_open(wanted_change("a", "stale"));
  target.answers = {Error(ErrorCode::Conflict, "the object moved")};

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("create a=stale", "create a=1"));
  EXPECT_EQ(target.objects.at("a"), "1");
  EXPECT_THAT(events.named("change.abandoned"), SizeIs(1));
}

TEST_F(RunTest, AnInterruptedChangeOfAStageWeDoNotHaveIsLeftToTheVersionThatHasIt) {
  left_open(wanted_change("x", "1", "tomorrow"));
  const auto result = apply();
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), ErrorCode::Unsupported);
  EXPECT_THAT(result.error->text(), HasSubstr("'tomorrow'"));
  EXPECT_THAT(must(store->open_changes("luma")), SizeIs(1));
}

TEST_F(RunTest, AConflictWhileRefreshingIsNotTriedAgain) {
  staging.objects.clear();
  staging.answers = {Error(ErrorCode::Conflict, "the platform says 409")};
  const auto result = apply(Refresh::Yes);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), ErrorCode::Conflict);
  EXPECT_THAT(staging.told, SizeIs(1)) << "each attempt would cost another export";
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(RunTest, AConflictIsPlannedAgainAndAskedAgainOnlyWhenThePlanChanged) {
  target.answers = {Error(ErrorCode::Conflict, "the object moved")};
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_THAT(asked, SizeIs(1)) << "the same plan stays approved";

  target = {};
  asked.clear();
  target.answers = {Error(ErrorCode::Conflict, "the object moved")};
  target.when_applied = [&] {
    if (target.told.size() == 1) target.objects["a"] = "by somebody else";
  };
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_NE(asked[0], asked[1]);
  EXPECT_THAT(target.told, ElementsAre("create a=1", "update a=1"));
}

TEST_F(RunTest, AConflictThatStaysEndsTheRun) {
  target.answers.assign(4, Error(ErrorCode::Conflict, "the object moved"));
  const auto result = apply();
  EXPECT_EQ(result.verdict, Verdict::Refused);
  EXPECT_EQ(result.code(), ExitCode::Refused);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->text(), "apply target/a: the object moved");
  EXPECT_THAT(target.told, SizeIs(4));
}

TEST_F(RunTest, APlanThatNeverGetsEmptyIsAConflict) {
  target.forgetful = true;
  const auto result = apply();
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), ErrorCode::Conflict);
  EXPECT_THAT(result.error->text(), HasSubstr("after 4 rounds the plan is still not empty"));
  EXPECT_EQ(result.code(), ExitCode::Refused);
  EXPECT_THAT(must(store->open_changes("luma")), IsEmpty());
}

struct EndCase {
  const char* name;
  ErrorCode code;
  Verdict verdict;
  ExitCode exit;
  bool stays_open;
};

class FailedApply : public RunTest, public testing::WithParamInterface<EndCase> {};

TEST_P(FailedApply, EndsWithItsCodeAndKeepsOrClosesTheChange) {
  target.answers = {Error(GetParam().code, "what happened")};

  const auto result = apply();

  EXPECT_EQ(result.verdict, GetParam().verdict);
  EXPECT_EQ(result.code(), GetParam().exit);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->text(), "apply target/a: what happened");
  EXPECT_EQ(must(store->open_changes("luma")).size(), GetParam().stays_open ? 1U : 0U);
  EXPECT_EQ(last_run()->ended.has_value(), !GetParam().stays_open);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FailedApply,
    testing::Values(EndCase{"rejected", ErrorCode::Rejected, Verdict::Failed, ExitCode::Failed, false},
                    EndCase{"refused", ErrorCode::Refused, Verdict::Refused, ExitCode::Refused, false},
                    EndCase{"not_found", ErrorCode::NotFound, Verdict::Failed, ExitCode::Failed, false},
                    EndCase{"corrupt", ErrorCode::Corrupt, Verdict::Failed, ExitCode::Failed, false},
                    EndCase{"not_finished", ErrorCode::NotFinished, Verdict::NotFinished, ExitCode::NotFinished, true},
                    EndCase{"unavailable", ErrorCode::Unavailable, Verdict::Failed, ExitCode::Failed, true},
                    EndCase{"timeout", ErrorCode::Timeout, Verdict::Failed, ExitCode::Failed, true},
                    EndCase{"permission", ErrorCode::Permission, Verdict::Failed, ExitCode::Access, true},
                    EndCase{"authentication", ErrorCode::Authentication, Verdict::Failed, ExitCode::Access, true},
                    EndCase{"disk_full", ErrorCode::NoSpace, Verdict::Failed, ExitCode::Failed, true},
                    EndCase{"interrupted", ErrorCode::Interrupted, Verdict::Failed, ExitCode::Interrupted, true}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(RunTest, AChangeLeftOpenIsContinuedUnderTheSameRunAndThenClosed) {
  target.answers = {Error(ErrorCode::Unavailable, "catalog down")};
  ASSERT_EQ(apply().verdict, Verdict::Failed);
  const auto id = last_run()->id;
  reopen_store();
  asked.clear();

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_THAT(target.steps, ElementsAre("a")) << "it has its effect once";
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_EQ(last_run()->id, id);
  EXPECT_EQ(last_run()->verdict, "converged");
}

TEST_F(RunTest, ARunOfAnotherManifestIsFinishedAndThenANewOneBegins) {
  const auto before = left_open(wanted_change("a", "old"), "another definition");

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("create a=old", "update a=1"));
  const auto runs = must(store->runs("luma", 10));
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[1].id, before.run);
  EXPECT_EQ(runs[1].verdict, "superseded");
  EXPECT_EQ(runs[0].verdict, "converged");
  EXPECT_EQ(runs[0].definition, digest_of(manifest.canonical()));
}

TEST_F(RunTest, ARunOfYesterdayIsFinishedAndThenANewOneBegins) {
  left_open(wanted_change("a", "1"));
  clock.advance(settings.timing.deadline_run + std::chrono::seconds(1));
  ASSERT_EQ(apply(Refresh::Yes).verdict, Verdict::Converged);
  EXPECT_THAT(must(store->runs("luma", 10)), SizeIs(2));
  EXPECT_EQ(staging.not_before.front(), server.now()) << "yesterday's export is not fresh";
}

TEST_F(RunTest, WhatOnlyAPersonCanDoWaitsForThePerson) {
  Slice hands;
  auto by_hand = stage_over("connection", Phase::Converge, hands, {{"dataset", Value("in")}});
  by_hand.rules = {{.prefix = "", .missing = Action::Person, .fields = {}}};
  stages.push_back(by_hand);

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Waiting);
  EXPECT_EQ(result.code(), ExitCode::Waits);
  EXPECT_EQ(target.objects.at("a"), "1") << "the rest is done";
  EXPECT_THAT(hands.told, IsEmpty());
  ASSERT_THAT(result.plan.changes, SizeIs(1));
  EXPECT_EQ(result.plan.changes[0].action, Action::Person);

  asked.clear();
  EXPECT_EQ(apply().verdict, Verdict::Waiting);
  EXPECT_THAT(asked, IsEmpty()) << "there is nothing to approve";
  hands.objects["dataset"] = "in";
  EXPECT_EQ(apply().verdict, Verdict::Converged);
}

TEST_F(RunTest, AStopEndsTheRunBeforeTheNextStage) {
  stop.request_stop();
  const auto result = apply();
  EXPECT_EQ(result.code(), ExitCode::Interrupted);
  EXPECT_THAT(staging.not_before, IsEmpty());
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(RunTest, AnErrorWhileObservingNamesTheStage) {
  auto broken = stage_over("broken", Phase::Converge, target, {});
  struct Broken final : Stage {
    Result<Observed> observe(const ObserveRequest&, ReadContext&) override {
      return Error(ErrorCode::Permission, "answer 403");
    }
    Result<Applied> apply(const Change&, WriteContext&) override { return Applied{}; }
  };
  broken.make = [] { return std::unique_ptr<Stage>(std::make_unique<Broken>()); };
  stages.push_back(broken);

  const auto result = apply();

  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->text(), "broken: answer 403");
  EXPECT_EQ(result.code(), ExitCode::Access);
  EXPECT_EQ(last_run()->summary.text("error"), "broken: answer 403");
}

}  // namespace
}  // namespace audiencesync
