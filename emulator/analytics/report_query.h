#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/analytics/held_rows.h"
#include "emulator/analytics/report_request.h"

namespace emulator {

/// Everything a report reads, taken while the objects were locked; the rows are read afterwards.
struct ReportSource {
  struct DataSet {
    Json data_set;
    std::vector<HeldBatch> batches;
  };
  Json data_view;
  std::vector<DataSet> events;
  std::vector<DataSet> profiles;
  RowRule rule;
  bool needs_event = true;
  std::uint64_t array_cap = 10;

  const DataSet* profile(const std::string& dataset) const;
};

ReportSource report_source(const Platform& platform, Lake& lake, const Json& data_view);

/// SQL of the values of a profile component, `person` and `value`, each pair once.
std::string profile_values_sql(HeldRows& rows, const ReportSource& source, const Json& component);

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
/// Throws DatabaseError when a batch was removed meanwhile.
ReportResult run_report(HeldRows& rows, const Database& database, const ReportSource& source,
                        const ReportRequest& request, const Json& dimension, const std::vector<Json>& metrics);

}  // namespace emulator
