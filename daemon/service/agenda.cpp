#include "daemon/service/agenda.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr std::array<Cause, 4> kCauses{Cause::Schedule, Cause::Definition, Cause::Approval, Cause::Person};
// Doubling further would only overflow.
constexpr int kMostDoublings = 20;

ScheduleSpec spec_of(const CronSchedule& schedule) {
  ScheduleSpec spec{schedule.cron, schedule.timezone, schedule.jitter};
  for (const auto& window : schedule.allow) spec.allow.push_back({window.cron, window.duration, window.timezone});
  for (const auto& window : schedule.deny) spec.deny.push_back({window.cron, window.duration, window.timezone});
  return spec;
}

// When something is due. Windows and jitter move starts, but make no other due times.
std::string spelling_of(const std::optional<CronSchedule>& schedule) {
  return schedule ? schedule->cron + " in " + schedule->timezone : std::string{};
}

template <class Instant>
void keep_earlier(std::optional<Instant>& at, std::optional<Instant> other) {
  if (other && (!at || *other < *at)) at = other;
}

}  // namespace

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::Schedule:
      return "schedule";
    case Cause::Definition:
      return "definition";
    case Cause::Approval:
      return "approval";
    case Cause::Person:
      return "run-now";
  }
  return "schedule";
}

Result<Agenda> Agenda::make(const Manifest& manifest, const Value& memory, const BackOff& back_off, Moment now) {
  Agenda agenda(back_off);
  TRY(agenda.read_schedule(manifest));
  const auto settled = memory.number("settled");
  // Another schedule would have missed times of its own past.
  const bool known = settled && memory.text("schedule") == agenda.spelling_;
  agenda.state_.settled = known ? from_epoch_ms(*settled) : now.wall;
  const auto wish = memory.text("wanted");
  const auto cause = std::find_if(kCauses.begin(), kCauses.end(), [&](Cause each) { return wish == to_string(each); });
  if (cause != kCauses.end()) agenda.wanted_ = *cause;
  return agenda;
}

Result<void> Agenda::read_schedule(const Manifest& manifest) {
  std::optional<Schedule> schedule;
  if (manifest.schedule) schedule = TRY(Schedule::make(spec_of(*manifest.schedule), manifest.uid).in(manifest.file));
  schedule_ = std::move(schedule);
  spelling_ = spelling_of(manifest.schedule);
  return {};
}

Result<void> Agenda::change(const Manifest& manifest, Moment now) {
  const auto before = spelling_;
  TRY(read_schedule(manifest));
  if (spelling_ != before) state_.settled = now.wall;
  failures_ = 0;
  not_before_.reset();
  return {};
}

bool Agenda::paused(Time now) const {
  return state_.suspension && (!state_.suspension->until || now < *state_.suspension->until);
}

void Agenda::want(Cause cause) {
  // What a person said is not weakened by what comes after it.
  if (!wanted_ || *wanted_ != Cause::Person) wanted_ = cause;
  if (cause == Cause::Person) not_before_.reset();
}

// The clock had been far ahead of what it is: the times it spoke of are still to come. The schedule forgets them too,
// but only from one question to the next, and then it would find nothing due at any of them.
void Agenda::forget_future(Time now) {
  if (!schedule_ || state_.settled <= now) return;
  const auto first = schedule_->cron().next(now, schedule_->zone());
  if (first && state_.settled > *first) state_.settled = now;
}

Turn Agenda::turn(Moment now) {
  Turn turn;
  if (running_) return turn;
  forget_future(now.wall);
  std::optional<Cause> cause;
  if (paused(now.wall)) {
    turn.again = state_.suspension->until;
  } else {
    const bool open = !schedule_ || schedule_->windows().opening(now.wall) == Opening::Open;
    if (wanted_ && (open || *wanted_ == Cause::Person)) {
      cause = wanted_;
    } else if (wanted_) {
      turn.again = schedule_->windows().open_from(now.wall);
    }
    if (schedule_ && !cause) {
      const auto decision = schedule_->decide(state_, now.wall);
      if (decision.readiness == Readiness::Run) cause = Cause::Schedule;
      keep_earlier(turn.again, decision.again);
    }
    if (cause && not_before_ && now.steady < *not_before_) {
      cause.reset();
      turn.again_steady = not_before_;
    }
  }
  if (!cause) {
    ready_since_.reset();
    return turn;
  }
  if (!ready_since_) ready_since_ = now.steady;
  turn.ready = true;
  turn.cause = *cause;
  turn.since = *ready_since_;
  turn.again.reset();
  return turn;
}

void Agenda::begin(Moment now) {
  running_ = true;
  ready_since_.reset();
  serves_wish_ = wanted_;
  serves_due_.reset();
  if (!schedule_) return;
  const auto decision = schedule_->decide(state_, now.wall);
  // A run for another reason serves the time that is due as well.
  if (decision.readiness == Readiness::Run || decision.readiness == Readiness::Closed) serves_due_ = decision.due;
}

void Agenda::settle() {
  failures_ = 0;
  not_before_.reset();
  if (wanted_ == serves_wish_) wanted_.reset();
  if (serves_due_) state_.settled = *serves_due_;
}

void Agenda::end(ExitCode code, Moment now, double spread) {
  running_ = false;
  switch (code) {
    case ExitCode::Converged:
    case ExitCode::ChangesPending:
    case ExitCode::Waits:
    case ExitCode::Refused:
      return settle();
    case ExitCode::Interrupted:
    case ExitCode::Terminated:
      return interrupted();
    case ExitCode::NotFinished:
    case ExitCode::Locked: {
      const auto wait = std::chrono::duration<double, std::milli>(back_off_.unfinished) * (1.0 + spread / 4);
      not_before_ = now.steady + std::chrono::duration_cast<Duration>(wait);
      return;
    }
    default:
      break;
  }
  ++failures_;
  const auto doublings = std::min(failures_ - 1, kMostDoublings);
  const auto longest = std::min<Duration>(back_off_.first * (1LL << doublings), back_off_.most);
  const auto wait = std::chrono::duration<double, std::milli>(longest) * (0.5 + spread / 2);
  not_before_ = now.steady + std::chrono::duration_cast<Duration>(wait);
  // Somebody who asked for a run has an answer; what fails for its own reasons is tried again like any other.
  if (wanted_ == Cause::Person) wanted_ = Cause::Definition;
}

void Agenda::interrupted() { running_ = false; }

std::vector<PlannedRun> Agenda::upcoming(Time now, std::size_t count) const {
  if (!schedule_) return {};
  return schedule_->upcoming(state_, now, count);
}

Value Agenda::memory() const {
  Value value = Value::Object{{"settled", to_epoch_ms(state_.settled)}, {"schedule", spelling_}};
  if (wanted_) value["wanted"] = to_string(*wanted_);
  return value;
}

}  // namespace audiencesync
