#pragma once

#include <optional>
#include <string>

#include "engine/base/clock.h"

namespace audiencesync {

/// Complete days as a report asks for them.
struct ReportDays {
  std::string range;  // 2026-05-01T00:00:00.000/2026-05-30T23:59:59.999, in the data view's time zone
  int count = 0;
};

/// The last complete days of a time zone that is `offset` from UTC; today is not one of them. Without a known offset
/// the last day is one that is over everywhere on Earth. At least one day.
ReportDays complete_days(Time now, std::optional<Duration> offset, int days);

}  // namespace audiencesync
