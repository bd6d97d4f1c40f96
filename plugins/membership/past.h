#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/membership/memberships.h"
#include "engine/store/store.h"

namespace audiencesync {

/// More snapshots of a relation than anybody keeps; their records hold no people.
inline constexpr std::size_t kAllSnapshots = 100'000;

/// The state after a run, and how it is read.
struct WayBack {
  PastSnapshot snapshot;  // current when the run had ended
  PastRef ref;
};

/// How to read the memberships as they were when `run` had ended; nullopt when nothing was proven by then. `snapshots`
/// as Records::past_snapshots gives them. Reads no files.
/// Errors: NotFound when the history does not go back as far, with the first run it has.
Result<std::optional<WayBack>> way_back(const std::vector<PastSnapshot>& snapshots, std::int64_t run);

/// Which deltas are within what a manifest keeps.
struct KeptHistory {
  std::set<Digest> deltas;
  std::int64_t drop_through = 0;  // snapshots up to this id have deltas to drop, 0: none
  std::optional<Digest> missing;  // the history ends here because this file is gone
};
KeptHistory kept_history(const std::vector<PastSnapshot>& snapshots, const Retention& retention, Time now,
                         const std::function<std::optional<std::uint64_t>(const Digest&)>& bytes);

/// Takes people out of every delta of a relation: new files first, then one transaction that names them, so a kill in
/// between leaves the old history and the next call does it again. The old files go with the next
/// `Memberships::clean`. A delta that cannot be read is dropped with everything before it: the history gets shorter
/// rather than keep somebody. The current snapshot is the caller's business: whoever commits one without these people
/// asks `keep_delta` for the step from the old one with DeltaRequest::forgotten.
/// Errors: NoSpace, Io, Interrupted.
Result<void> erase_history(Memberships& memberships, Store& store, const std::string& relation, const Forgotten& people,
                           std::stop_token stop);

}  // namespace audiencesync
