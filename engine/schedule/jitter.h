#pragma once

#include <string_view>

#include "engine/base/clock.h"

namespace audiencesync {

/// How much later than `due` the sync `uid` starts: a whole second in 0 <= d < range (a millisecond when the range is
/// no longer than a second; 0 without a range), so that a hundred syncs of 04:00 do not call the platform at once.
///
/// Taken from a hash of both, evenly spread: the same on every machine, after every restart and in every version, and
/// another one for the next due time.
Duration jitter_offset(std::string_view uid, Time due, Duration range);

}  // namespace audiencesync
