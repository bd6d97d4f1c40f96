#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/duckdb/parquet_columns.h"

struct _duckdb_table_function;

namespace audiencesync {

/// One column of one batch of rows, and below it the columns of its struct members, map keys and values, list elements.
/// Plain pointers into DuckDB's memory, valid until the next batch.
struct VectorView {
  const ParquetType* type = nullptr;
  const void* data = nullptr;               // Text: strings; Map, List: offset and length of each row
  const std::uint64_t* validity = nullptr;  // a bit a row, null: all rows have a value
  std::vector<VectorView> children;         // as in the type

  bool has(std::uint64_t row) const { return validity == nullptr || ((validity[row >> 6U] >> (row & 63U)) & 1U) != 0; }
  std::string_view text(std::uint64_t row) const;
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };
  /// Rows of the children that belong to `row` of a Map or List.
  Range range(std::uint64_t row) const;
};

/// An in-memory DuckDB that reads and writes files of ours and nothing else: no network, no extensions, no database
/// file. Errors: as DuckdbPersonSource.
class DuckdbSession {
 public:
  static Result<std::unique_ptr<DuckdbSession>> open(const DuckdbOptions& options);
  ~DuckdbSession();
  DuckdbSession(const DuckdbSession&) = delete;
  DuckdbSession& operator=(const DuckdbSession&) = delete;

  /// The columns of a file.
  Result<std::vector<ParquetType>> columns(const Path& file);
  /// How many rows the file says it has.
  Result<std::uint64_t> rows(const Path& file);

  /// Rows [0, count) of the selected expressions.
  using Batch = std::function<Result<void>(const std::vector<VectorView>& columns, std::uint64_t count)>;
  /// Streams expressions over a file in its order, a few thousand rows at a time. `types` are theirs.
  Result<void> select(const Path& file, const std::vector<std::string>& expressions,
                      const std::vector<const ParquetType*>& types, const Batch& batch);
  /// Runs a statement that writes `file` and gives how many rows it wrote.
  /// Errors: Io when it cannot be written, Invalid when what it reads is of another shape.
  Result<std::uint64_t> write(const Path& file, const std::string& statement);

  /// Registers a table function and runs a statement that uses it; whether both went well.
  bool run_with(::_duckdb_table_function* function, const std::string& sql);

 private:
  struct Handles;
  explicit DuckdbSession(std::unique_ptr<Handles> handles);

  std::unique_ptr<Handles> handles_;
};

/// "name" with its quotes doubled; 'text' likewise.
std::string quoted_identifier(std::string_view name);
std::string quoted_text(std::string_view text);

}  // namespace audiencesync
