#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace audiencesync {

/// How the two day fields work together.
enum class DayRule {
  Both,   // one of them has a `*`, and a day must fit both
  Either  // both name days, and a day that fits one of them is due
};

/// What happens to times that the wall clock shows twice.
enum class Rhythm {
  FixedTimes,  // certain times of a day: once
  Interval     // every hour, or every n minutes: in both passes, so that the distance stays
};

/// A cron expression as sets of numbers: bit n stands for the number n.
struct CronFields {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     // 1 to 31
  std::bitset<13> months;   // 1 to 12
  std::bitset<7> weekdays;  // 0 is Sunday
  DayRule day_rule = DayRule::Both;
  Rhythm rhythm = Rhythm::FixedTimes;

  friend bool operator==(const CronFields&, const CronFields&) = default;
};

/// What is wrong with an expression, and where.
struct CronProblem {
  std::string_view field;  // such as "hour"; "" when it is the expression as a whole
  std::size_t at = 0;      // first character of the wrong part, from 0
  std::size_t length = 0;  // of the wrong part
  /// The end of a sentence: after "has hour '25', " when there is a field, else after the expression. Says what to
  /// write instead and repeats nothing of the expression but digits and plain words.
  std::string advice;
};

/// Reads five fields (minute, hour, day of month, month, day of week) or @hourly, @daily, @weekly, @monthly, @yearly.
///
/// A field is a list of `*`, numbers and ranges; `*` and ranges may have a step, as in `*/15` or `8-18/2`. Months and
/// days of the week have names of three letters in either case. 0 and 7 are Sunday, and `sun` may end a range. When
/// both day fields name days one of them is enough, otherwise (a `*`, also with a step, is in one) both must fit: the
/// rule of Debian's cron. An expression that can never be due is a problem, so whatever is read is due some day.
std::variant<CronFields, CronProblem> parse_cron(std::string_view text);

}  // namespace audiencesync
