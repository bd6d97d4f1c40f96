#include "engine/schedule/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/schedule/quoted.h"

namespace audiencesync {
namespace {

constexpr Duration kLongestView = std::chrono::hours(24 * 366 * 5);
constexpr Duration kLongestWindow = std::chrono::hours(24 * 366);
constexpr int kMostSteps = 20'000;

/// Further out nothing is due, and sums with a duration could overflow.
Time within_calendar(Time at) {
  constexpr Time kFirst = std::chrono::sys_days(std::chrono::year(1900) / 1 / 1);
  constexpr Time kLast = std::chrono::sys_days(std::chrono::year(9000) / 1 / 1);
  return std::clamp(at, kFirst, kLast);
}

std::string window_duration_text(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::minutes>(duration).count();
  if (duration != std::chrono::minutes(count)) return fmt::format("{}ms", duration.count());
  return count % 60 == 0 ? fmt::format("{}h", count / 60) : fmt::format("{}m", count);
}

}  // namespace

bool Windows::Entry::covers(Time at) const {
  const auto begin = cron.next(at - duration, zone);
  return begin && *begin <= at;
}

/// The next instant at which the entry begins or ends to cover; beginnings before the end make it longer.
std::optional<Time> Windows::Entry::flip(Time after, Time limit, int& steps) const {
  auto begin = cron.next(after - duration, zone);
  if (begin && *begin > after) return begin;
  while (begin && *begin + duration <= limit && --steps > 0) {
    const auto later = cron.next(*begin, zone);
    if (!later || *later > *begin + duration) return *begin + duration;
    begin = later;
  }
  return std::nullopt;
}

Result<std::vector<Windows::Entry>> Windows::entries(const std::vector<WindowSpec>& specs, const char* list) {
  std::vector<Entry> out;
  for (const auto& spec : specs) {
    auto frame = fmt::format("{} window", list);
    auto cron = TRY(Cron::parse(spec.cron).in(frame));
    auto zone = TRY(Zone::find(spec.timezone).in(frame));
    if (spec.duration <= Duration(0) || spec.duration > kLongestWindow) {
      return Error(ErrorCode::Invalid, fmt::format("{} {} lasts {}; write a duration above zero, at most 366d", frame,
                                                   quoted(spec.cron), window_duration_text(spec.duration)));
    }
    out.push_back({std::move(cron), std::move(zone), spec.duration});
  }
  return out;
}

Result<Windows> Windows::make(const std::vector<WindowSpec>& allow, const std::vector<WindowSpec>& deny) {
  Windows windows;
  windows.allow_ = TRY(entries(allow, "allow"));
  windows.deny_ = TRY(entries(deny, "deny"));
  return windows;
}

Opening Windows::opening(Time at) const {
  at = within_calendar(at);
  const auto covers = [&](const Entry& entry) { return entry.covers(at); };
  if (std::any_of(deny_.begin(), deny_.end(), covers)) return Opening::Closed;
  if (allow_.empty() || std::any_of(allow_.begin(), allow_.end(), covers)) return Opening::Open;
  return Opening::Closed;
}

WindowState Windows::state(Time at) const {
  at = within_calendar(at);
  WindowState state{opening(at), change(at, at + kLongestView), ""};
  const auto covers = [&](const Entry& entry) { return entry.covers(at); };
  const auto name = [&](const Entry& entry, const char* list) {
    return fmt::format("{} window {} for {} in {}", list, quoted(entry.cron.text()),
                       window_duration_text(entry.duration), entry.zone.name());
  };
  const auto denied = std::find_if(deny_.begin(), deny_.end(), covers);
  const auto allowed = std::find_if(allow_.begin(), allow_.end(), covers);
  if (denied != deny_.end()) {
    state.reason = name(*denied, "deny");
  } else if (allowed != allow_.end()) {
    state.reason = name(*allowed, "allow");
  } else if (!allow_.empty()) {
    state.reason = "outside every allow window";
  } else if (!deny_.empty()) {
    state.reason = "outside every deny window";
  }
  return state;
}

std::optional<Time> Windows::open_from(Time at) const {
  if (opening(at) == Opening::Open) return at;
  at = within_calendar(at);
  return change(at, at + kLongestView);
}

std::optional<Time> Windows::change(Time after, Time limit) const {
  after = within_calendar(after);
  const auto before = opening(after);
  int steps = kMostSteps;
  // Whether it changes is asked only where an entry begins or ends.
  for (auto at = after; --steps > 0;) {
    std::optional<Time> first;
    for (const auto* list : {&deny_, &allow_}) {
      for (const auto& entry : *list) {
        const auto flip = entry.flip(at, limit, steps);
        if (flip && (!first || *flip < *first)) first = flip;
      }
    }
    if (!first || *first > limit) return std::nullopt;
    if (opening(*first) != before) return first;
    at = *first;
  }
  return std::nullopt;
}

}  // namespace audiencesync
