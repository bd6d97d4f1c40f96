#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/membership/block_format.h"
#include "engine/membership/row_ref.h"

namespace audiencesync {

/// Rows in one piece of memory of fixed size. They are parted by the first bits of their hash as they come, so that
/// sorting a part later touches little memory, and that in order. All memory is asked for once; what stays empty costs
/// none.
class RowBuffer {
 public:
  /// `bytes` in all; never less than a few rows with `dictionary` audiences each need.
  RowBuffer(std::size_t bytes, std::size_t dictionary);

  enum class Added { Yes, Full };
  /// `audiences` sorted, no duplicates; the person at most 1,024 bytes.
  Added add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences);
  /// Appends the rows of a range, in no order. Costs a pass over the parts that the range touches. They are valid until
  /// the buffer changes; several threads may collect at once.
  void collect(const HashRange& range, std::vector<RowRef>& out) const;
  /// Calls each(rows) for every part, ordered by their hashes; within a part rows are in no order.
  template <class Each>
  Result<void> each_part(Each&& each) const {
    std::vector<RowRef> rows;
    for (const auto& part : parts_) {
      rows.clear();
      collect(part, {}, rows);
      if (!rows.empty()) TRY(each(rows));
    }
    return {};
  }
  void clear();
  /// Clears it and gives its memory back; nothing can be added any more.
  void release();
  bool empty() const { return rows_ == 0; }
  std::size_t size() const { return rows_; }

 private:
  struct Part {
    std::vector<std::uint32_t> chunks;
    std::size_t used = 0;  // bytes of the last chunk
  };
  std::size_t part_of(std::uint64_t hash) const { return part_bits_ == 0 ? 0 : hash >> (64U - part_bits_); }
  void collect(const Part& part, const HashRange& range, std::vector<RowRef>& out) const;

  std::size_t chunk_ = 0;  // bytes
  std::size_t most_chunks_ = 0;
  unsigned part_bits_ = 0;
  std::unique_ptr<char[]> bytes_;  // chunks; of a row: hash, length, count, the person, the ranks
  std::size_t chunks_ = 0;
  std::vector<Part> parts_;
  std::vector<std::uint32_t> chunk_bytes_;  // used, of each chunk that is full
  std::size_t rows_ = 0;
};

}  // namespace audiencesync
