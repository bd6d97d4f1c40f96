#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/value.h"
#include "engine/membership/block_format.h"
#include "engine/membership/temp_file.h"

namespace audiencesync {

/// Writes sorted rows as compressed, checksummed blocks. The file appears under its name only when it is whole.
/// Memory: one block. Errors: NoSpace, Io.
class BlockWriter {
 public:
  /// `head` is what is known before the first row.
  static Result<std::unique_ptr<BlockWriter>> create(TempFile file, BlockKind kind, const Value& head);

  /// Rows come in the order of their hash.
  Result<void> add(std::uint64_t hash, std::string_view row);
  /// `foot` is what is known after the last row. Nothing may be added any more.
  Result<void> finish(const Value& foot);
  /// After `finish`: synced and renamed.
  Result<void> publish(const Path& to) { return file_.publish(to); }
  std::uint64_t rows() const { return rows_; }

 private:
  explicit BlockWriter(TempFile file) : file_(std::move(file)) {}
  Result<void> flush();
  Result<void> write(std::string_view bytes);

  TempFile file_;
  BlockCompressor compressor_;
  std::vector<BlockEntry> index_;
  std::string raw_;
  std::string stored_;
  std::uint32_t block_rows_ = 0;
  std::uint64_t first_hash_ = 0;
  std::uint64_t last_hash_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t head_checksum_ = 0;
};

}  // namespace audiencesync
