#pragma once

#include <optional>
#include <string>

#include "engine/plugin/context.h"

namespace audiencesync {

/// What was ingested into a sandbox within the last hour, by all syncs of a state folder: `ingested/` there.
///
/// The file holds names of syncs, times and numbers, never person ids. One that is lost or damaged counts as empty: at
/// worst an hour's limit is passed once.
class IngestPace {
 public:
  IngestPace(Files& files, const Settings& settings, const Manifest& manifest);

  /// Takes up so many bytes of the hour before `now` and gives nullopt, or says when there will be room for them. More
  /// than a whole hour's limit passes once the hour before is empty. What was taken up under this key within the hour
  /// is not taken up again.
  Result<std::optional<Time>> take(const std::string& key, std::uint64_t bytes, Time now);
  /// Taken up within the hour before `now`.
  std::uint64_t taken(Time now) const;

 private:
  Files& files_;
  std::uint64_t limit_;
  Path file_;
};

/// Waits until so many bytes may be ingested, when that is soon.
/// Errors: NotFinished when it is not, with the time at which it will be.
Result<void> await_room(WriteContext& context, const std::string& key, std::uint64_t bytes);

}  // namespace audiencesync
