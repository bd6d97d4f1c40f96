#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/membership/dictionary.h"

namespace audiencesync {

/// A person and the audiences an input puts them in.
struct DesiredRow {
  std::uint64_t hash = 0;
  std::string_view person;
  Ranks audiences;
};

/// Rows in one piece of memory of fixed size, sorted and merged there. All memory is asked for once.
class RowBuffer {
 public:
  /// `bytes` in all; never less than a few rows with `dictionary` audiences each need.
  RowBuffer(std::size_t bytes, std::size_t dictionary);

  enum class Added { Yes, Full };
  /// `audiences` sorted, no duplicates; the person at most 64 KiB.
  Added add(std::uint64_t hash, std::string_view person, const Ranks& audiences);
  /// By (hash, person). The same person in several rows stays several rows; `next` makes them one.
  void sort();
  /// Begins reading again.
  void rewind() { at_ = 0; }
  /// The next person with the union of their rows; false at the end. `row` points into the buffer.
  bool next(DesiredRow& row);
  void clear();
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    std::uint64_t hash;
    std::uint64_t offset;
  };
  std::string_view person(const Row& row) const;
  void append_audiences(const Row& row, Ranks& out) const;

  std::size_t capacity_;
  std::size_t most_rows_;
  std::unique_ptr<char[]> bytes_;  // per row: 2 bytes length, 2 bytes count, the person, the ranks
  std::size_t used_ = 0;
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

}  // namespace audiencesync
