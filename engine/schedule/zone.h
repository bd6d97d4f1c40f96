#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace date {
class time_zone;
}

namespace audiencesync {

/// A stretch of time over which a zone keeps one offset: begin <= t < end. It cannot be made longer on either side,
/// so at both ends the wall clock jumps.
struct ZoneSpan {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
  std::chrono::seconds offset;  // local time minus UTC
};

/// A time zone of the system's tz database. A small value; thread-safe.
///
/// The database is read once in the life of a process, each zone when it is first asked for: an update of tzdata counts
/// after a restart. Its files list jumps up to 2037, and a zone keeps its last offset from then on.
class Zone {
 public:
  /// UTC, which needs no database.
  Zone() = default;
  /// Names as Europe/Berlin or UTC. Invalid: no such zone, or one that depends on the machine (localtime); the message
  /// names a zone that was probably meant. Io: the machine has no usable tz database.
  static Result<Zone> find(std::string_view name);

  const std::string& name() const { return name_; }
  /// The stretch a time belongs to. Cost: a few binary searches.
  ZoneSpan span_at(std::chrono::sys_seconds at) const;
  /// As the clock on the wall shows it, with the offset: 2026-03-29T03:00:00+02:00.
  std::string local_text(Time at) const;

 private:
  Zone(std::string name, const date::time_zone* zone) : name_(std::move(name)), zone_(zone) {}

  std::string name_ = "UTC";
  const date::time_zone* zone_ = nullptr;  // null: UTC; else owned by the library, for the life of the process
};

}  // namespace audiencesync
