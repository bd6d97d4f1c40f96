#include <algorithm>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/daemon_facts.h"
#include "daemon/status_text.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

// Enough to see since when a person is waited for, with a run every hour.
constexpr std::size_t kRunsLookedThrough = 1000;

// Syncs that a daemon has accepted but that have not run yet: the state knows nothing of them.
std::vector<SyncRecords> without_a_run(const Options& options, const Adapters& adapters,
                                       const std::vector<SyncRecords>& known) {
  std::vector<SyncRecords> fresh;
  if (adapters.daemon == nullptr) return fresh;
  for (const auto& [uid, sync] : known_syncs(adapters.daemon->job.facts)) {
    const auto name = sync.text("name");
    const auto is_named = [&](const std::string& word) { return word == uid || word == name; };
    if (!options.arguments.empty() && std::none_of(options.arguments.begin(), options.arguments.end(), is_named)) {
      continue;
    }
    const auto has_uid = [&uid = uid](const SyncRecords& records) { return records.uid == uid; };
    if (std::any_of(known.begin(), known.end(), has_uid)) continue;
    SyncRecords records;
    records.uid = uid;
    records.name = name;
    fresh.push_back(std::move(records));
  }
  return fresh;
}

Result<std::vector<SyncRecords>> syncs_of(const Options& options, const Settings& settings, const Adapters& adapters) {
  auto known = read_syncs(options, settings, adapters, kRunsLookedThrough);
  if (!known.ok() && known.error().code() != ErrorCode::NotFound) return known;
  auto all = known.ok() ? *known : std::vector<SyncRecords>();
  auto fresh = without_a_run(options, adapters, all);
  if (!known.ok() && fresh.empty()) return known;
  if (adapters.daemon != nullptr && adapters.daemon->job.facts.find("syncs") != nullptr) {
    const auto& accepted = known_syncs(adapters.daemon->job.facts);
    for (auto& records : all) records.without_manifest = !accepted.contains(records.uid);
  }
  all.insert(all.end(), fresh.begin(), fresh.end());
  return all;
}

}  // namespace

ExitCode status_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto syncs = syncs_of(options, *settings, adapters);
  const Value facts = adapters.daemon == nullptr ? Value() : adapters.daemon->job.facts;
  if (!syncs.ok()) {
    say_error(console, syncs.error());
    return exit_code(syncs.error().code());
  }
  const Time now = adapters.clock.now();
  if (options.format == Format::Json) {
    Value::Array values;
    for (const auto& records : *syncs) {
      values.push_back(status_value(records, now));
      const auto known = known_syncs(facts).find(records.uid);
      if (known != known_syncs(facts).end()) values.back()["daemon"] = known->second;
    }
    Value answer = Value::Object{{"version", 1}, {"syncs", std::move(values)}};
    if (const auto* complaints = facts.find("not_accepted")) answer["not_accepted"] = *complaints;
    console.out << to_json_pretty(answer) << "\n";
    return ExitCode::Converged;
  }
  std::string text;
  for (const auto& records : *syncs) {
    text += (text.empty() ? "" : "\n") + status_text(records, now) + facts_text(facts, records.uid, now);
  }
  text += not_accepted_text(facts);
  console.out << (text.empty() ? "no sync ran yet\n" : text);
  return ExitCode::Converged;
}

}  // namespace audiencesync
