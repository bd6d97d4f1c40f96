#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/block_format.h"
#include "engine/membership/bytes.h"

namespace audiencesync {

/// Makes blocks out of sorted rows, in memory and without knowing where in the file they will lie: several threads can
/// pack ranges of one file. A row is `begin`, bytes appended to what it returned, `end`.
class BlockPacker {
 public:
  /// The compressor must outlive this and may be shared within one thread.
  explicit BlockPacker(BlockCompressor& compressor) : compressor_(compressor) {}

  /// Rows come in the order of their hash; the caller keeps to it.
  std::string& begin(std::uint64_t hash) {
    if (block_rows_ == 0) first_hash_ = last_hash_ = hash;
    put_varint(raw_, hash - last_hash_);
    last_hash_ = hash;
    ++block_rows_;
    ++rows_;
    return raw_;
  }
  Result<void> end() { return raw_.size() < kBlockTarget ? Result<void>() : cut(); }
  /// Ends the current block, if there is one.
  Result<void> cut();

  std::uint64_t rows() const { return rows_; }
  /// Whole blocks, prefixes included, and their entries with offsets counted from 0. Whoever takes them clears them.
  std::string& bytes() { return bytes_; }
  std::vector<BlockEntry>& entries() { return entries_; }
  void clear_packed() {
    bytes_.clear();
    entries_.clear();
  }

 private:
  BlockCompressor& compressor_;
  std::string raw_;
  std::string stored_;
  std::uint32_t block_rows_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t first_hash_ = 0;
  std::uint64_t last_hash_ = 0;
  std::string bytes_;
  std::vector<BlockEntry> entries_;
};

}  // namespace audiencesync
