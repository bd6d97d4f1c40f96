#pragma once

#include "engine/membership/person_source.h"

namespace audiencesync {

/// Reads exports in JSON, one profile a line or all of them in one array, plain, gzip or zstd (told by content, not by
/// name), with a thread for each sink; a large file is shared between threads.
///
/// Memberships are objects, or lists of {key, value}; field names may carry the prefix `xdm:`. The person id is what
/// the dotted path leads to, a number or truth value as it is written; in a record without that field, the identity of
/// the namespace in `identityMap`, the primary one, or the only one.
///
/// A record that is no JSON object, is longer than 4 MiB or has another shape is counted and told to the sink, and the
/// next one is read. A file that ends inside of a record, of its array or of its compressed content is an error: it was
/// cut. Of the parts of a record that are not needed only the structure is looked at.
class JsonPersonSource final : public PersonSource {
 public:
  /// Must outlive this.
  explicit JsonPersonSource(const Files& files) : files_(files) {}

  /// Row by row, for tests and tools: memberships are not filtered. One thread, file order. A broken record is an
  /// error.
  Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                             const std::function<Result<void>(const SourceRow&)>& each) override;
  std::size_t lanes(std::size_t cores) const override { return cores; }
  Result<void> read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                            const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) override;

 private:
  const Files& files_;
};

}  // namespace audiencesync
