#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "emulator/analytics/connection_model.h"
#include "emulator/data/database.h"

namespace emulator {

/// A field to read of every row, NULL where a file does not have it.
struct WantedField {
  enum class As { Document, Text, Time };
  std::string name;       // of the column in the result
  std::string container;  // JSON path, `$."a"."b"`
  As as = As::Document;
};

/// Reads the Parquet files of batches by fields. Remembers which file has which field: they never change. Thread-safe.
class HeldRows {
 public:
  explicit HeldRows(const Database& database) : database_(database) {}

  /// SQL of all rows of these batches: `seq` (BIGINT, grows with the order of ingestion), `withdrawn` (BOOLEAN) and the
  /// wanted fields as text, or as TIMESTAMP. Without batches a select of no row.
  std::string sql(const std::vector<HeldBatch>& batches, const std::vector<WantedField>& fields);

 private:
  bool has_field(Connection& session, const std::string& part, const std::string& container);

  const Database& database_;
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, bool>> known_;  // by part and container
};

/// The field that holds the person id as the data set is configured, and SQL over it that yields the id; NULL and ''
/// mean nobody. The column is named "person_field".
WantedField person_field(const Json& data_set);
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

/// SQL of the values that count for each person: `person`, `value` (JSON), without rows for people who have none.
/// `rows` is what HeldRows::sql() gave for the person's field and one named "value".
std::string current_values_sql(const RowRule& rule, const std::string& rows, const std::string& person);

/// SQL of the people of whom a data set holds a record that counts: `person`.
std::string current_people_sql(const RowRule& rule, const std::string& rows, const std::string& person);

}  // namespace emulator
