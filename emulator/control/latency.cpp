#include "emulator/control/latency.h"

#include <algorithm>
#include <iterator>

#include "emulator/state/mixed.h"

namespace emulator {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Answers of one kind take between `least` and four times as long, the short ones more often.
struct AnswerRow {
  const char* method;  // "" = any
  const char* path;    // how the path begins
  milliseconds least;
};

// The first that fits. No source publishes these; they are what makes a client wait without making anybody wait long.
constexpr AnswerRow kAnswers[] = {{"", "/ims/", milliseconds(150)},
                                  {"POST", "/reports", milliseconds(900)},
                                  {"PUT", "/data/foundation/import/", milliseconds(400)},
                                  {"GET", "/data/foundation/export/", milliseconds(80)},
                                  {"GET", "/data/foundation/query/", milliseconds(200)},
                                  {"GET", "", milliseconds(120)},
                                  {"", "", milliseconds(300)}};

}  // namespace

Settings with_real_latency(Settings settings) {
  settings.export_delay = minutes(20);
  settings.export_visibility = minutes(1);
  settings.batch_delay = minutes(5);
  settings.list_lag = seconds(5);
  settings.table_tag_delay = minutes(1);
  settings.hygiene_delay = hours(24);
  settings.preview_delay = seconds(12);
  settings.analytics_delay = minutes(90);
  settings.analytics_delete_delay = minutes(90);
  settings.backfill_delay = hours(24);
  settings.query_delay = minutes(1);
  settings.report_duration = seconds(20);
  settings.analytics_rate_limit = true;
  return settings;
}

std::chrono::milliseconds answer_latency(const Request& request, std::uint64_t number) {
  const AnswerRow* row = std::find_if(std::begin(kAnswers), std::end(kAnswers), [&](const AnswerRow& one) {
    return (*one.method == '\0' || request.method == one.method) && request.path.starts_with(one.path);
  });
  const double even = static_cast<double>(mixed(number) >> 11U) / static_cast<double>(1ULL << 53U);  // 0 to 1
  return row->least + milliseconds(static_cast<std::int64_t>(3.0 * even * even * even * row->least.count()));
}

}  // namespace emulator
