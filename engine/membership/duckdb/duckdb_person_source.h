#pragma once

#include <memory>
#include <string>

#include "engine/membership/person_source.h"

namespace audiencesync {

struct DuckdbOptions {
  Path work_folder;                    // private to us; DuckDB's temporary files go below it
  std::string memory_limit = "120MB";  // as DuckDB writes it
  unsigned threads = 2;
};

/// Reads exports in Parquet through DuckDB's C API, only the columns that are needed, file by file.
///
/// Memberships may be maps or structs, the person id may be nested in structs; a file without `segmentMembership`
/// has people without memberships. All files are looked at before the first row is delivered, and each must deliver as
/// many rows as it claims to have. An in-memory database is opened for one call of `read`. What DuckDB says about bad
/// content is never passed on: it may quote a person id.
///
/// Errors: NotFound for a missing file; Corrupt for one that is not whole, or holds text that is not UTF-8; Invalid
/// when the person id is not there or has a type that is none of a person id; Io when the memory limit does not
/// suffice.
class DuckdbPersonSource final : public PersonSource {
 public:
  explicit DuckdbPersonSource(DuckdbOptions options) : options_(std::move(options)) {}

  Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                             const std::function<Result<void>(const SourceRow&)>& each) override;

 private:
  DuckdbOptions options_;
};

}  // namespace audiencesync
