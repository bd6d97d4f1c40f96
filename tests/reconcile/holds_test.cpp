#include <gmock/gmock.h>

#include <set>

#include "engine/reconcile/holds.h"
#include "engine/reconcile/run.h"
#include "tests/reconcile/scripted_stage.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Exports come one after another: B1, B2, ...; a refresh makes the next one, a held plan asks for its own.
struct Exports {
  int newest = 1;
  Time created{};                    // of the newest
  std::set<std::string> kept{"B1"};  // that can still be read
  std::vector<std::string> asked;    // pinned sources, "" for the newest
};

class ExportsStage final : public Stage {
 public:
  explicit ExportsStage(Exports& exports) : exports_(exports) {}

  Result<Observed> observe(const ObserveRequest& request, ReadContext&) override {
    exports_.asked.push_back(request.pinned_source.value_or(""));
    Observed observed;
    const std::string batch = request.pinned_source.value_or("B" + std::to_string(exports_.newest));
    if (!exports_.kept.contains(batch)) {
      observed.findings.push_back({Severity::Wait, "known-after-export", "there is no export"});
      return observed;
    }
    observed.outputs["batches"] = Value::Array{Value(batch)};
    // A refresh wants one of its own run.
    if (request.not_before && exports_.created < *request.not_before) return observed;
    observed.resources.push_back({{"export", "job"}, {}, batch, {}});
    return observed;
  }

  Result<Applied> apply(const Change&, WriteContext& context) override {
    exports_.created = context.server().now();
    exports_.kept.insert("B" + std::to_string(++exports_.newest));
    return Applied{};
  }

 private:
  Exports& exports_;
};

class AudiencesStub final : public Stage {
 public:
  explicit AudiencesStub(std::vector<AudienceId>& declared) : declared_(declared) {}

  Result<Observed> observe(const ObserveRequest&, ReadContext&) override {
    Observed observed;
    Value::Array list;
    for (const auto& id : declared_) list.push_back(Value::Object{{"id", id}});
    observed.outputs["audiences"] = std::move(list);
    return observed;
  }
  Result<Applied> apply(const Change&, WriteContext&) override { return Applied{}; }

 private:
  std::vector<AudienceId>& declared_;
};

class HoldsTest : public testing::Test, protected RunWorld {
 protected:
  HoldsTest() {
    StageDescriptor made;
    made.name = "export";
    made.phase = Phase::Refresh;
    made.rules = {{.prefix = "job", .missing = Action::Run, .fields = {}}};
    made.desire = [](const Manifest&) { return std::vector<Resource>{{{"export", "job"}, {}, "", {}}}; };
    made.make = [this] { return std::unique_ptr<Stage>(std::make_unique<ExportsStage>(exports)); };
    StageDescriptor audiences;
    audiences.name = "audiences";
    audiences.phase = Phase::Refresh;
    audiences.desire = [](const Manifest&) { return std::vector<Resource>(); };
    audiences.make = [this] { return std::unique_ptr<Stage>(std::make_unique<AudiencesStub>(declared)); };
    stages = {made, stage_over("target", Phase::Converge, target, {{"people", Value("1")}})};
    stages.push_back(audiences);
    target.objects = {{"people", "1"}};
  }

  // Half of an audience leaves: that is what the guards are for.
  void half_leaves() { leave(500); }
  void leave(std::uint64_t people) {
    Bulk bulk;
    bulk.relation = "luma/analytics";
    bulk.source = "whatever";
    bulk.base = base;
    bulk.content = "content-" + std::to_string(people);
    bulk.candidate = "after-" + std::to_string(people);
    bulk.people = people;
    bulk.bytes = people * 400;
    bulk.audiences = {{"A1", "Gold", 1000, 1000 - people, 0, people}};
    target.pending = bulk;
  }

  RunResult run(Mode mode, Refresh refresh, std::optional<Value> exact = {}) {
    RunOptions options;
    options.mode = mode;
    options.refresh = refresh;
    options.exact = std::move(exact);
    options.user = "bob";
    options.approve = [&](const Plan& plan) {
      asked.push_back(plan.digest());
      return consent;
    };
    options.show = [&](const Plan& plan) { shown.push_back(plan.digest()); };
    const auto registry = must(Registry::of(stages));
    RunServices with_records{client, memberships, *store,   files,     clock, server,
                             events, manifest,    settings, "state-1", "",    stop.get_token()};
    SyncRun engine(registry, with_records, *store, client);
    return engine.execute(options);
  }
  RunResult apply() {
    clock.advance(std::chrono::seconds(1));
    return run(Mode::Apply, Refresh::Yes);
  }
  RunResult dry() { return run(Mode::Plan, Refresh::No); }

