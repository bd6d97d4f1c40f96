#pragma once

#include "engine/membership/person_source.h"

namespace audiencesync {

/// Reads exports in Parquet: the person id and the memberships, straight from their column chunks, row groups and files
/// in parallel. docs/adr/0007 has the reasons and the numbers.
///
/// It knows the shape that the platform writes: text person id inside structures, memberships as maps; Snappy, gzip,
/// zstd or no compression; plain and dictionary encodings. Files of any other shape, and those with a footer that it
/// cannot read, go to the fall-back, which has the last word about what is an error. A text that is not UTF-8 is
/// handed on; the caller counts it.
///
/// Memory for each sink: the pages of four columns, each at most 32 MiB and usually 1, twice.
class ParquetPersonSource final : public PersonSource {
 public:
  /// Both must outlive this.
  ParquetPersonSource(const Files& files, PersonSource& fallback) : files_(files), fallback_(fallback) {}

  /// Row by row there is nothing to win, so the fall-back does it.
  Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                             const std::function<Result<void>(const SourceRow&)>& each) override {
    return fallback_.read(files, columns, each);
  }
  std::size_t lanes(std::size_t cores) const override { return cores; }
  Result<void> read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                            const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) override;

 private:
  const Files& files_;
  PersonSource& fallback_;
};

}  // namespace audiencesync
