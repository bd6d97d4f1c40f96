#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/membership/block_format.h"
#include "engine/membership/row_stream.h"

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
  /// Rows of a range, each person once with the union of their rows. Costs a pass over the parts that the range
  /// touches. The buffer must not change while the stream is used; several threads may have one each.
  std::unique_ptr<RowStream> stream(const HashRange& range) const;
  /// The same of several buffers at once, which costs less than merging a stream of each.
  static std::unique_ptr<RowStream> stream(std::span<const RowBuffer* const> buffers, const HashRange& range);
  /// Calls each(stream) for all rows in order, part by part.
  template <class Each>
  Result<void> each_part(Each&& each) const {
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      const auto rows = part_stream(part);
      TRY(each(*rows));
    }
    return {};
  }
  void clear();
  bool empty() const { return rows_ == 0; }
  std::size_t size() const { return rows_; }

 private:
  struct Row;
  class Stream;
  struct Part {
    std::vector<std::uint32_t> chunks;
    std::size_t used = 0;  // bytes of the last chunk
  };
  std::unique_ptr<RowStream> part_stream(std::size_t part) const;
  std::size_t part_of(std::uint64_t hash) const { return part_bits_ == 0 ? 0 : hash >> (64U - part_bits_); }
  void collect(const Part& part, const HashRange& range, std::vector<Row>& out) const;

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
