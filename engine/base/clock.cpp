#include "engine/base/clock.h"

#include <fmt/format.h>

#include <condition_variable>
#include <ctime>
#include <mutex>

namespace audiencesync {

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
  const std::string copy(text);
  std::tm parts{};
  if (const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts); end != nullptr && *end == 0) {
    return from_epoch_ms(static_cast<std::int64_t>(timegm(&parts)) * 1000);
  }
  parts = {};
  const char* at = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (at == nullptr) return std::nullopt;
  std::int64_t ms = static_cast<std::int64_t>(timegm(&parts)) * 1000;
  if (*at == '.') {
    std::int64_t scale = 100;
    for (++at; *at >= '0' && *at <= '9'; ++at, scale /= 10) ms += (*at - '0') * scale;
  }
  if (*at == 'Z' || *at == 0) return from_epoch_ms(ms);
  int hours = 0;
  int minutes = 0;
  if ((*at == '+' || *at == '-') && std::sscanf(at + 1, "%2d:%2d", &hours, &minutes) == 2) {
    const std::int64_t offset = (hours * 60LL + minutes) * 60'000;
    return from_epoch_ms(*at == '+' ? ms - offset : ms + offset);
  }
  return std::nullopt;
}

Time from_epoch_ms(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }
std::int64_t to_epoch_ms(Time time) { return time.time_since_epoch().count(); }

}  // namespace audiencesync
