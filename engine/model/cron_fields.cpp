#include "engine/model/cron_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace audiencesync {
namespace {

struct FieldRule {
  std::string_view name;
  unsigned least;
  unsigned most;
  std::string_view words;  // three letters each, the first stands for `least`
};

constexpr std::size_t kFieldCount = 5;
constexpr std::array<FieldRule, kFieldCount> kFieldRules{{
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of month", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 7, "sunmontuewedthufrisat"},
}};
constexpr unsigned kSunday = 7;  // at the end of a range

struct Nickname {
  std::string_view name;
  std::string_view means;
};
constexpr std::array kNicknames{Nickname{"@hourly", "0 * * * *"}, Nickname{"@daily", "0 0 * * *"},
                                Nickname{"@weekly", "0 0 * * 0"}, Nickname{"@monthly", "0 0 1 * *"},
                                Nickname{"@yearly", "0 0 1 1 *"}};

constexpr std::string_view kCronExample = "for example 0 4 * * * for every day at 04:00";
constexpr std::array<unsigned, 13> kLongestMonth{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

/// A piece of the expression that remembers where it stood.
struct Piece {
  std::string_view text;
  std::size_t at = 0;
};

std::vector<Piece> split(Piece piece, char separator) {
  std::vector<Piece> parts;
  while (true) {
    const auto length = piece.text.find(separator);
    parts.push_back({piece.text.substr(0, length), piece.at});
    if (length == std::string_view::npos) return parts;
    piece.text.remove_prefix(length + 1);
    piece.at += length + 1;
  }
}

std::optional<unsigned> digits(std::string_view text) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return out;
}

std::optional<unsigned> number_of(std::string_view text, const FieldRule& rule) {
  if (text.size() == 3) {
    const auto word = lower_case(text);
    for (std::size_t at = 0; at < rule.words.size(); at += 3) {
      if (rule.words.substr(at, 3) == word) return rule.least + static_cast<unsigned>(at / 3);
    }
  }
  return digits(text);
}

/// What one field names. Bit 7 of a day of the week is Sunday as well.
struct FieldValue {
  std::bitset<60> numbers;
  enum class Star { Absent, Present } star = Star::Absent;
};

class FieldParser {
 public:
  explicit FieldParser(const FieldRule& rule) : rule_(rule) {}

  std::variant<FieldValue, CronProblem> parse(Piece field) {
    for (const auto& element : split(field, ',')) {
      if (auto problem = add(element)) return std::move(*problem);
    }
    return value_;
  }

 private:
  using Problem = std::optional<CronProblem>;

  /// One element of a list: `*`, `5`, `1-5`, the first and the last perhaps with `/2`.
  Problem add(Piece element) {
    const auto parts = split(element, '/');
    const auto ends = split(parts[0], '-');
    if (parts.size() > 2 || ends.size() > 2) return misplaced(element, element);
    unsigned step = 1;
    if (parts.size() == 2) {
      const auto read = digits(parts[1].text);
      if (!read || *read == 0 || *read > rule_.most) {
        return wrong(element, fmt::format("whose step must be a number from 1 to {}", rule_.most));
      }
      step = *read;
    }
    if (parts[0].text == "*") {
      value_.star = FieldValue::Star::Present;
      fill(rule_.least, is_weekday() ? rule_.most - 1 : rule_.most, step);
      return std::nullopt;
    }
    const auto first = number_of(ends.front().text, rule_);
    auto last = number_of(ends.back().text, rule_);
    if (!first || *first < rule_.least || *first > rule_.most) return misplaced(ends.front(), element);
    if (!last || *last < rule_.least || *last > rule_.most) return misplaced(ends.back(), element);
    if (ends.size() == 1 && parts.size() == 2) {
      return wrong(element,
                   fmt::format("whose step needs a range to count in; write {}-{}/{}", *first, rule_.most, step));
    }
    // A week that ends with Sunday is how people say it: fri-sun.
    if (is_weekday() && ends.size() == 2 && *first > 0 && lower_case(ends.back().text) == "sun") last = kSunday;
    if (*last < *first) {
      return wrong(element, fmt::format("which runs backwards; write {}-{},{}-{} to pass the end, or exchange the two",
                                        *first, rule_.most, rule_.least, *last));
    }
    fill(*first, *last, step);
    return std::nullopt;
  }

