#include "tests/schedule/oracle.h"

#include <cstdlib>
#include <ctime>
#include <sstream>

namespace audiencesync::testing {
namespace {

std::vector<std::string> words(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);) out.push_back(word);
  return out;
}

std::array<int, 5> fields_of(const std::tm& shown) {
  return {shown.tm_min, shown.tm_hour, shown.tm_mday, shown.tm_mon + 1, shown.tm_wday};
}

}  // namespace

std::vector<WallMinute> wall_minutes(const std::string& zone, const std::string& from, int days) {
  setenv("TZ", zone.c_str(), 1);
  tzset();
  std::vector<WallMinute> out;
  const auto begin = to_epoch_ms(*parse_time(from + "T00:00:00Z")) / 1000;
  for (std::int64_t utc = begin; utc < begin + std::int64_t{days} * 86400; utc += 60) {
    const auto time = static_cast<std::time_t>(utc);
    std::tm shown{};
    localtime_r(&time, &shown);
    out.push_back({utc, utc + shown.tm_gmtoff, fields_of(shown)});
  }
  return out;
}

NaiveCron::NaiveCron(const std::string& text) {
  static constexpr std::array<int, 5> kLeast{0, 0, 1, 1, 0};
  static constexpr std::array<int, 5> kMost{59, 23, 31, 12, 6};
  const auto fields = words(text, ' ');
  for (std::size_t i = 0; i < 5; ++i) {
    for (const auto& element : words(fields.at(i), ',')) {
      const auto slash = words(element, '/');
      const int step = slash.size() == 2 ? std::stoi(slash[1]) : 1;
      int first = kLeast[i];
      int last = kMost[i];
      if (slash[0] != "*") {
        const auto ends = words(slash[0], '-');
        first = std::stoi(ends.front());
        last = std::stoi(ends.back());
      }
      for (int number = first; number <= last; number += step)
        named_[i].set(static_cast<std::size_t>(i == 4 ? number % 7 : number));
    }
  }
  const auto has_star = [&](std::size_t i) { return fields[i].find('*') != std::string::npos; };
  either_day_ = !has_star(2) && !has_star(4);
  every_hour_ = named_[1].count() == 24;
  every_minutes_ = has_star(0);
}

bool NaiveCron::matches(const std::array<int, 5>& fields) const {
  const auto named = [&](std::size_t i) { return named_[i].test(static_cast<std::size_t>(fields[i])); };
  if (!named(0) || !named(1) || !named(3)) return false;
  return either_day_ ? named(2) || named(4) : named(2) && named(4);
}

std::vector<Time> NaiveCron::due(const std::vector<WallMinute>& minutes) const {
  std::vector<Time> out;
  std::int64_t latest = minutes.front().local - 60;  // shown so far
  for (const auto& minute : minutes) {
    bool is_due = false;
    for (auto skipped = latest + 60; skipped < minute.local && !every_hour_; skipped += 60) {
      const auto time = static_cast<std::time_t>(skipped);
      std::tm shown{};
      gmtime_r(&time, &shown);
      is_due = is_due || matches(fields_of(shown));
    }
    const bool again = minute.local <= latest;
    if (matches(minute.fields) && (!again || every_hour_ || every_minutes_)) is_due = true;
    if (is_due) out.push_back(from_epoch_ms(minute.utc * 1000));
    latest = std::max(latest, minute.local);
  }
  return out;
}

}  // namespace audiencesync::testing
