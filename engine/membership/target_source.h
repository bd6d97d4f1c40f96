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

namespace audiencesync {

/// One record of a target dataset as it is in a file; the views live until the callback returns.
struct TargetRow {
  struct Membership {
    std::string_view audience;
    std::string_view name;
  };
  std::string_view id;      // `_id` as written, empty when there is none
  std::string_view person;  // empty when there is none
  /// The person's memberships according to this record; null when the record has no list at all.
  const std::vector<Membership>* memberships = nullptr;
  std::optional<std::int64_t> count;       // audienceMembershipCount
  std::optional<std::int64_t> generation;  // audienceSyncGeneration; nullopt: that of the batch counts
};

/// What a record of a layout says about its person.
enum class RecordMeaning {
  Everything,     // all their memberships: of several records the newest one is true
  OneMembership,  // one of them: records of the newest generation are true together
};

/// Reads the records that one layout wrote. The port through which a dataset is read back (`Memberships::read_back`).
///
/// Layouts join by a class of their own beside DuckdbTargetSource: `meaning` says how records of a person add up, and
/// `read` hands on a TargetRow for each record: layout `membership` one membership a row, without count and without
/// generation (the tag of its batch counts then); layout `delimited` the parts of its text as memberships.
/// Errors: Corrupt with the file when it is truncated or its columns have other types than we write; NotFound.
class TargetSource {
 public:
  virtual ~TargetSource() = default;
  virtual RecordMeaning meaning() const = 0;
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
