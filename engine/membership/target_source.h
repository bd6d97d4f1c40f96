#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// One record of a target dataset as it is in a file; the views live until the callback returns.
struct TargetRow {
  struct Membership {
    std::string_view audience;
    std::string_view name;  // empty when the record has none
  };
  std::string_view id;      // `_id` as written, empty when there is none
  std::string_view person;  // empty when there is none
  /// What the record says: Person and Delimited everything about the person, so that of several the newest is true;
  /// Membership one of their memberships, so that those of the newest generation are true together. nullopt when the
  /// record has no memberships at all, which says that the person is in nothing.
  std::optional<RecordLayout> layout;
  /// The person's memberships according to this record; null when it has none of them, not even an empty list.
  const std::vector<Membership>* memberships = nullptr;
  std::optional<std::int64_t> count;       // audienceMembershipCount
  std::optional<std::int64_t> generation;  // audienceSyncGeneration; nullopt: that of the batch counts
};

/// Reads the records of a target dataset, whatever their layout: after another layout was chosen, a dataset has both
/// until the older batches are gone. The port through which a dataset is read back (`Memberships::read_back`).
///
/// Errors: Corrupt with the file when it is truncated or its columns have other types than we write; NotFound.
class TargetSource {
 public:
  virtual ~TargetSource() = default;
  /// Calls `each` for every record of a Parquet file in its order; an error from it stops the reading. How many.
  virtual Result<std::uint64_t> read(const Path& file, const std::string& tenant,
                                     const std::function<Result<void>(const TargetRow&)>& each) = 0;
};

/// A data file of the target dataset, on this disk.
struct TargetFile {
  Path path;
  std::string batch;
  std::uint32_t order = 0;      // of its batch: a newer one has a greater number
  std::int64_t generation = 0;  // of its batch; 0 when nobody knows
};

/// Hands on one file after the other, so that only one needs room on the disk: asking for the next says that the one
/// before is no longer needed. nullopt at the end. Its errors end the reading.
using TargetFiles = std::function<Result<std::optional<TargetFile>>(std::stop_token)>;

}  // namespace audiencesync
