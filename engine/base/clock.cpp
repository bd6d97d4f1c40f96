#include "engine/base/clock.h"

#include <fmt/format.h>

#include <condition_variable>
#include <ctime>
#include <mutex>

namespace audiencesync {
namespace {

// Reads a time from left to right; after the first thing that does not fit, everything fails.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }

  bool skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(std::string_view expected) {
    if (rest_.starts_with(expected)) {
      rest_.remove_prefix(expected.size());
    } else {
      failed_ = true;
    }
  }

  // A number of exactly `digits` digits, `least` to `most`.
  int number(std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + digit();
    if (value < least || value > most) failed_ = true;
    return value;
  }

  // Digits after a decimal point, as milliseconds; what is finer is cut off.
  int milliseconds() {
    int value = 0;
    int scale = 100;
    value += digit() * scale;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      scale /= 10;
      value += digit() * scale;
    }
    return value;
  }

  // The place of the next three letters in a list of names of three letters.
  int name(std::string_view names) {
    const auto found = rest_.size() < 3 ? std::string_view::npos : names.find(rest_.substr(0, 3));
    if (found == std::string_view::npos || found % 3 != 0) {
      failed_ = true;
      return 0;
    }
    rest_.remove_prefix(3);
    return static_cast<int>(found / 3);
  }

 private:
  int digit() {
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
      failed_ = true;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool failed_ = false;
};

// nullopt for a day its month does not have. A leap second counts as the first of the next minute.
std::optional<Time> utc(int year, int month, int day, std::chrono::seconds time_of_day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + time_of_day;
}

std::chrono::seconds parse_time_of_day(TimeText& text) {
  const int hours = text.number(2, 0, 23);
  text.expect(":");
  const int minutes = text.number(2, 0, 59);
  text.expect(":");
  const int seconds = text.number(2, 0, 60);
  return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
}

std::optional<Time> parse_http_time(TimeText& text) {
  text.name("SunMonTueWedThuFriSat");
  text.expect(", ");
  const int day = text.number(2, 1, 31);
  text.expect(" ");
  const int month = text.name("JanFebMarAprMayJunJulAugSepOctNovDec") + 1;
  text.expect(" ");
  const int year = text.number(4, 1, 9999);
  text.expect(" ");
  const auto time_of_day = parse_time_of_day(text);
  text.expect(" GMT");
  return utc(year, month, day, time_of_day);
}

std::optional<Time> parse_iso_time(TimeText& text) {
  const int year = text.number(4, 1, 9999);
  text.expect("-");
  const int month = text.number(2, 1, 12);
  text.expect("-");
  const int day = text.number(2, 1, 31);
  text.expect("T");
  const auto time_of_day = parse_time_of_day(text);
  const std::chrono::milliseconds fraction(text.skip('.') ? text.milliseconds() : 0);
  auto time = utc(year, month, day, time_of_day);
  if (!time) return std::nullopt;
  *time += fraction;
  // Some answers of the platform leave the zone out and mean UTC, others write it without a colon.
  if (text.at_end() || text.skip('Z')) return time;
  const bool east = text.skip('+');
  if (!east) text.expect("-");
  std::chrono::minutes offset = std::chrono::hours(text.number(2, 0, 23));
  text.skip(':');
  offset += std::chrono::minutes(text.number(2, 0, 59));
  return east ? *time - offset : *time + offset;
}

}  // namespace

Time SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady() const { return std::chrono::steady_clock::now(); }

bool SystemClock::sleep(Duration duration, std::stop_token stop) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

std::string to_iso8601(Time time) {
  const auto ms = to_epoch_ms(time);
  auto seconds = static_cast<std::time_t>(ms / 1000);
  auto rest = ms % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  const auto fraction = rest == 0 ? std::string{} : fmt::format(".{:03}", rest);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, fraction);
}

std::optional<Time> parse_time(std::string_view text) {
  // By hand: strptime knows the names of days and months only in the language of the locale.
  TimeText rest(text);
  const auto time = text.find(',') == 3 ? parse_http_time(rest) : parse_iso_time(rest);
  return rest.failed() || !rest.at_end() ? std::nullopt : time;
}

Time from_epoch_ms(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }
std::int64_t to_epoch_ms(Time time) { return time.time_since_epoch().count(); }

}  // namespace audiencesync
