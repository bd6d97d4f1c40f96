#include "emulator/query/cron.h"

#include <array>
#include <charconv>
#include <ctime>
#include <vector>

#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr int kMostDays = 9 * 366;

struct CronField {
  const char* name;
  int least;
  int most;
  std::vector<std::string_view> words;  // of `least`, `least` + 1, ...
};

const std::array<CronField, 5>& cron_fields() {
  static const std::array<CronField, 5> kFields{
      CronField{"minute", 0, 59, {}}, CronField{"hour", 0, 23, {}}, CronField{"day of the month", 1, 31, {}},
      CronField{"month", 1, 12, {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
      CronField{"day of the week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}};
  return kFields;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    out.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return out;
    begin = end + 1;
  }
}

std::optional<int> cron_number(std::string_view text, const CronField& field) {
  for (std::size_t i = 0; i < field.words.size(); ++i)
    if (sql_upper(text) == field.words[i]) return field.least + static_cast<int>(i);
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < field.least || number > field.most) return std::nullopt;
  return number;
}

/// Marks what one field names; false when it is no field.
template <std::size_t kSize>
bool mark(std::string_view text, const CronField& field, std::bitset<kSize>& out) {
  for (const std::string_view part : split_at(text, ',')) {
    const std::size_t slash = part.find('/');
    int step = 1;
    if (slash != std::string_view::npos) {
      const CronField steps{field.name, 1, field.most, {}};
      const auto given = cron_number(part.substr(slash + 1), steps);
      if (!given) return false;
      step = *given;
    }
    const std::string_view range = part.substr(0, slash);
    int first = field.least;
    int last = field.most;
    if (range != "*") {
      const auto ends = split_at(range, '-');
      const auto low = cron_number(ends.front(), field);
      const auto high = cron_number(ends.back(), field);
      if (!low || !high || ends.size() > 2 || *low > *high) return false;
      first = *low;
      // 5/15 is from 5 on.
      if (ends.size() == 2 || slash == std::string_view::npos) last = *high;
    }
    for (int i = first; i <= last; i += step) out.set(static_cast<std::size_t>(i));
  }
  return true;
}

}  // namespace

std::optional<Cron> Cron::parse(std::string_view line, std::string& why) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split_at(line, ' '))
    if (!part.empty()) parts.push_back(part);
  if (parts.size() != 5) {
    why = "'" + std::string(line) + "' has " + std::to_string(parts.size()) +
          " fields; write minute, hour, day of the month, month and day of the week, for example 30 3 * * *, or @once";
    return std::nullopt;
  }
  Cron out;
  const auto& fields = cron_fields();
  const std::array<bool, 5> good{mark(parts[0], fields[0], out.minutes_), mark(parts[1], fields[1], out.hours_),
                                 mark(parts[2], fields[2], out.days_), mark(parts[3], fields[3], out.months_),
                                 mark(parts[4], fields[4], out.weekdays_)};
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (good.at(i)) continue;
    why = "'" + std::string(parts[i]) + "' is no " + fields.at(i).name + "; it goes from " +
          std::to_string(fields.at(i).least) + " to " + std::to_string(fields.at(i).most);
    return std::nullopt;
  }
  if (out.weekdays_[7]) out.weekdays_.set(0);
  out.any_day_ = parts[2].front() == '*';
  out.any_weekday_ = parts[4].front() == '*';
  return out;
}

std::optional<std::int64_t> Cron::next_after(std::int64_t epoch_ms) const {
  std::int64_t at = (epoch_ms / kMinute + 1) * kMinute;
  for (int day = 0; day < kMostDays; ++day) {
    const auto seconds = static_cast<std::time_t>(at / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    const bool date = days_[static_cast<std::size_t>(parts.tm_mday)];
    const bool weekday = weekdays_[static_cast<std::size_t>(parts.tm_wday)];
    const bool either = !any_day_ && !any_weekday_;
    const bool wanted =
        months_[static_cast<std::size_t>(parts.tm_mon + 1)] && (either ? date || weekday : date && weekday);
    const std::int64_t midnight = at - (parts.tm_hour * 60 + parts.tm_min) * kMinute;
    if (wanted) {
      for (int minute = parts.tm_hour * 60 + parts.tm_min; minute < 24 * 60; ++minute)
        if (hours_[static_cast<std::size_t>(minute / 60)] && minutes_[static_cast<std::size_t>(minute % 60)])
          return midnight + minute * kMinute;
    }
    at = midnight + 24 * 60 * kMinute;
  }
  return std::nullopt;
}

}  // namespace emulator
