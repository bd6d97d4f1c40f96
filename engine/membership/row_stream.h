#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "engine/membership/dictionary.h"

namespace audiencesync {

/// A person and the audiences an input puts them in.
struct DesiredRow {
  std::uint64_t hash = 0;
  std::string_view person;
  Ranks audiences;  // sorted, no duplicates
};

/// Sorted rows, every person once.
class RowStream {
 public:
  virtual ~RowStream() = default;
  /// False at the end.
  virtual Result<bool> advance() = 0;
  /// The current row; valid after an `advance` that was true, until the next.
  const DesiredRow& row() const { return row_; }

 protected:
  DesiredRow row_;
};

}  // namespace audiencesync
