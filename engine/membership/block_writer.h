#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/value.h"
#include "engine/membership/block_packer.h"
#include "engine/membership/temp_file.h"

namespace audiencesync {

/// Writes packed blocks as one checksummed file, which appears under its name only when it is whole.
/// Memory: the index, 32 bytes a block. Errors: NoSpace, Io.
class BlockWriter {
 public:
  /// `head` is what is known before the first row.
  static Result<std::unique_ptr<BlockWriter>> create(TempFile file, BlockKind kind, const Value& head);

  /// Takes the packed blocks of `from` and clears them there. Blocks come in the order of their hashes.
  Result<void> append(BlockPacker& from);
  /// `foot` is what is known after the last row. Nothing may be added any more.
  Result<void> finish(const Value& foot);
  /// After `finish`: synced and renamed.
  Result<void> publish(const Path& to) { return file_.publish(to); }
  std::uint64_t rows() const { return rows_; }

 private:
  explicit BlockWriter(TempFile file) : file_(std::move(file)) {}
  Result<void> write(std::string_view bytes);

  TempFile file_;
  std::vector<BlockEntry> index_;
  std::uint64_t offset_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t head_checksum_ = 0;
};

}  // namespace audiencesync
