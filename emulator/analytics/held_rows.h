#pragma once

#include <string>
#include <vector>

#include "emulator/analytics/connection_model.h"

namespace emulator {

/// SQL of all rows of these batches: `seq` (BIGINT, grows with the order of ingestion), `withdrawn` (BOOLEAN) and
/// `doc` (JSON). Without batches a select of no row.
std::string held_rows_sql(const std::vector<HeldBatch>& batches);

/// SQL over `doc` that yields the person id of a row as the data set is configured; NULL and '' mean nobody.
std::string person_sql(const Json& data_set);

/// JSON path of a dotted path that crosses no array.
std::string json_path(const std::string& dotted);

/// What of the settings decides which of a person's rows count.
struct RowRule {
  enum class Kind { ReplaceRecord, MergeFields, Accumulate };
  Kind kind = Kind::ReplaceRecord;
  bool resurrect = false;      // a withdrawn batch gives way to what was before it
  bool empty_ignored = false;  // an empty list leaves the list of older rows

  static RowRule of(const Settings& settings);
};

/// SQL of the values that count for each person: `person`, `value` (the JSON at `container`), without rows for people
/// who have none. `rows` is what held_rows_sql() gave.
std::string current_values_sql(const RowRule& rule, const std::string& rows, const std::string& person,
                               const std::string& container);

/// SQL of the people of whom a data set holds a record that counts: `person`.
std::string current_people_sql(const RowRule& rule, const std::string& rows, const std::string& person);

}  // namespace emulator
