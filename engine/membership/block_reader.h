#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/value.h"
#include "engine/membership/block_format.h"
#include "engine/membership/bytes.h"

namespace audiencesync {

/// Reads what BlockWriter wrote, in order. Opening checks head, foot, trailer and that the file has no gap and nothing
/// after its end; each block is checked when it is reached. So a file is whole, or an error: never shorter.
///
/// Memory: the index (32 bytes for each 256 KB of rows) and one block. One thread.
/// Errors: NotFound, Io, Corrupt with the path, Unsupported for a file of a newer version.
class BlockReader {
 public:
  static Result<std::unique_ptr<BlockReader>> open(const Files& files, const Path& path, BlockKind kind);

  const Value& head() const { return head_; }
  const Value& foot() const { return foot_; }
  std::uint64_t rows() const { return rows_; }

  /// Goes on with the first block that may have rows of the range, and ends after the last one; rows outside of the
  /// range come with them. `cut_there`: a block begins where the range does, so the block before has none of it.
  void seek(const HashRange& range, bool cut_there);
  /// The cursor stands at the next row, which the caller must read whole; false at the end of the file.
  Result<bool> next(std::uint64_t& hash, ByteCursor*& row);
  /// Whether the row just read is the last of its block: its bytes go with the next one.
  bool at_block_end() const { return rows_left_ == 0; }
  /// An error for this file: what a caller that cannot make sense of a row returns.
  Error corrupt(std::string_view what) const;

 private:
  explicit BlockReader(Path path) : path_(std::move(path)) {}
  Result<void> load(BlockKind kind);
  Result<void> load_foot(const std::string& trailer, std::uint64_t head_end);
  Result<std::string> bytes(std::uint64_t offset, std::uint64_t size) const;
  Result<void> load_block(const BlockEntry& entry);

  Path path_;
  std::unique_ptr<FileReader> file_;
  Value head_;
  Value foot_;
  std::vector<BlockEntry> index_;
  std::uint64_t rows_ = 0;
  std::uint64_t head_checksum_ = 0;
  BlockCompressor compressor_;
  std::size_t next_block_ = 0;
  std::size_t end_block_ = 0;
  std::uint32_t rows_left_ = 0;  // of the current block
  std::uint64_t hash_ = 0;
  std::string stored_;
  std::string raw_;
  ByteCursor cursor_;
};

}  // namespace audiencesync
