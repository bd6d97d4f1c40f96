#include "engine/membership/block_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/json.h"

namespace audiencesync {

Result<std::unique_ptr<BlockReader>> BlockReader::open(const Files& files, const Path& path, BlockKind kind) {
  std::unique_ptr<BlockReader> reader(new BlockReader(path));
  reader->file_ = TRY(files.open(path));
  TRY(reader->load(kind));
  return reader;
}

Error BlockReader::corrupt(std::string_view what) const {
  return Error(ErrorCode::Corrupt,
               fmt::format("{}: {}; the file is damaged and must be made again", path_.string(), what));
}

Result<std::string> BlockReader::bytes(std::uint64_t offset, std::uint64_t size) const {
  if (offset > file_->size() || size > file_->size() - offset) return corrupt("it ends too early");
  std::string content(size, '\0');
  const auto count = TRY(file_->read_at(offset, content));
  if (count != size) return corrupt("it ends too early");
  return content;
}

Result<void> BlockReader::load(BlockKind kind) {
  if (file_->size() < kBlockHeadPrefix + 8 + kBlockTrailer) return corrupt("it ends too early");
  const auto prefix = TRY(bytes(0, kBlockHeadPrefix));
  if (prefix.compare(0, kBlockMagic.size(), kBlockMagic) != 0) return corrupt("it does not begin as our files do");
  const auto json_size = get_fixed<std::uint32_t>(prefix.data() + 16);
  const auto rest = TRY(bytes(kBlockHeadPrefix, std::uint64_t{json_size} + 8));
  const std::string_view json(rest.data(), json_size);
  head_checksum_ = get_fixed<std::uint64_t>(rest.data() + json_size);
  if (block_checksum(prefix, json) != head_checksum_) return corrupt("its head fails its checksum");
  const auto version = get_fixed<std::uint32_t>(prefix.data() + 8);
  if (version != kBlockVersion) {
    return Error(
        ErrorCode::Unsupported,
        fmt::format("{}: format version {}, this program reads {}; use the release that wrote it, or a newer one",
                    path_.string(), version, kBlockVersion));
  }
  if (get_fixed<std::uint32_t>(prefix.data() + 12) != static_cast<std::uint32_t>(kind)) {
    return corrupt("it holds something else than its name says");
  }
  head_ = TRY(parse_json(json));
  const auto trailer = TRY(bytes(file_->size() - kBlockTrailer, kBlockTrailer));
  return load_foot(trailer, kBlockHeadPrefix + json_size + 8);
}

Result<void> BlockReader::load_foot(const std::string& trailer, std::uint64_t head_end) {
  const auto field = [&](std::size_t number) { return get_fixed<std::uint64_t>(trailer.data() + 8 * number); };
  if (std::string_view(trailer).substr(kBlockTrailer - 8) != kBlockEnd) return corrupt("its end mark is missing");
  if (block_checksum(std::string_view(trailer).substr(0, 48)) != field(6)) {
    return corrupt("its trailer fails its checksum");
  }
  const auto foot_offset = field(0);
  const auto blocks = field(1);
  const auto json_size = field(2);
  rows_ = field(3);
  const auto foot_end = file_->size() - kBlockTrailer;
  if (field(4) != head_checksum_) return corrupt("head and trailer are of different files");
  if (foot_offset > foot_end || blocks > (foot_end - foot_offset) / kBlockEntry ||
      blocks * kBlockEntry + json_size != foot_end - foot_offset) {
    return corrupt("its trailer and its size do not fit");
  }
  const auto foot = TRY(bytes(foot_offset, foot_end - foot_offset));
  if (block_checksum(foot) != field(5)) return corrupt("its foot fails its checksum");
  index_.reserve(blocks);
  auto expected = head_end;
  std::uint64_t rows = 0;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const char* at = foot.data() + i * kBlockEntry;
    index_.push_back({.offset = get_fixed<std::uint64_t>(at),
                      .stored = get_fixed<std::uint32_t>(at + 8),
                      .rows = get_fixed<std::uint32_t>(at + 12),
                      .first_hash = get_fixed<std::uint64_t>(at + 16),
                      .checksum = get_fixed<std::uint64_t>(at + 24)});
    if (index_.back().offset != expected) return corrupt("its blocks leave a gap");
    expected += kBlockPrefix + index_.back().stored;
    rows += index_.back().rows;
  }
  if (expected != foot_offset || rows != rows_) return corrupt("its blocks and its trailer do not fit");
  end_block_ = index_.size();
  foot_ = TRY(parse_json(std::string_view(foot).substr(blocks * kBlockEntry)));
  return {};
}

void BlockReader::seek(const HashRange& range, bool cut_there) {
  const auto begin = index_.begin();
  const auto before = [](const BlockEntry& entry, std::uint64_t hash) { return entry.first_hash < hash; };
  const auto after = [](std::uint64_t hash, const BlockEntry& entry) { return hash < entry.first_hash; };
  next_block_ = static_cast<std::size_t>(std::lower_bound(begin, index_.end(), range.first, before) - begin);
  if (!cut_there && next_block_ > 0) --next_block_;
  end_block_ = static_cast<std::size_t>(std::upper_bound(begin, index_.end(), range.last, after) - begin);
  end_block_ = std::max(end_block_, next_block_);
  rows_left_ = 0;
  cursor_ = ByteCursor();
}

Result<void> BlockReader::load_block(const BlockEntry& entry) {
  stored_.resize(kBlockPrefix + entry.stored);
  const auto count = TRY(file_->read_at(entry.offset, stored_));
  if (count != stored_.size()) return corrupt("it ends too early");
  const std::string_view all(stored_);
  const auto checksum = get_fixed<std::uint64_t>(all.data() + 24);
  if (block_checksum(all.substr(0, 24), all.substr(kBlockPrefix)) != checksum || checksum != entry.checksum) {
    return corrupt(fmt::format("the block at byte {} fails its checksum", entry.offset));
  }
  const auto raw_size = get_fixed<std::uint32_t>(all.data() + 4);
  if (get_fixed<std::uint32_t>(all.data()) != entry.stored || get_fixed<std::uint32_t>(all.data() + 8) != entry.rows ||
      get_fixed<std::uint64_t>(all.data() + 16) != entry.first_hash) {
    return corrupt(fmt::format("the block at byte {} is not the one its index names", entry.offset));
  }
  if (!compressor_.expand(all.substr(kBlockPrefix), raw_size, raw_).ok()) {
    return corrupt(fmt::format("the block at byte {} cannot be decompressed", entry.offset));
  }
  cursor_ = ByteCursor(raw_);
  rows_left_ = entry.rows;
  hash_ = entry.first_hash;
  return {};
}

Result<bool> BlockReader::next(std::uint64_t& hash, ByteCursor*& row) {
  while (rows_left_ == 0) {
    if (cursor_.bad() || !cursor_.at_end()) return corrupt("a block does not hold the rows it claims");
    if (next_block_ == end_block_) return false;
    TRY(load_block(index_[next_block_++]));
  }
  const auto gap = cursor_.varint();
  if (cursor_.bad() || gap > ~hash_) return corrupt("a row cannot be read");
  hash_ += gap;
  --rows_left_;
  hash = hash_;
  row = &cursor_;
  return true;
}

}  // namespace audiencesync
