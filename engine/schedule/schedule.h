#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/schedule/cron.h"
#include "engine/schedule/window.h"
#include "engine/schedule/zone.h"

namespace audiencesync {

/// When a sync should run, as declared.
struct ScheduleSpec {
  std::string cron;
  std::string timezone = "UTC";
  Duration jitter{};
  std::vector<WindowSpec> allow = {};
  std::vector<WindowSpec> deny = {};

  friend bool operator==(const ScheduleSpec&, const ScheduleSpec&) = default;
};

/// A sync that shall not run for a while.
struct Pause {
  std::optional<Time> until;  // the first instant that is free again; nullopt: until somebody ends it

  friend bool operator==(const Pause&, const Pause&) = default;
};

/// What is known about the past of one sync.
struct ScheduleState {
  /// Due times up to here are done with: the later of the due time that the last scheduled run served, and of the time
  /// at which this schedule was first seen, or changed (else a new expression would have missed times of its own past).
  Time settled;
  std::optional<Pause> suspension;
};

/// One due time and when its run begins.
struct PlannedRun {
  Time due;
  Time start;

  friend bool operator==(const PlannedRun&, const PlannedRun&) = default;
};

enum class Readiness {
  Run,        // now; the run serves `due`
  Wait,       // until `again`, when `due` or its jitter has come
  Closed,     // `due` has come, but no window is open
  Suspended,  // by a person
  Never       // the clock is outside the years in which anything is due
};

/// What to do about a sync now.
struct ScheduleDecision {
  Readiness readiness = Readiness::Never;
  /// The due time that runs, waits or is held up; nullopt for Never.
  std::optional<Time> due;
  /// When to decide again; nullopt for Run, for a suspension without an end, for Never, and when it is Closed and no
  /// opening is known. Ask earlier when the wall clock is set, the manifest or the suspension changes or a run ends,
  /// and once a day in any case: windows reveal only so much of their future.
  std::optional<Time> again;

  friend bool operator==(const ScheduleDecision&, const ScheduleDecision&) = default;
};

/// When one sync runs. Level-based: `decide` compares the state with the time, so it does not matter how often, how
/// late or after how many restarts it is asked. A value; thread-safe; no I/O once made.
///
/// - **Missed times** (the machine was off, a run took longer than its period, no window was open, the sync was
///   suspended) are made up for exactly once, by one run that serves the newest of them.
/// - **Jitter** delays the start by a hash of uid and due time, but never past the next due time nor past the end of
///   the window it may begin in: jitter alone makes no run miss. After a closed window it counts from the opening.
/// - **The clock is set forward**: as if the machine had been off for that long.
/// - **The clock is set back**: a due time that was served and lies ahead again is not repeated. When more than one
///   lies ahead (the clock had been wrong by more than a period), the future that `settled` speaks of is forgotten and
///   the schedule goes on from now: a wrong clock never silences a sync for longer than until its second due time.
class Schedule {
 public:
  /// Errors: Invalid for what does not parse, with the way out; Io when there are no time zones here.
  static Result<Schedule> make(const ScheduleSpec& spec, std::string uid);

  /// Cost: some forty times Cron::next when something is due, else a few.
  ScheduleDecision decide(const ScheduleState& state, Time now) const;

  /// The next `count` runs if nothing holds them up: what `decide` would start, asked at every instant from now on. The
  /// first one starts at `now` when it is due already. Shorter when there are no more.
  std::vector<PlannedRun> upcoming(const ScheduleState& state, Time now, std::size_t count) const;

  const Cron& cron() const { return cron_; }
  const Zone& zone() const { return zone_; }
  const Windows& windows() const { return windows_; }

 private:
  Schedule(std::string uid, Cron cron, Zone zone, Windows windows, Duration jitter)
      : uid_(std::move(uid)),
        cron_(std::move(cron)),
        zone_(std::move(zone)),
        windows_(std::move(windows)),
        jitter_(jitter) {}

  Time settled_on(const ScheduleState& state, Time now) const;
  Time start_after(Time opening, Time due) const;

  std::string uid_;
  Cron cron_;
  Zone zone_;
  Windows windows_;
  Duration jitter_;
};

}  // namespace audiencesync
