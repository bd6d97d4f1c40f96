#include "engine/membership/block_packer.h"

namespace audiencesync {

Result<void> BlockPacker::cut() {
  if (block_rows_ == 0) return {};
  TRY(compressor_.compress(raw_, stored_));
  std::string prefix;
  put_fixed(prefix, static_cast<std::uint32_t>(stored_.size()));
  put_fixed(prefix, static_cast<std::uint32_t>(raw_.size()));
  put_fixed(prefix, block_rows_);
  put_fixed(prefix, std::uint32_t{0});
  put_fixed(prefix, first_hash_);
  const auto checksum = block_checksum(prefix, stored_);
  put_fixed(prefix, checksum);
  entries_.push_back({.offset = bytes_.size(),
                      .stored = static_cast<std::uint32_t>(stored_.size()),
                      .rows = block_rows_,
                      .first_hash = first_hash_,
                      .checksum = checksum});
  bytes_ += prefix;
  bytes_ += stored_;
  raw_.clear();
  block_rows_ = 0;
  return {};
}

}  // namespace audiencesync