  bool is_weekday() const { return rule_.most == kSunday; }

  void fill(unsigned first, unsigned last, unsigned step) {
    for (unsigned number = first; number <= last; number += step) value_.numbers.set(number);
  }

  /// Points at the end of the range that is wrong, or at the element when there is nothing to point at.
  Problem misplaced(Piece end, Piece element) const {
    return wrong(end.text.empty() ? element : end,
                 fmt::format("which must be *, a number from {} to {}{}, a range or a list of them; write {}",
                             rule_.least, rule_.most, rule_.words.empty() ? "" : ", a name", kCronExample));
  }

  Problem wrong(Piece part, std::string advice) const {
    return CronProblem{rule_.name, part.at, part.text.size(), std::move(advice)};
  }

  const FieldRule& rule_;
  FieldValue value_;
};

template <std::size_t size>
std::bitset<size> narrowed(const std::bitset<60>& numbers) {
  std::bitset<size> out;
  for (std::size_t i = 0; i < size; ++i) out.set(i, numbers.test(i));
  return out;
}

/// 30 February never comes: a schedule that cannot fire would be a silent stop. A day of the week always comes, also
/// on a 29 February, so it is asked only whether the months have the days.
bool comes_some_day(const CronFields& fields) {
  if (fields.day_rule == DayRule::Either) return true;
  for (std::size_t month = 1; month < kLongestMonth.size(); ++month) {
    for (std::size_t day = 1; fields.months.test(month) && day <= kLongestMonth[month]; ++day) {
      if (fields.days.test(day)) return true;
    }
  }
  return false;
}

CronProblem whole(std::string_view text, std::string advice) { return {"", 0, text.size(), std::move(advice)}; }

}  // namespace

std::variant<CronFields, CronProblem> parse_cron(std::string_view text) {
  if (text.starts_with('@')) {
    for (const auto& nickname : kNicknames) {
      if (nickname.name == text) return parse_cron(nickname.means);
    }
    std::vector<std::string_view> names;
    for (const auto& nickname : kNicknames) names.push_back(nickname.name);
    return whole(
        text, fmt::format("is not known; write one of {}, or five fields, {}", fmt::join(names, ", "), kCronExample));
  }
  auto parts = split({text, 0}, ' ');
  std::erase_if(parts, [](const Piece& part) { return part.text.empty(); });
  if (parts.size() != kFieldCount) {
    return whole(text, fmt::format("has {} field{}, but a schedule has five (minute, hour, day of month, month, day of "
                                   "week); write {}",
                                   parts.size(), parts.size() == 1 ? "" : "s", kCronExample));
  }
  std::array<FieldValue, kFieldCount> values;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    auto read = FieldParser(kFieldRules[i]).parse(parts[i]);
    if (auto* problem = std::get_if<CronProblem>(&read)) return std::move(*problem);
    values[i] = *std::get_if<FieldValue>(&read);
  }
  const auto has_star = [&](std::size_t field) { return values[field].star == FieldValue::Star::Present; };
  CronFields fields;
  fields.minutes = values[0].numbers;
  fields.hours = narrowed<24>(values[1].numbers);
  fields.days = narrowed<32>(values[2].numbers);
  fields.months = narrowed<13>(values[3].numbers);
  fields.weekdays = narrowed<7>(values[4].numbers);
  if (values[4].numbers.test(kSunday)) fields.weekdays.set(0);
  fields.day_rule = has_star(2) || has_star(4) ? DayRule::Both : DayRule::Either;
  fields.rhythm = fields.hours.all() || has_star(0) ? Rhythm::Interval : Rhythm::FixedTimes;
  if (!comes_some_day(fields)) {
    const auto& month = parts[3];
    return CronProblem{
        "", parts[2].at, month.at + month.text.size() - parts[2].at,
        fmt::format("names day {} of month {}, which never comes; write {}", parts[2].text, month.text, kCronExample)};
  }
  return fields;
}

}  // namespace audiencesync
