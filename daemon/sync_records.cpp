#include "daemon/sync_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/report/figures.h"
#include "plugins/membership/verify.h"

namespace audiencesync {
namespace {

Result<SyncRecords> read_sync(const Store& store, const std::string& uid, std::size_t runs) {
  SyncRecords records;
  records.uid = uid;
  records.runs = TRY(store.runs(uid, runs));
  const auto relation = uid + "/analytics";
  records.snapshot = TRY(store.current(relation));
  records.open = TRY(store.open_changes(uid));
  records.plans = TRY(store.held_plans(uid, runs));
  records.verified_rows = TRY(store.remembered(uid, kVerifiedRows));
  records.suspensions = TRY(store.suspensions(uid, runs));
  const auto snapshots = TRY(store.past_snapshots(relation, runs));
  // Newest first: of a run that proved several, the last one stays.
  for (const auto& snapshot : snapshots) records.generations.emplace(snapshot.run, snapshot.record.generation);
  const auto quarantine = TRY(store.quarantine(relation));
  records.quarantined = quarantine.size();
  records.forgotten = Forgotten::from_value(TRY(store.remembered(uid, kForgotten))).size();
  records.name = records.runs.empty() ? std::string{} : records.runs.front().manifest.text("name");
  if (records.name.empty()) records.name = uid;
  return records;
}

}  // namespace

const HeldPlan* SyncRecords::live_plan(Time now) const {
  const auto found =
      std::find_if(plans.begin(), plans.end(), [&](const HeldPlan& plan) { return plan.live() && now < plan.until; });
  return found == plans.end() ? nullptr : &*found;
}

Result<std::vector<SyncRecords>> read_syncs(const Options& options, const Settings& settings, const Adapters& adapters,
                                            std::size_t runs) {
  std::vector<SyncRecords> all;
  auto store = adapters.open_store(settings.state / "state.db", OpenMode::ReadOnly);
  if (!store.ok() && store.error().code() != ErrorCode::NotFound) return std::move(store).error();
  if (store.ok()) {
    const auto uids = TRY((*store)->syncs());
    for (const auto& uid : uids) {
      auto records = TRY(read_sync(**store, uid, runs));
      all.push_back(std::move(records));
    }
  }
  if (options.arguments.empty()) return all;
  std::vector<SyncRecords> wanted;
  for (const auto& argument : options.arguments) {
    auto found =
        std::find_if(all.begin(), all.end(), [&](const SyncRecords& records) { return records.uid == argument; });
    if (found == all.end()) {
      found =
          std::find_if(all.begin(), all.end(), [&](const SyncRecords& records) { return records.name == argument; });
    }
    if (found == all.end()) {
      std::vector<std::string> known;
      for (const auto& records : all) known.push_back(records.name);
      return Error(
          ErrorCode::NotFound,
          fmt::format("sync '{}' never ran with this state folder ({}); known: {}", argument, settings.state.string(),
                      known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
    }
    wanted.push_back(*found);
  }
  return wanted;
}

Result<void> known_run(const Records& store, const SyncRecords& records, std::int64_t run) {
  const auto runs = TRY(store.runs(records.uid, kAllRuns));
  if (std::any_of(runs.begin(), runs.end(), [&](const RunRecord& each) { return each.id == run; })) return {};
  const auto range = runs.empty() ? std::string("none") : fmt::format("{} to {}", runs.back().id, runs.front().id);
  return Error(ErrorCode::NotFound, fmt::format("sync '{}' has no run {}; its runs are {}, and audiencesync history {} "
                                                "lists them",
                                                records.name, run, range, records.name));
}

const Suspension* SyncRecords::suspension(Time now) const {
  return suspensions.empty() || !suspensions.front().holds(now) ? nullptr : &suspensions.front();
}

Result<void> need_rows_here(const SyncRecords& records, std::string_view what) {
  if (records.runs.empty() || records.runs.front().manifest.text("engine") != to_string(Engine::QueryService))
    return {};
  return Error(ErrorCode::Unsupported,
               fmt::format("{} looks at memberships on this machine, and engine query-service keeps none here; ask the "
                           "target dataset by SQL, or write engine: local",
                           what));
}

Value suspension_value(const Suspension& suspension) {
  Value value =
      Value::Object{{"since", to_iso8601(suspension.since)}, {"by", suspension.by}, {"reason", suspension.reason}};
  if (suspension.until) value["until"] = to_iso8601(*suspension.until);
  if (suspension.run != 0) value["run"] = suspension.run;
  if (suspension.resumed) {
    value["resumed"] = to_iso8601(*suspension.resumed);
    value["resumed_by"] = suspension.resumed_by;
    value["resumed_reason"] = suspension.resumed_reason;
  }
  return value;
}

std::string ago_text(Time time, Time now) {
  return fmt::format("{} ({} ago)", second_text(time), age_text(now - time));
}

}  // namespace audiencesync
