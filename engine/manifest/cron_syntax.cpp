#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "engine/manifest/field_checks.h"
#include "engine/manifest/scalar_values.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

struct CronField {
  std::string_view name;
  std::uint64_t least;
  std::uint64_t most;
  std::string_view words;  // three letters each, the first stands for `least`
};

constexpr std::array kCronFields{
    CronField{"minute", 0, 59, ""},
    CronField{"hour", 0, 23, ""},
    CronField{"day of month", 1, 31, ""},
    CronField{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    CronField{"day of week", 0, 7, "sunmontuewedthufrisat"},
};

constexpr std::string_view kCronExample = "for example 0 4 * * * for every day at 04:00";

std::vector<std::string_view> split_text(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::uint64_t> cron_number(std::string_view text, const CronField& field) {
  if (const auto number = parse_count(text)) return number;
  std::string lower(text);
  for (char& character : lower) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  if (lower.size() != 3) return std::nullopt;
  for (std::size_t at = 0; at + 3 <= field.words.size(); at += 3) {
    if (field.words.substr(at, 3) == lower) return field.least + at / 3;
  }
  return std::nullopt;
}

/// One element of a list: `*`, `5`, `1-5`, each perhaps with `/2`.
bool is_cron_element(std::string_view element, const CronField& field) {
  const auto steps = split_text(element, '/');
  if (steps.size() > 2) return false;
  if (steps.size() == 2) {
    const auto step = parse_count(steps[1]);
    if (!step || *step == 0 || *step > field.most) return false;
  }
  if (steps[0] == "*") return true;
  const auto ends = split_text(steps[0], '-');
  if (ends.size() > 2 || (steps.size() == 2 && ends.size() == 1)) return false;
  std::uint64_t before = field.least;
  for (const auto end : ends) {
    const auto number = cron_number(end, field);
    if (!number || *number < before || *number > field.most) return false;
    before = *number;
  }
  return true;
}

/// 30 February never comes: a schedule that cannot fire would be a silent stop.
bool names_a_real_day(std::string_view days, std::string_view months) {
  const auto day = parse_count(days);
  if (!day || *day <= 29) return true;
  const auto short_enough = [&](std::string_view word) {
    const auto month = cron_number(word, kCronFields[3]);
    if (!month) return false;
    if (*month == 2) return true;
    return *day == 31 && (*month == 4 || *month == 6 || *month == 9 || *month == 11);
  };
  const auto parts = split_text(months, ',');
  return !std::all_of(parts.begin(), parts.end(), short_enough);
}

}  // namespace

std::optional<std::string> check_cron(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kNicknames{"@hourly", "@daily", "@weekly", "@monthly"};
  if (std::find(kNicknames.begin(), kNicknames.end(), text) != kNicknames.end()) return std::nullopt;
  if (text.starts_with('@')) {
    return fmt::format("is not known; write one of {}, or five fields, {}", fmt::join(kNicknames, ", "), kCronExample);
  }
  auto parts = split_text(text, ' ');
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  if (parts.size() != kCronFields.size()) {
    return fmt::format(
        "has {} fields, but a schedule has five (minute, hour, day of month, month, day of week); "
        "write {}",
        parts.size(), kCronExample);
  }
  for (std::size_t i = 0; i < kCronFields.size(); ++i) {
    const auto elements = split_text(parts[i], ',');
    const auto fits = [&](std::string_view element) { return is_cron_element(element, kCronFields[i]); };
    if (std::all_of(elements.begin(), elements.end(), fits)) continue;
    return fmt::format("has {} {}, which must be *, a number from {} to {}, a range or a list of them; write {}",
                       kCronFields[i].name, shown(parts[i]), kCronFields[i].least, kCronFields[i].most, kCronExample);
  }
  if (parts[4] == "*" && !names_a_real_day(parts[2], parts[3])) {
    return fmt::format("names day {} of month {}, which never comes; write {}", parts[2], parts[3], kCronExample);
  }
  return std::nullopt;
}

}  // namespace audiencesync
