#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/commands.h"
#include "engine/base/json.h"
#include "engine/report/plan_text.h"

namespace audiencesync {
namespace {

struct SyncStatus {
  std::string uid;
  std::optional<RunRecord> run;
  std::optional<SnapshotRecord> snapshot;
  std::vector<ChangeRecord> open;
  std::size_t quarantined = 0;
};

Result<SyncStatus> read_status(const Store& store, const std::string& uid) {
  SyncStatus status;
  status.uid = uid;
  status.run = TRY(store.last_run(uid));
  const auto relation = uid + "/analytics";
  status.snapshot = TRY(store.current(relation));
  status.open = TRY(store.open_changes(uid));
  const auto quarantine = TRY(store.quarantine(relation));
  status.quarantined = quarantine.size();
  return status;
}

std::string condition(const SyncStatus& status) {
  if (!status.open.empty() || (status.run && !status.run->ended)) return "interrupted";
  if (!status.run) return "never ran";
  return status.run->verdict;
}

std::string text_of(const SyncStatus& status, Time now) {
  std::string out = fmt::format("{}: {}\n", status.uid, condition(status));
  if (status.run) {
    const auto at = status.run->ended.value_or(status.run->started);
    out += fmt::format("  last run   {} ({} ago)\n", to_iso8601(at), age_text(now - at));
    if (const auto error = status.run->summary.text("error"); !error.empty())
      out += fmt::format("  error      {}\n", error);
  }
  if (status.snapshot) {
    out += fmt::format("  proven     generation {} in batch {} of dataset {}, {} ({} ago)\n",
                       status.snapshot->generation, status.snapshot->batch, status.snapshot->dataset,
                       to_iso8601(status.snapshot->proven), age_text(now - status.snapshot->proven));
  } else {
    out += "  proven     nothing yet\n";
  }
  for (const auto& change : status.open) {
    out += fmt::format("  open       {} {}; the next apply continues it\n", to_string(change.change.action),
                       change.change.key.text());
  }
  if (status.quarantined > 0) out += fmt::format("  quarantine {} people\n", status.quarantined);
  return out;
}

Value value_of(const SyncStatus& status) {
  Value value = Value::Object{{"sync", status.uid},
                              {"condition", condition(status)},
                              {"quarantined", static_cast<std::uint64_t>(status.quarantined)}};
  if (status.run) {
    value["last_run"] = Value::Object{{"id", status.run->id},
                                      {"started", to_iso8601(status.run->started)},
                                      {"verdict", status.run->verdict},
                                      {"summary", status.run->summary}};
    if (status.run->ended) value["last_run"]["ended"] = to_iso8601(*status.run->ended);
  }
  if (status.snapshot) {
    value["proven"] = Value::Object{{"generation", status.snapshot->generation},
                                    {"batch", status.snapshot->batch},
                                    {"dataset", status.snapshot->dataset},
                                    {"source", status.snapshot->source},
                                    {"at", to_iso8601(status.snapshot->proven)}};
  }
  Value::Array open;
  for (const auto& change : status.open) open.push_back(change.change.key.text());
  value["open_changes"] = std::move(open);
  return value;
}

}  // namespace

ExitCode status_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto store = adapters.open_store(settings->state / "state.db", OpenMode::ReadOnly);
  if (!store.ok() && store.error().code() != ErrorCode::NotFound) return fail(store.error());
  std::vector<std::string> uids;
  if (store.ok()) {
    auto known = (*store)->syncs();
    if (!known.ok()) return fail(known.error());
    uids = std::move(known).take();
  }
  for (const auto& wanted : options.arguments) {
    if (std::find(uids.begin(), uids.end(), wanted) != uids.end()) continue;
    return fail(
        Error(ErrorCode::NotFound,
              fmt::format("sync '{}' never ran with this state folder ({}); known: {}", wanted,
                          settings->state.string(), uids.empty() ? "none" : fmt::format("{}", fmt::join(uids, ", ")))));
  }
  if (!options.arguments.empty()) uids = options.arguments;

  const Time now = adapters.clock.now();
  std::string text;
  Value::Array syncs;
  for (const auto& uid : uids) {
    const auto status = read_status(**store, uid);
    if (!status.ok()) return fail(status.error());
    text += text_of(*status, now);
    syncs.push_back(value_of(*status));
  }
  if (options.format == Format::Json) {
    console.out << to_json_pretty(Value::Object{{"version", 1}, {"syncs", std::move(syncs)}}) << "\n";
  } else {
    console.out << (text.empty() ? "no sync ran yet\n" : text);
  }
  return ExitCode::Converged;
}

}  // namespace audiencesync
