#pragma once

#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/target_source.h"

namespace audiencesync {

/// Reads records of every layout from Parquet through DuckDB: memberships, their count and the generation.
class DuckdbTargetSource final : public TargetSource {
 public:
  explicit DuckdbTargetSource(DuckdbOptions options) : options_(std::move(options)) {}

  /// Errors: as DuckdbPersonSource; Corrupt also when a file says that it has more rows than it gives.
  Result<std::uint64_t> read(const Path& file, const std::string& tenant,
                             const std::function<Result<void>(const TargetRow&)>& each) override;

 private:
  DuckdbOptions options_;
};

}  // namespace audiencesync