  HeldPlan held() {
    const auto plans = must(store->held_plans("luma", 1));
    return plans.empty() ? HeldPlan{} : plans.front();
  }
  void decide(HoldState state) {
    must(store->decide_plan(held().id, state, "alice", "a campaign ended", server.now()));
  }
  std::vector<std::string> codes(const Plan& plan) {
    std::vector<std::string> out;
    for (const auto& finding : plan.findings) out.push_back(finding.code);
    return out;
  }

  std::vector<AudienceId> declared{"A1"};
  Exports exports;
  Slice target;
  std::vector<StageDescriptor> stages;
  Digest base = "base-1";
  Consent consent = Consent::Given;
  std::vector<Digest> asked;
  std::vector<Digest> shown;
};

TEST_F(HoldsTest, AGuardHoldsThePlanAndNoRefreshReplacesIt) {
  half_leaves();
  const auto first = apply();
  EXPECT_EQ(first.verdict, Verdict::Refused);
  ASSERT_TRUE(first.plan.hold);
  EXPECT_EQ(held().state, HoldState::Held);
  EXPECT_EQ(held().source, "B2");
  EXPECT_EQ(held().until - held().since, settings.timing.approval_ttl);

  const auto again = apply();
  EXPECT_EQ(again.verdict, Verdict::Refused);
  EXPECT_EQ(exports.newest, 2) << "what is held keeps its export";
  EXPECT_EQ(again.plan.digest(), first.plan.digest());
  EXPECT_EQ(again.plan.source, "B2");
  EXPECT_THAT(must(store->held_plans("luma", 9)), SizeIs(1));
  EXPECT_THAT(asked, IsEmpty()) << "a confirmation does not lift a guard";
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(HoldsTest, AnApprovedPlanIsExecutedOnceWithoutAskingOrRefreshing) {
  half_leaves();
  const auto refused = apply();
  decide(HoldState::Approved);
  consent = Consent::Declined;

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("ingest people=1"));
  EXPECT_EQ(exports.newest, 2);
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_THAT(shown, ElementsAre(refused.plan.digest())) << "what is done is shown";
  EXPECT_EQ(held().state, HoldState::Applied);
  EXPECT_EQ(held().by, "alice");
  EXPECT_EQ(held().reason, "a campaign ended");
  const auto summary = must(store->last_run("luma"))->summary;
  EXPECT_EQ(summary.text("approved_by"), "alice");
  EXPECT_EQ(summary.text("reason"), "a campaign ended");
  EXPECT_EQ(summary.number("left"), 500);

  half_leaves();
  EXPECT_EQ(apply().verdict, Verdict::Refused) << "an approval is for one plan, once";
}

TEST_F(HoldsTest, WhatWasLetThroughStaysInSightWithItsReason) {
  half_leaves();
  apply();
  decide(HoldState::Approved);
  const auto plan = dry().plan;
  ASSERT_THAT(codes(plan), ElementsAre("guard", "first-plan"));
  EXPECT_EQ(plan.findings[0].severity, Severity::Note);
  EXPECT_THAT(plan.findings[0].text, HasSubstr("let through by alice: a campaign ended"));
  ASSERT_TRUE(plan.hold);
  EXPECT_EQ(plan.hold->approved_by, "alice");
}

TEST_F(HoldsTest, AnApprovedPlanWhoseChangesetMovedIsStaleAndJudgedAnew) {
  half_leaves();
  apply();
  decide(HoldState::Approved);
  base = "base-2";
  leave(600);

  const auto result = apply();

  EXPECT_EQ(result.verdict, Verdict::Refused);
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_EQ(exports.newest, 3) << "nothing is held any more, so a refresh may go on";
  const auto plans = must(store->held_plans("luma", 9));
  ASSERT_THAT(plans, SizeIs(2));
  EXPECT_EQ(plans[0].state, HoldState::Held);
  EXPECT_EQ(plans[1].state, HoldState::Stale);
  EXPECT_THAT(codes(result.plan), testing::Contains("held-plan-stale"));
}

TEST_F(HoldsTest, AnExportThatIsGoneMakesTheHeldPlanStale) {
  half_leaves();
  apply();
  decide(HoldState::Approved);
  exports.kept.erase("B2");
  EXPECT_EQ(apply().verdict, Verdict::Refused);
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_EQ(held().state, HoldState::Held) << "of the new export";
}

