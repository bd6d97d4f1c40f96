#include "emulator/state/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace emulator {
namespace {

std::tm utc(std::int64_t epoch_ms) {
  std::int64_t seconds = epoch_ms / 1000;
  if (epoch_ms % 1000 < 0) --seconds;
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return parts;
}

}  // namespace

Clock::Time Clock::now() const {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(offset_ms_.load());
}

std::int64_t Clock::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()).count();
}

void Clock::advance(std::chrono::milliseconds by) { offset_ms_ += by.count(); }

std::string iso8601(std::int64_t epoch_ms) {
  const std::tm parts = utc(epoch_ms);
  const std::int64_t milliseconds = ((epoch_ms % 1000) + 1000) % 1000;
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                   parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                   parts.tm_sec, static_cast<int>(milliseconds));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<std::int64_t> parse_iso8601(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&](int count) -> std::optional<int> {
    int number = 0;
    for (int i = 0; i < count; ++i, ++at) {
      if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
      number = number * 10 + (text[at] - '0');
    }
    return number;
  };
  const auto take = [&](char c) { return at < text.size() && text[at] == c ? (++at, true) : false; };
  std::tm parts{};
  const auto year = digits(4);
  if (!year || !take('-')) return std::nullopt;
  const auto month = digits(2);
  if (!month || !take('-')) return std::nullopt;
  const auto day = digits(2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31 || (!take('T') && !take(' '))) return std::nullopt;
  const auto hour = digits(2);
  if (!hour || !take(':')) return std::nullopt;
  const auto minute = digits(2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  int second = 0;
  std::int64_t milliseconds = 0;
  if (take(':')) {
    const auto given = digits(2);
    if (!given || *given > 59) return std::nullopt;
    second = *given;
    if (take('.')) {
      const std::size_t begin = at;
      for (int scale = 100; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
        milliseconds += scale * (text[at] - '0');
      if (at == begin) return std::nullopt;
    }
  }
  std::int64_t offset = 0;  // minutes
  if (!take('Z') && at < text.size()) {
    const int sign = text[at] == '-' ? -1 : 1;
    if (!take('+') && !take('-')) return std::nullopt;
    const auto hours = digits(2);
    take(':');
    const auto minutes = digits(2);
    if (!hours || !minutes) return std::nullopt;
    offset = sign * (*hours * 60 + *minutes);
  }
  if (at != text.size()) return std::nullopt;
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = second;
  const std::time_t time = timegm(&parts);
  if (parts.tm_mday != *day) return std::nullopt;  // a 30th of February
  return (static_cast<std::int64_t>(time) - offset * 60) * 1000 + milliseconds;
}

std::string http_date(std::int64_t epoch_ms) {
  // Names are fixed by the protocol, so strftime, which follows the locale, is no help.
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm parts = utc(epoch_ms);
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                                   kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                                   parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace emulator
