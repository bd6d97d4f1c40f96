#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/http/message.h"
#include "emulator/platform.h"

namespace emulator {

enum class Nones { Include, Exclude };

/// One column of a report.
struct ReportMetric {
  std::string column;
  std::string id;
  Json formula;  // of a calculated metric; null for one of the data view
};

/// What a report asks, read and checked as far as no data view is needed for it.
struct ReportRequest {
  std::string data_view;
  std::string dimension;  // "" for totals only
  std::vector<ReportMetric> metrics;
  std::string from;  // local time of the data view, 2026-05-01T00:00:00.000
  std::string to;    // the first moment that does not belong to it any more
  double days = 0;
  std::vector<Json> segments;      // definitions
  std::string condition = "true";  // of the search, in SQL over `value`
  std::uint64_t limit = 50;
  std::uint64_t page = 0;
  Nones nones = Nones::Include;
  std::string order;  // SQL; "" for the first metric, largest first
};

/// Reads the body of POST /reports; segments by id are looked up. Throws HttpError 400 and 404. Objects are locked.
ReportRequest read_report_request(const Platform& platform, const Json& body);

/// How long such a report takes the service, by the settings; 0 unless a test wants it to take long. It grows with the
/// days and, half of it, with the rows: a report that asks for less is faster.
std::chrono::milliseconds report_time(const Settings& settings, const ReportRequest& request);

}  // namespace emulator