TEST_F(HoldsTest, AnotherDefinitionMakesTheHeldPlanStale) {
  half_leaves();
  apply();
  decide(HoldState::Approved);
  manifest.identity.normalize = Normalize::Lower;
  EXPECT_EQ(apply().verdict, Verdict::Refused);
  EXPECT_THAT(target.told, IsEmpty());
  EXPECT_THAT(must(store->held_plans("luma", 9))[1].reason, HasSubstr("manifest has changed"));
}

TEST_F(HoldsTest, AHeldPlanLapses) {
  half_leaves();
  apply();
  clock.advance(settings.timing.approval_ttl);
  const auto result = apply();
  EXPECT_EQ(result.verdict, Verdict::Refused);
  EXPECT_EQ(exports.newest, 3);
  EXPECT_EQ(must(store->held_plans("luma", 9))[1].state, HoldState::Lapsed);
}

TEST_F(HoldsTest, ARejectedPlanIsForgottenAndTheNextApplyRefreshes) {
  half_leaves();
  apply();
  decide(HoldState::Rejected);
  leave(10);
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_EQ(exports.newest, 3);
}

TEST_F(HoldsTest, WhereNobodyCanBeAskedThePlanWaitsAndIsHeld) {
  leave(10);
  consent = Consent::Awaited;
  const auto waiting = apply();
  EXPECT_EQ(waiting.verdict, Verdict::Waiting);
  EXPECT_EQ(held().digest, waiting.plan.digest());
  decide(HoldState::Approved);
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_THAT(asked, SizeIs(1));
}

TEST_F(HoldsTest, ADeclinedPlanIsNotHeld) {
  leave(10);
  consent = Consent::Declined;
  EXPECT_EQ(apply().verdict, Verdict::Waiting);
  EXPECT_THAT(must(store->held_plans("luma", 9)), IsEmpty());
}

TEST_F(HoldsTest, AConfirmedHeldPlanNeedsNoFurtherApprovalButAGuard) {
  leave(10);
  consent = Consent::Awaited;
  apply();
  consent = Consent::Given;
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_EQ(held().state, HoldState::Applied);
  EXPECT_EQ(held().by, "bob");
}

TEST_F(HoldsTest, APlanThatWasOnlyShownCanBeApproved) {
  half_leaves();
  const auto shown_plan = dry().plan;
  EXPECT_THAT(must(store->held_plans("luma", 9)), IsEmpty()) << "a dry run holds nothing";
  const auto offered = must(store->plans_to_approve(shown_plan.digest().substr(0, 12)));
  ASSERT_THAT(offered, SizeIs(1));
  must(store->decide_plan(offered[0].id, HoldState::Approved, "alice", "fine", server.now()));
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_EQ(exports.newest, 1) << "from the export it was made of";
}

TEST_F(HoldsTest, AnApprovedPlanThatWasInterruptedIsFinishedUnderItsApproval) {
  stages[1] = stage_over("target", Phase::Converge, target, {{"a", Value("1")}, {"people", Value("1")}});
  half_leaves();
  apply();
  decide(HoldState::Approved);
  target.answers = {{}, Error(ErrorCode::NotFinished, "the batch is not finished")};
  EXPECT_EQ(apply().verdict, Verdict::NotFinished);
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("create a=1", "ingest people=1", "ingest people=1"));
  EXPECT_EQ(held().state, HoldState::Applied);
}

TEST_F(HoldsTest, WhatIsLeftOfAnApprovedPlanIsStillApproved) {
  stages[1] = stage_over("target", Phase::Converge, target, {{"a", Value("1")}, {"people", Value("1")}});
  half_leaves();
  apply();
  decide(HoldState::Approved);
  target.objects["a"] = "1";  // somebody did that part meanwhile
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("ingest people=1"));
}

class ExactPlan : public HoldsTest {
 protected:
  ExactPlan() { leave(10); }
  RunResult apply_exactly(const Value& plan) { return run(Mode::Apply, Refresh::No, plan); }
};

TEST_F(ExactPlan, IsAppliedFromItsOwnExport) {
  const auto reviewed = dry().plan.to_value();
  exports.kept.insert("B2");
  exports.newest = 2;
  EXPECT_EQ(apply_exactly(reviewed).verdict, Verdict::Converged);
  EXPECT_THAT(target.told, ElementsAre("ingest people=1"));
  for (const auto& pinned : std::vector(exports.asked.begin() + 1, exports.asked.end())) EXPECT_EQ(pinned, "B1");
}

