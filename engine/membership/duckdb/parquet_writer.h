#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/duckdb/duckdb_person_source.h"

namespace audiencesync {

/// One row of a file to be written; the views need to live only until the next one is asked for.
struct ParquetRow {
  std::string_view text;                // first column
  std::vector<std::string_view> items;  // second column, where there is one
};

/// A Parquet file of one text column and, where `list` is not empty, one of lists of texts.
struct ParquetShape {
  std::string text;
  std::string list;
};

/// Streams rows into a Parquet file, which is made or replaced and keeps its mode when it is there; on the disk when
/// this returns. Memory stays within `options.memory_limit` whatever the rows. `next` says whether there was another
/// row, on a thread of DuckDB, one call at a time; its error ends the writing and is returned.
/// Errors: Io when the file cannot be written; those of `next`.
Result<void> write_parquet(const Path& file, const ParquetShape& shape,
                           const std::function<Result<bool>(ParquetRow&)>& next, const DuckdbOptions& options);

}  // namespace audiencesync
