#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plugins/membership/ingest.h"
#include "tests/membership_stage/batch_platform.h"
#include "tests/membership_stage/fake_memberships.h"

namespace audiencesync {

/// What survives a kill: intents, results and commits, and what a test asks of the next attempt.
struct StepLog {
  struct Commit {
    SnapshotRecord snapshot;
    BatchRecord batch;
    std::vector<QuarantineRecord> quarantine;
  };
  std::map<std::string, std::int64_t> intents;  // open or closed, with their numbers
  std::map<std::string, Value> results;         // of closed steps
  std::int64_t numbers = 0;
  std::vector<Commit> commits;
  std::optional<std::vector<QuarantineRecord>> quarantine;  // as stored last
  std::vector<std::string> order;
  int performed = 0;  // steps that were not closed before
  int die_at = 0;     // the step during which the process is killed, 0 for none
  bool die_after_effect = false;
};

/// A WriteContext over such a log.
class KillableContext final : public WriteContext {
 public:
  KillableContext(const RunServices& services, const OutputTable& outputs, StepLog& log, http::WriteClient& client)
      : WriteContext(services, outputs), log_(log), client_(client) {}

  Result<Value> once(const Step& step, const Find& find, const Make& make) override {
    if (const auto done = log_.results.find(step.name); done != log_.results.end()) return done->second;
    const bool fresh = !log_.intents.contains(step.name);
    if (fresh) log_.intents[step.name] = step.sequence.empty() ? 0 : ++log_.numbers;
    const Attempt attempt{log_.intents[step.name], server().now()};
    const bool dies = ++log_.performed == log_.die_at;
    if (dies && !log_.die_after_effect) return killed();
    log_.order.push_back(step.name);
    std::optional<Value> result;
    if (!fresh && find) result = TRY(find(attempt));
    if (!result) result = TRY(make(client_, attempt));
    if (dies) return killed();
    log_.results[step.name] = *result;
    return *result;
  }

  Result<Value> wait(std::string_view what, Duration poll, Duration deadline,
                     const std::function<Result<std::optional<Value>>()>& look) override {
    log_.order.push_back("wait " + std::string(what));
    for (Duration waited{0}; waited <= deadline; waited += poll) {
      auto seen = TRY(look());
      if (seen) return *seen;
    }
    return Error(ErrorCode::NotFinished, std::string(what) + " is not finished");
  }

  Result<void> commit(const Step& step, const SnapshotRecord& snapshot, const BatchRecord& batch,
                      const std::vector<QuarantineRecord>& people) override {
    if (log_.results.contains(step.name)) return {};
    const bool dies = ++log_.performed == log_.die_at;
    if (dies && !log_.die_after_effect) return killed();
    log_.order.push_back(step.name);
    log_.results[step.name] = Value(true);
    log_.commits.push_back({snapshot, batch, people});
    log_.quarantine = people;
    if (dies) return killed();
    return {};
  }

  Result<void> adopt(const Step&, const Adoption&) override { return Error(ErrorCode::Internal, "not in this test"); }
  Result<void> quarantine(const std::string&, const std::vector<QuarantineRecord>& people) override {
    log_.quarantine = people;
    return {};
  }

 private:
  static Error killed() { return Error(ErrorCode::Interrupted, "killed"); }
  StepLog& log_;
  http::WriteClient& client_;
};

/// The quarantine as the log has it.
class KeptRecords final : public Records {
 public:
  explicit KeptRecords(StepLog& log) : log_(log) {}
  Result<std::optional<SnapshotRecord>> current(const std::string&) const override {
    return log_.commits.empty() ? before : std::optional(log_.commits.back().snapshot);
  }
  Result<std::vector<BatchRecord>> batches(const std::string&) const override {
    std::vector<BatchRecord> all;
    for (const auto& commit : log_.commits) all.push_back(commit.batch);
    return all;
  }
  Result<std::vector<QuarantineRecord>> quarantine(const std::string&) const override {
    return log_.quarantine.value_or(kept);
  }
  Result<Value> remembered(const std::string&, const std::string&) const override { return Value(); }
  Result<std::vector<ChangeRecord>> open_changes(const std::string&) const override {
    return std::vector<ChangeRecord>();
  }
  Result<std::optional<RunRecord>> last_run(const std::string&) const override { return std::optional<RunRecord>(); }
  Result<std::vector<RunRecord>> runs(const std::string&, std::size_t) const override {
    return std::vector<RunRecord>();
  }
  Result<std::vector<std::string>> syncs() const override { return std::vector<std::string>(); }
  Result<std::vector<PastSnapshot>> past_snapshots(const std::string&, std::size_t) const override {
    return std::vector<PastSnapshot>();
  }
  Result<std::vector<Suspension>> suspensions(const std::string&, std::size_t) const override {
    return std::vector<Suspension>();
  }
  Result<std::vector<HeldPlan>> plans_to_approve(const std::string&) const override { return std::vector<HeldPlan>(); }
  Result<std::vector<HeldPlan>> held_plans(const std::string&, std::size_t) const override {
    return std::vector<HeldPlan>();
  }

  std::vector<QuarantineRecord> kept;
  std::optional<SnapshotRecord> before;  // current until the first commit

 private:
  StepLog& log_;
};

/// One planned ingest and everything around it.
struct IngestWorld {
  IngestWorld() {
    settings.state = folder.path() / "state";
    manifest.uid = "luma";
    manifest.guard.min_people = 100;
  }

  /// The change is to write p0, p1, …
  void people(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) engine.everyone.push_back(fmt::format("p{}", i));
  }

  Result<Applied> with_context(const std::function<Result<Applied>(WriteContext&)>& act) {
    RunServices services{platform, engine,   records,  files,     clock,         server,
                         events,   manifest, settings, "state-1", folder.path(), {}};
    const OutputTable outputs;
    KillableContext context(services, outputs, log, platform);
    log.performed = 0;
    return act(context);
  }

  Result<Applied> run() {
    Change change;
    change.key = {"membership", "people"};
    change.action = Action::Ingest;
    change.after = {{"relation", Value("luma/analytics")}, {"uid", Value("luma")},   {"tenant", Value("_demo")},
                    {"definition", Value("definition-1")}, {"dataset", Value("D1")}, {"rewrite", Value(rewrite)}};
    change.bulk = Bulk{};
    change.bulk->relation = "luma/analytics";
    change.bulk->source = "E1";
    change.bulk->base = base;
    change.bulk->content = "0123456789abcdef0123456789abcdef";
    change.bulk->people = change.bulk->records = engine.everyone.size();
    change.bulk->bytes = bytes;
    change.bulk->audiences = audiences;
    return with_context([&](WriteContext& context) { return ingest(change, context); });
  }

  /// `person: reason`, as stored.
  std::vector<std::string> quarantined() const {
    std::vector<std::string> all;
    for (const auto& record : log.quarantine.value_or(std::vector<QuarantineRecord>()))
      all.push_back(record.person + ": " + record.reason);
    return all;
  }

  WorkFolder folder;
  BatchPlatform platform;
  FakeMemberships engine;
  StepLog log;
  KeptRecords records{log};
  FakeClock clock;
  ServerTime server{clock};
  FakeEvents events;
  PosixFiles files;
  Manifest manifest;
  Settings settings;
  bool rewrite = false;
  Digest base;              // that the change starts from
  std::uint64_t bytes = 0;  // of the change, as planned
  std::vector<AudienceDelta> audiences;
};

}  // namespace audiencesync
