#pragma once

#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/memberships.h"

namespace audiencesync {

/// Writes upload files as Parquet through DuckDB, with exactly the types of the schema: a list of objects stays one,
/// empty lists stay empty.
///
/// An in-memory database is opened for each file. What DuckDB says about content is never passed on: it may quote a
/// person id. Errors: Io when the file cannot be written or the memory limit does not suffice, Invalid when a line is
/// no record of ours.
class DuckdbRecordConverter final : public RecordConverter {
 public:
  DuckdbRecordConverter(Files& files, DuckdbOptions options) : files_(files), options_(std::move(options)) {}

  Result<std::uint64_t> to_parquet(const Path& lines, const RelationSpec& spec, const Path& to) override;

 private:
  Files& files_;
  DuckdbOptions options_;
};

}  // namespace audiencesync
