#include "engine/membership/block_writer.h"

#include "engine/base/json.h"
#include "engine/membership/bytes.h"

namespace audiencesync {

Result<std::unique_ptr<BlockWriter>> BlockWriter::create(TempFile file, BlockKind kind, const Value& head) {
  std::unique_ptr<BlockWriter> writer(new BlockWriter(std::move(file)));
  const auto json = to_json(head);
  std::string bytes(kBlockMagic);
  put_fixed(bytes, kBlockVersion);
  put_fixed(bytes, static_cast<std::uint32_t>(kind));
  put_fixed(bytes, static_cast<std::uint32_t>(json.size()));
  bytes += json;
  writer->head_checksum_ = block_checksum(bytes);
  put_fixed(bytes, writer->head_checksum_);
  TRY(writer->write(bytes));
  return writer;
}

Result<void> BlockWriter::write(std::string_view bytes) {
  TRY(file_.write(bytes));
  offset_ += bytes.size();
  return {};
}

Result<void> BlockWriter::add(std::uint64_t hash, std::string_view row) {
  if (block_rows_ == 0) first_hash_ = last_hash_ = hash;
  if (hash < last_hash_) return Error(ErrorCode::Internal, "rows of a snapshot must come in the order of their hash");
  put_varint(raw_, hash - last_hash_);
  raw_ += row;
  last_hash_ = hash;
  ++block_rows_;
  ++rows_;
  if (raw_.size() >= kBlockTarget) TRY(flush());
  return {};
}

Result<void> BlockWriter::flush() {
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
  index_.push_back({.offset = offset_,
                    .stored = static_cast<std::uint32_t>(stored_.size()),
                    .rows = block_rows_,
                    .first_hash = first_hash_,
                    .checksum = checksum});
  TRY(write(prefix));
  TRY(write(stored_));
  raw_.clear();
  block_rows_ = 0;
  return {};
}

Result<void> BlockWriter::finish(const Value& foot) {
  TRY(flush());
  const auto foot_offset = offset_;
  const auto json = to_json(foot);
  std::string bytes;
  bytes.reserve(index_.size() * kBlockEntry + json.size() + kBlockTrailer);
  for (const auto& entry : index_) {
    put_fixed(bytes, entry.offset);
    put_fixed(bytes, entry.stored);
    put_fixed(bytes, entry.rows);
    put_fixed(bytes, entry.first_hash);
    put_fixed(bytes, entry.checksum);
  }
  bytes += json;

  std::string trailer;
  put_fixed(trailer, foot_offset);
  put_fixed(trailer, static_cast<std::uint64_t>(index_.size()));
  put_fixed(trailer, static_cast<std::uint64_t>(json.size()));
  put_fixed(trailer, rows_);
  put_fixed(trailer, head_checksum_);
  put_fixed(trailer, block_checksum(bytes));
  put_fixed(trailer, block_checksum(trailer));
  trailer += kBlockEnd;
  bytes += trailer;
  return write(bytes);
}

}  // namespace audiencesync
