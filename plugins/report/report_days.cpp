#include "plugins/report/report_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace audiencesync {
namespace {

// Where a day ends last.
constexpr Duration kLastOnEarth = -std::chrono::hours{12};

std::string date_of(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace

ReportDays complete_days(Time now, std::optional<Duration> offset, int wanted) {
  const int count = std::max(wanted, 1);
  const auto today = std::chrono::floor<std::chrono::days>(now + offset.value_or(kLastOnEarth));
  return {fmt::format("{}T00:00:00.000/{}T23:59:59.999", date_of(today - std::chrono::days(count)),
                      date_of(today - std::chrono::days(1))),
          count};
}

}  // namespace audiencesync
