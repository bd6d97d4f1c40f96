#pragma once

#include <memory>
#include <stop_token>

#include "engine/membership/memberships.h"

namespace audiencesync {

/// Where the files of the past are, and a path for one that is not finished yet, on the same disk.
struct HistoryPlace {
  Files& files;
  Path folder;
  Path unfinished;
};

// What Memberships promises of the same names, for whoever has a folder and no engine. None of them needs memory that
// grows with the people.

/// See Memberships::keep_delta.
Result<KeptDelta> write_delta(const HistoryPlace& place, const DeltaRequest& request, std::stop_token stop);
/// See Memberships::past. `files` must outlive the reader.
Result<std::unique_ptr<PastMembers>> read_past(const Files& files, const Path& folder, const PastRef& past);
/// See Memberships::recall.
Result<Digest> write_past(const HistoryPlace& place, const PastRef& past, std::stop_token stop);
/// See Memberships::erase.
Result<Digest> erase_from_delta(const HistoryPlace& place, const Digest& delta, const Forgotten& people,
                                std::stop_token stop);

}  // namespace audiencesync
