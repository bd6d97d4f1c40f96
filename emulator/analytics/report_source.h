#pragma once

#include <string>
#include <vector>

#include "emulator/analytics/held_rows.h"

namespace emulator {

/// Everything a report reads, taken while the objects were locked; the rows are read afterwards.
struct ReportSource {
  struct DataSet {
    Json data_set;
    std::vector<HeldBatch> batches;
    Json parent;  // of a lookup: the field of people that its key matches, as a component; null when there is none
  };
  Json data_view;
  std::vector<DataSet> events;
  std::vector<DataSet> profiles;
  std::vector<DataSet> lookups;
  RowRule rule;
  bool needs_event = true;
  std::uint64_t array_cap = 10;
};

/// What a report on the data view reads now. The caller holds the lock.
ReportSource report_source(const Platform& platform, Lake& lake, const Json& data_view);

/// SQL of a component's values over its container's JSON in the column `from`: a text, or a list when it has many.
std::string component_values(const Json& component, const std::string& from, std::uint64_t cap);
/// SQL condition on `value`: there is one, and the component's include rules let it pass.
std::string component_condition(const Json& component);

/// SQL of the values of a component of a profile or lookup data set, `person` and `value`, each pair once.
std::string people_values_sql(HeldRows& rows, const ReportSource& source, const Json& component);

}  // namespace emulator
