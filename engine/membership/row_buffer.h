#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/membership/block_format.h"
#include "engine/membership/row_stream.h"

namespace audiencesync {

/// Rows in one piece of memory of fixed size, sorted there. All memory is asked for once; what stays empty costs none.
class RowBuffer {
 public:
  /// `bytes` in all; never less than a few rows with `dictionary` audiences each need.
  RowBuffer(std::size_t bytes, std::size_t dictionary);

  enum class Added { Yes, Full };
  /// `audiences` sorted, no duplicates; the person at most 64 KiB.
  Added add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences);
  /// By (hash, person). The same person in several rows stays several rows; reading makes them one.
  void sort();
  /// Rows of a range, each person once with the union of their rows; sorted before, and not changed while this is used.
  std::unique_ptr<RowStream> stream(const HashRange& range) const;
  void clear();
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    std::uint64_t hash;
    std::uint64_t offset;
  };
  class Stream;
  std::string_view person(const Row& row) const;
  void append_audiences(const Row& row, Ranks& out) const;
  void sort_rows(Row* first, Row* last);

  std::size_t capacity_;
  std::size_t most_rows_;
  std::unique_ptr<char[]> bytes_;  // per row: 2 bytes length, 2 bytes count, the person, the ranks
  std::size_t used_ = 0;
  std::vector<Row> rows_;
};

}  // namespace audiencesync
