#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/analytics/report_request.h"
#include "emulator/analytics/report_source.h"

namespace emulator {

struct ReportRow {
  std::optional<std::string> value;  // nullopt: people or events without one
  std::string item;
  std::vector<double> data;
};

struct ReportResult {
  std::vector<ReportRow> rows;  // of the page asked for
  std::uint64_t total_rows = 0;
  std::vector<double> totals;    // everybody in the range
  std::vector<double> filtered;  // those behind the rows of all pages
};

/// Computes a report. `dimension` and `metrics` are components of the data view; a null dimension is for totals only.
/// `columns` are what is shown, in SQL over m0, m1, ..., the values of those metrics.
/// Throws DatabaseError when a batch was removed meanwhile.
ReportResult run_report(HeldRows& rows, const Database& database, const ReportSource& source,
                        const ReportRequest& request, const Json& dimension, const std::vector<Json>& metrics,
                        const std::vector<std::string>& columns);

}  // namespace emulator
