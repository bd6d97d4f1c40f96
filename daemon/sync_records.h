#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/commands.h"

namespace audiencesync {

/// What the state folder knows of one sync.
struct SyncRecords {
  std::string uid;
  std::string name;             // of the manifest it last ran with; the uid when that is not known
  std::vector<RunRecord> runs;  // newest first
  std::optional<SnapshotRecord> snapshot;
  std::vector<ChangeRecord> open;
  std::vector<HeldPlan> plans;  // newest first
  std::size_t quarantined = 0;
  std::size_t forgotten = 0;                         // people who are kept out on request
  Value verified_rows;                               // what `verify` remembered, null when it never ran
  std::vector<Suspension> suspensions;               // newest first
  std::map<std::int64_t, std::int64_t> generations;  // by run: the newest one it proved
  bool without_manifest = false;                     // a daemon is asked, and it has no manifest of this sync

  const RunRecord* last_run() const { return runs.empty() ? nullptr : &runs.front(); }
  /// The plan that waits for an approval, or has one, at this time; null when there is none.
  const HeldPlan* live_plan(Time now) const;
  /// The suspension that holds at this time; null when there is none.
  const Suspension* suspension(Time now) const;
};

/// The syncs named on the command line, by name or uid, or all that ever ran, in the order of their uids; with at most
/// `runs` runs and plans of each. Empty when nothing ever ran. Reads the state only.
/// Errors: NotFound for a name that never ran here, with those that did.
Result<std::vector<SyncRecords>> read_syncs(const Options& options, const Settings& settings, const Adapters& adapters,
                                            std::size_t runs);

/// More runs than any sync has.
inline constexpr std::size_t kAllRuns = 1'000'000;

/// Errors: NotFound when the sync has no run of this number, with those it has.
Result<void> known_run(const Records& store, const SyncRecords& records, std::int64_t run);

/// For what looks at rows on this machine: `what` begins the sentence ("members").
/// Errors: Unsupported when the sync last ran with engine query-service, which keeps none here.
Result<void> need_rows_here(const SyncRecords& records, std::string_view what);

/// For status and history.
Value suspension_value(const Suspension& suspension);

/// `2026-01-02T03:04:05Z (8 h ago)`.
std::string ago_text(Time time, Time now);

}  // namespace audiencesync
