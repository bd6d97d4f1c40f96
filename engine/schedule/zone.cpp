#include "engine/schedule/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "engine/schedule/quoted.h"

namespace audiencesync {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// The ends of what is looked at, so that no sum of a time and an offset can overflow. Whoever asks stays far inside.
constexpr sys_seconds kBeginOfTime{std::chrono::sys_days(std::chrono::year(1) / 1 / 1)};
constexpr sys_seconds kEndOfTime{std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)};

ZoneSpan listed_span(const date::time_zone& zone, sys_seconds at) {
  const auto info = zone.get_info(at);
  return {std::max(info.begin, kBeginOfTime), std::min(info.end, kEndOfTime), info.offset};
}

std::string folded(std::string_view name) {
  std::string out;
  for (const char letter : name) {
    if (letter >= 'A' && letter <= 'Z') {
      out += static_cast<char>(letter - 'A' + 'a');
    } else {
      out += letter == ' ' || letter == '-' ? '_' : letter;
    }
  }
  return out;
}

/// The zone that somebody who writes `europe/berlin`, `Berlin` or `Europe Berlin` has in mind.
std::optional<std::string> meant_zone(std::string_view name) {
  const auto wanted = folded(name);
  const auto with_slash = [&] {
    auto out = wanted;
    if (const auto blank = out.find('_'); blank != std::string::npos) out[blank] = '/';
    return out;
  }();
  std::optional<std::string> city;
  for (const auto& zone : date::get_tzdb().zones) {
    const auto known = folded(zone.name());
    if (known == wanted || known == with_slash) return zone.name();
    const auto slash = known.rfind('/');
    if (!city && slash != std::string::npos && known.substr(slash + 1) == wanted) city = zone.name();
  }
  return city;
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  if (name == "UTC") return Zone();
  try {
    const auto& zones = date::get_tzdb().zones;
    const auto found = std::find_if(zones.begin(), zones.end(), [&](const auto& zone) { return zone.name() == name; });
    // What the machine calls its own zone differs between machines, and so would the runs.
    const bool usable = found != zones.end() && name != "localtime";
    if (!usable) {
      const auto meant = meant_zone(name);
      return Error(ErrorCode::Invalid, fmt::format("time zone {} is not known here; {}", quoted(name),
                                                   meant && *meant != "localtime"
                                                       ? fmt::format("did you mean '{}'?", *meant)
                                                       : std::string("write UTC or a name such as Europe/Berlin")));
    }
    found->get_info(sys_seconds{});  // reads the file now, so that nothing can fail later
    return Zone(std::string(name), &*found);
  } catch (const std::exception& failure) {
    return Error(ErrorCode::Io,
                 fmt::format("the time zones of this machine cannot be read ({}); install tzdata", failure.what()));
  }
}

ZoneSpan Zone::span_at(sys_seconds at) const {
  if (zone_ == nullptr) return {kBeginOfTime, kEndOfTime, seconds(0)};
  auto span = listed_span(*zone_, at);
  // The database also lists changes of a name or of the law that leave the clock alone.
  while (span.begin > kBeginOfTime) {
    const auto before = listed_span(*zone_, span.begin - seconds(1));
    if (before.offset != span.offset) break;
    span.begin = before.begin;
  }
  while (span.end < kEndOfTime) {
    const auto after = listed_span(*zone_, span.end);
    if (after.offset != span.offset) break;
    span.end = after.end;
  }
  return span;
}

std::string Zone::local_text(Time at) const {
  const auto second = std::clamp(std::chrono::floor<seconds>(at), kBeginOfTime, kEndOfTime - seconds(1));
  const auto offset = span_at(second).offset;
  auto text = to_iso8601(Time(second + offset));
  text.pop_back();  // the Z
  const auto east = std::chrono::duration_cast<std::chrono::minutes>(offset).count();
  const auto away = east < 0 ? -east : east;
  return fmt::format("{}{}{:02}:{:02}", text, east < 0 ? '-' : '+', away / 60, away % 60);
}

}  // namespace audiencesync
