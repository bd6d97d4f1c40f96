#include "engine/schedule/cron.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/schedule/quoted.h"

namespace audiencesync {
namespace {

using std::chrono::ceil;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;

constexpr sys_days kFirstDay = year(1900) / 1 / 1;
constexpr sys_days kLastDay = year(9000) / 1 / 1;
// 29 February on a certain day of the week can be 40 years away, across a year such as 2100.
constexpr days kHorizon(50 * 366);

using LocalMinute = std::chrono::local_time<minutes>;

bool fits_day(const CronFields& fields, local_days day, const std::chrono::year_month_day& date) {
  const bool day_fits = fields.days.test(static_cast<unsigned>(date.day()));
  const bool weekday_fits = fields.weekdays.test(std::chrono::weekday(day).c_encoding());
  return fields.day_rule == DayRule::Either ? day_fits || weekday_fits : day_fits && weekday_fits;
}

std::optional<minutes> first_of_day(const CronFields& fields, minutes from) {
  auto minute = static_cast<std::size_t>(from.count() % 60);
  for (auto hour = static_cast<std::size_t>(from.count() / 60); hour < fields.hours.size(); ++hour, minute = 0) {
    for (; fields.hours.test(hour) && minute < fields.minutes.size(); ++minute) {
      if (fields.minutes.test(minute)) return hours(hour) + minutes(minute);
    }
  }
  return std::nullopt;
}

/// The first time of the wall clock in from <= t < to that the fields name.
std::optional<LocalMinute> first_match(const CronFields& fields, LocalMinute from, local_seconds to) {
  for (auto day = floor<days>(from); day < to;) {
    const std::chrono::year_month_day date(day);
    if (!fields.months.test(static_cast<unsigned>(date.month()))) {
      day = local_days((date.year() / date.month() / 1) + std::chrono::months(1));
      continue;
    }
    if (fits_day(fields, day, date)) {
      const auto start = std::max(from, LocalMinute(day)) - LocalMinute(day);
      if (const auto time = first_of_day(fields, start)) {
        const auto found = day + *time;
        return found < to ? std::optional(found) : std::nullopt;
      }
    }
    day += days(1);
  }
  return std::nullopt;
}

local_seconds to_local(sys_seconds at, seconds offset) { return local_seconds((at + offset).time_since_epoch()); }
sys_seconds to_system(LocalMinute at, seconds offset) { return sys_seconds(seconds(at.time_since_epoch()) - offset); }

/// By how much the wall clock was set forward (or, negative, back) when the stretch began.
seconds jump_into(const ZoneSpan& span, const Zone& zone) {
  if (span.begin <= kFirstDay) return seconds(0);
  return span.offset - zone.span_at(span.begin - seconds(1)).offset;
}

/// The first due instant in from <= t < until; both are within the stretch.
std::optional<sys_seconds> first_due(const CronFields& fields, const ZoneSpan& span, sys_seconds from,
                                     sys_seconds until, const Zone& zone) {
  auto earliest = ceil<minutes>(to_local(from, span.offset));
  const auto jump = jump_into(span, zone);
  const auto shown_at_begin = to_local(span.begin, span.offset);
  if (jump > seconds(0) && from == span.begin && !fields.hours.all()) {
    const auto skipped = ceil<minutes>(shown_at_begin - jump);
    if (first_match(fields, skipped, shown_at_begin)) return span.begin;
  }
  if (jump < seconds(0) && fields.rhythm == Rhythm::FixedTimes) {
    earliest = std::max(earliest, ceil<minutes>(shown_at_begin - jump));  // until then the times are shown again
  }
  const auto found = first_match(fields, earliest, to_local(until, span.offset));
  return found ? std::optional(to_system(*found, span.offset)) : std::nullopt;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  auto read = parse_cron(text);
  if (const auto* fields = std::get_if<CronFields>(&read)) return Cron(std::string(text), *fields);
  const auto& problem = *std::get_if<CronProblem>(&read);
  if (problem.field.empty()) {
    return Error(ErrorCode::Invalid, fmt::format("schedule {} {}", quoted(text), problem.advice));
  }
  return Error(ErrorCode::Invalid,
               fmt::format("schedule {} has {} {} at character {}, {}", quoted(text), problem.field,
                           quoted(text.substr(problem.at, problem.length)), problem.at + 1, problem.advice));
}

std::optional<Time> Cron::next(Time after, const Zone& zone) const {
  if (after < kFirstDay || after >= kLastDay) return std::nullopt;
  auto from = floor<seconds>(after) + seconds(1);
  const auto horizon = from + kHorizon;
  while (from < horizon) {
    const auto span = zone.span_at(from);
    const auto until = std::min(span.end, sys_seconds(horizon));
    if (const auto due = first_due(fields_, span, from, until, zone)) return Time(*due);
    from = until;
  }
  return std::nullopt;
}

std::optional<Time> Cron::newest(Time after, Time until, const Zone& zone) const {
  until = std::min(until, Time(kLastDay));
  const auto first = next(std::max(after, Time(kFirstDay)), zone);
  if (!first || *first > until) return std::nullopt;
  // What is looked for stays in found <= t <= last; `next` of the middle says in which half.
  auto found = *first;
  auto last = until;
  while (found < last) {
    const auto middle = found + (last - found) / 2;
    const auto later = next(middle, zone);
    if (later && *later <= until) {
      found = *later;
    } else {
      last = middle;
    }
  }
  return found;
}

}  // namespace audiencesync