TEST_F(ExactPlan, IsRefusedOnceItsDefinitionChanged) {
  const auto reviewed = dry().plan.to_value();
  manifest.guard.min_people = 7;
  const auto result = apply_exactly(reviewed);
  EXPECT_EQ(result.code(), ExitCode::Refused);
  EXPECT_THAT(result.error->text(), HasSubstr("the manifest has changed"));
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(ExactPlan, IsRefusedOnceItsExportIsGone) {
  const auto reviewed = dry().plan.to_value();
  exports.kept.clear();
  const auto result = apply_exactly(reviewed);
  EXPECT_EQ(result.code(), ExitCode::Refused);
  EXPECT_THAT(result.error->text(), HasSubstr("its export can no longer be used"));
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(ExactPlan, IsRefusedOnceTheTargetMoved) {
  const auto reviewed = dry().plan.to_value();
  base = "base-2";
  leave(11);
  const auto result = apply_exactly(reviewed);
  EXPECT_EQ(result.code(), ExitCode::Refused);
  EXPECT_THAT(result.error->text(), HasSubstr("the target or what was proven in it has changed"));
  EXPECT_THAT(result.error->text(), HasSubstr("audiencesync plan --fresh"));
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(ExactPlan, IsRefusedWhenSomebodyDidAPartOfIt) {
  stages[1] = stage_over("target", Phase::Converge, target, {{"a", Value("1")}, {"people", Value("1")}});
  const auto reviewed = dry().plan.to_value();
  target.objects["a"] = "1";
  EXPECT_EQ(apply_exactly(reviewed).code(), ExitCode::Refused);
  EXPECT_THAT(target.told, IsEmpty());
}

TEST_F(ExactPlan, DoesNotLiftAGuard) {
  half_leaves();
  const auto reviewed = dry().plan.to_value();
  EXPECT_EQ(apply_exactly(reviewed).verdict, Verdict::Refused);
  EXPECT_EQ(held().state, HoldState::Held);
  decide(HoldState::Approved);
  EXPECT_EQ(apply_exactly(reviewed).verdict, Verdict::Converged);
}

TEST_F(HoldsTest, ChangedDefinitionsAndTheFirstPlanAreLabelled) {
  leave(10);
  EXPECT_THAT(codes(dry().plan), ElementsAre("first-plan"));
  apply();
  leave(10);
  EXPECT_THAT(codes(dry().plan), IsEmpty());
  manifest.identity.normalize = Normalize::Lower;
  manifest.audiences = {{.id = "A1", .name = {}, .place = {}}, {.id = "A2", .name = {}, .place = {}}};
  const auto plan = dry().plan;
  ASSERT_THAT(codes(plan), ElementsAre("definition-changed"));
  EXPECT_EQ(plan.findings[0].severity, Severity::Approve);
  EXPECT_THAT(plan.findings[0].text, HasSubstr("audiences (+2, -0), identity.normalize"));
}

TEST_F(HoldsTest, AnAudienceTheManifestNoLongerNamesIsSaidToEnd) {
  declared = {};
  leave(10);
  const auto plan = dry().plan;
  ASSERT_THAT(codes(plan), testing::Contains("audience-withdrawn"));
  EXPECT_EQ(plan.findings[0].severity, Severity::Warning);
  EXPECT_THAT(plan.findings[0].text, HasSubstr("'Gold' is no longer in the manifest: its 10 memberships end"));
}

TEST_F(HoldsTest, InPlanOnlyEveryPlanWaits) {
  leave(10);
  apply();
  manifest.mode = ApprovalMode::PlanOnly;
  leave(10);
  apply();
  leave(20);
  EXPECT_THAT(codes(dry().plan), ElementsAre("plan-only"));
}

TEST_F(HoldsTest, PersonActionsNeitherNeedAnApprovalNorMakeAPlanStale) {
  Slice people;
  auto clicks = stage_over("connection", Phase::Converge, people, {{"dataset", Value("D1")}});
  clicks.rules = {{.prefix = "", .missing = Action::Person, .fields = {}}};
  stages.push_back(clicks);
  half_leaves();
  apply();
  decide(HoldState::Approved);
  people.objects = {{"dataset", "D1"}};  // the person has acted meanwhile
  EXPECT_EQ(apply().verdict, Verdict::Converged);
  people.objects.clear();
  const auto plan = dry();
  EXPECT_EQ(plan.verdict, Verdict::Waiting);
  EXPECT_THAT(codes(plan.plan), IsEmpty());
}

}  // namespace
}  // namespace audiencesync
