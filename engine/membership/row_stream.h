#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "engine/membership/bytes.h"
#include "engine/membership/dictionary.h"

namespace audiencesync {

/// A person and the audiences an input puts them in.
struct DesiredRow {
  std::uint64_t hash = 0;
  std::string_view person;
  Ranks audiences;  // sorted, no duplicates
};

/// The order of every sorted file and stream: by hash, then by the person. Of two rows with one hash nearly all are one
/// person.
template <class Left, class Right>
std::strong_ordering row_order(const Left& left, const Right& right) {
  if (left.hash != right.hash) return left.hash <=> right.hash;
  return same_text(left.person, right.person) ? std::strong_ordering::equal : left.person <=> right.person;
}

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

/// The next row, or null at the end.
inline Result<const DesiredRow*> next_row(RowStream& rows) {
  const auto found = TRY(rows.advance());
  return found ? &rows.row() : nullptr;
}

}  // namespace audiencesync
