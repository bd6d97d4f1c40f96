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

Result<void> BlockWriter::append(BlockPacker& from) {
  if (from.entries().empty()) return {};
  for (auto entry : from.entries()) {
    entry.offset += offset_;
    rows_ += entry.rows;
    index_.push_back(entry);
  }
  TRY(write(from.bytes()));
  from.clear_packed();
  return {};
}

Result<void> BlockWriter::finish(const Value& foot) {
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
