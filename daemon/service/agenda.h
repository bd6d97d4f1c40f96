#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/outcome.h"
#include "engine/schedule/schedule.h"

namespace audiencesync {

/// A point in time by both clocks: the wall's, which people set, and the one that only goes on.
struct Moment {
  Time wall{};
  std::chrono::steady_clock::time_point steady{};
};

/// Why a sync runs.
enum class Cause {
  Schedule,
  Definition,  // its manifest is new or was changed
  Approval,    // a held plan was approved
  Person       // run-now
};

const char* to_string(Cause cause);

/// How long a sync is left alone after a run that did not end well.
struct BackOff {
  Duration first = std::chrono::minutes{1};       // after one failure; doubled by each further one
  Duration most = std::chrono::hours{1};          // where the doubling ends
  Duration unfinished = std::chrono::minutes{2};  // the platform still works, or somebody holds the lock
};

/// What a sync may do now.
struct Turn {
  /// It may begin; else `again` and `again_steady` say when to ask, whichever comes first (or never).
  bool ready = false;
  Cause cause = Cause::Schedule;
  std::chrono::steady_clock::time_point since{};  // of being ready: who waits longest goes first
  std::optional<Time> again;
  std::optional<std::chrono::steady_clock::time_point> again_steady;
};

/// When one sync runs: its schedule, what people asked for, and how its last runs ended.
///
/// A value without I/O. The supervisor asks `turn`, tells `begin` and `end`, and keeps `memory` on the disk, so that a
/// run that a crash cut short is due again afterwards.
class Agenda {
 public:
  /// `memory` is what `memory()` gave, null for a sync that is new here. Errors: Invalid for a schedule that this
  /// machine cannot follow (an unknown time zone).
  static Result<Agenda> make(const Manifest& manifest, const Value& memory, const BackOff& back_off, Moment now);

  /// The manifest has another text now: its schedule counts from now on, and an old failure is no reason to wait.
  Result<void> change(const Manifest& manifest, Moment now);
  void pause(std::optional<Pause> pause) { state_.suspension = pause; }
  bool paused(Time now) const;
  /// It is to run once, as soon as it may. A person's wish overrides windows and back-off.
  void want(Cause cause);

  Turn turn(Moment now);
  void begin(Moment now);
  /// How the run ended. `spread` is drawn evenly from 0 to 1.
  void end(ExitCode code, Moment now, double spread);
  /// The run was stopped by us: it is due as before.
  void interrupted();

  bool running() const { return running_; }
  int failures() const { return failures_; }
  /// No run begins before this.
  std::optional<std::chrono::steady_clock::time_point> not_before() const { return not_before_; }
  std::vector<PlannedRun> upcoming(Time now, std::size_t count) const;
  /// For the disk.
  Value memory() const;

 private:
  explicit Agenda(BackOff back_off) : back_off_(back_off) {}
  Result<void> read_schedule(const Manifest& manifest);
  void settle();
  void forget_future(Time now);

  BackOff back_off_;
  std::optional<Schedule> schedule_;
  std::string spelling_;  // of the schedule, to see that it is another one
  ScheduleState state_;
  std::optional<Cause> wanted_;
  bool running_ = false;
  std::optional<Cause> serves_wish_;  // of the run that is going on
  std::optional<Time> serves_due_;
  int failures_ = 0;
  std::optional<std::chrono::steady_clock::time_point> not_before_;
  std::optional<std::chrono::steady_clock::time_point> ready_since_;
};

}  // namespace audiencesync
