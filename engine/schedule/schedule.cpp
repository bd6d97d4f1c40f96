#include "engine/schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/schedule/jitter.h"

namespace audiencesync {
namespace {

constexpr Duration kLongestJitter = std::chrono::hours(24);

bool is_suspended(const std::optional<Pause>& suspension, Time now) {
  return suspension && (!suspension->until || now < *suspension->until);
}

}  // namespace

Result<Schedule> Schedule::make(const ScheduleSpec& spec, std::string uid) {
  auto cron = TRY(Cron::parse(spec.cron));
  auto zone = TRY(Zone::find(spec.timezone));
  auto windows = TRY(Windows::make(spec.allow, spec.deny));
  if (spec.jitter < Duration(0) || spec.jitter > kLongestJitter) {
    return Error(ErrorCode::Invalid,
                 fmt::format("jitter {}ms is not possible; write a duration of at most 24h", spec.jitter.count()));
  }
  return Schedule(std::move(uid), std::move(cron), std::move(zone), std::move(windows), spec.jitter);
}

/// The state's `settled`, or now when the clock had been far ahead of what it is.
Time Schedule::settled_on(const ScheduleState& state, Time now) const {
  if (state.settled <= now) return state.settled;
  const auto first = cron_.next(now, zone_);
  return first && state.settled > *first ? now : state.settled;
}

/// When a due time that can begin at `opening` does.
Time Schedule::start_after(Time opening, Time due) const {
  auto range = jitter_;
  if (const auto next = cron_.next(opening, zone_)) range = std::min(range, *next - opening);
  if (const auto closing = windows_.change(opening, opening + range)) range = *closing - opening;
  return opening + jitter_offset(uid_, due, range);
}

ScheduleDecision Schedule::decide(const ScheduleState& state, Time now) const {
  // Of a clock that shows no year anybody lives in, nothing is computed.
  if (!cron_.next(now, zone_)) return {};
  const auto settled = settled_on(state, now);
  const auto missed = cron_.newest(settled, now, zone_);
  const auto due = missed ? missed : cron_.next(std::max(settled, now), zone_);
  if (!due) return {Readiness::Never, std::nullopt, std::nullopt};
  if (is_suspended(state.suspension, now)) return {Readiness::Suspended, due, state.suspension->until};
  const auto opening = windows_.open_from(*due);
  if (!missed) {
    // By the opening a newer time may have come, which has a jitter of its own: look at what is there then.
    if (!opening) return {Readiness::Wait, due, due};
    return {Readiness::Wait, due, *opening > *due ? *opening : start_after(*due, *due)};
  }
  const auto next_opening = windows_.open_from(now);
  if (!next_opening || *next_opening > now) {
    return {Readiness::Closed, due, next_opening};
  }
  // An opening that cannot be found is in the past, for it is open now.
  const auto start = opening ? start_after(*opening, *due) : now;
  if (now < start) return {Readiness::Wait, due, start};
  return {Readiness::Run, due, std::nullopt};
}

std::vector<PlannedRun> Schedule::upcoming(const ScheduleState& state, Time now, std::size_t count) const {
  std::vector<PlannedRun> runs;
  auto past = state;
  past.settled = settled_on(state, now);
  // A run takes at most four decisions, and a suspension one more.
  for (auto left = 16 * (count + 1); left > 0 && runs.size() < count; --left) {
    const auto decision = decide(past, now);
    if (decision.readiness == Readiness::Run) {
      runs.push_back({*decision.due, now});
      past.settled = *decision.due;
    } else if (decision.again) {
      now = *decision.again;
    } else {
      break;
    }
  }
  return runs;
}

}  // namespace audiencesync
