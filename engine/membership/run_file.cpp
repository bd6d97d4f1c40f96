#include "engine/membership/run_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/membership/bytes.h"

namespace audiencesync {
namespace {

constexpr std::uint64_t kLongRun = 1 << 16;  // rows: below, a section is too little for a block
constexpr std::size_t kMostMask = 8;         // bytes of a set as bits
constexpr std::size_t kMostNumber = 10;      // bytes of a number
constexpr std::size_t kWriteAtOnce = 256 << 10;
// A block begins with: checksum of what follows, bytes before zstd (0: without), rows, bytes in memory, a zero, hash.
constexpr std::size_t kHead = 8 + 4 + 4 + 4 + 4 + 8;

Error damaged_run() {
  return Error(ErrorCode::Corrupt, "a temporary file changed while it was being read; check the disk and run again");
}

char* put_number(char* out, std::uint64_t number) {
  while (number >= 0x80) {
    *out++ = static_cast<char>(number | 0x80U);
    number >>= 7U;
  }
  *out++ = static_cast<char>(number);
  return out;
}

// Null when there is no number.
const char* get_number(const char* from, const char* end, std::uint64_t& number) {
  number = 0;
  for (unsigned shift = 0; shift < 64 && from < end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return from;
  }
  return nullptr;
}

}  // namespace

RunFile::RunFile(TempFile file, const RunShape& shape)
    : file_(std::move(file)), shape_(shape), mask_bytes_((shape.dictionary + 7) / 8) {
  if (mask_bytes_ > kMostMask) mask_bytes_ = 0;
}

Result<std::unique_ptr<RunFile>> RunFile::create(Files& files, const Path& path, const RunShape& shape) {
  auto file = TRY(TempFile::create(files, path));
  return std::unique_ptr<RunFile>(new RunFile(std::move(file), shape));
}

void RunFile::begin_run(std::uint64_t rows) {
  runs_.push_back({.blocks = {}, .cut_at_sections = rows >= kLongRun});
  rows_.push_back(0);
}

char* RunFile::put_set(char* out, const Ranks& audiences) const {
  if (mask_bytes_ > 0) {
    std::uint64_t mask = 0;
    for (const auto rank : audiences) mask |= std::uint64_t{1} << rank;
    std::memcpy(out, &mask, sizeof mask);
    return out + mask_bytes_;
  }
  out = put_number(out, audiences.size());
  std::uint64_t least = 0;
  for (const auto rank : audiences) {
    out = put_number(out, rank - least);
    least = std::uint64_t{rank} + 1;
  }
  return out;
}

Result<void> RunFile::add(const DesiredRow& row) {
  if (runs_.back().cut_at_sections && block_rows_ > 0 && section_of(row.hash) != section_of(last_hash_)) TRY(flush());
  if (block_rows_ == 0) first_hash_ = last_hash_ = row.hash;
  const auto room = row.person.size() + PersonCodec::kMostOverhead + PersonCodec::kPadding + 2 * kMostNumber +
                    sizeof(std::uint64_t) + row.audiences.size() * 3;
  if (used_ + room > packed_.size()) packed_.resize(std::max(used_ + room, 2 * packed_.size()));
  char* out = packed_.data() + used_;
  if (shape_.hash == nullptr) out = put_number(out, row.hash - last_hash_);
  out = people_.put(out, row.person);
  out = put_set(out, row.audiences);
  used_ = static_cast<std::size_t>(out - packed_.data());
  plain_ += row.person.size() + 1 + row.audiences.size();
  expanded_ += RowRef::bytes_of(row.person.size(), row.audiences.size());
  last_hash_ = row.hash;
  ++block_rows_;
  if (expanded_ >= shape_.block_bytes) TRY(flush());
  return {};
}

Result<void> RunFile::flush() {
  if (block_rows_ == 0) return {};
  std::string_view content(packed_.data(), used_);
  std::uint32_t before_zstd = 0;
  if (used_ > plain_ / 3 * 2) {
    TRY(compressor_.compress(content, squeezed_));
    if (squeezed_.size() < used_ - used_ / 16) {
      before_zstd = static_cast<std::uint32_t>(used_);
      content = squeezed_;
    }
  }
  const auto begin = out_.size();
  put_fixed(out_, std::uint64_t{0});
  put_fixed(out_, before_zstd);
  put_fixed(out_, block_rows_);
  put_fixed(out_, static_cast<std::uint32_t>(expanded_));
  put_fixed(out_, std::uint32_t{0});
  put_fixed(out_, first_hash_);
  out_ += content;
  const auto checksum = block_checksum(std::string_view(out_).substr(begin + sizeof(std::uint64_t)));
  std::memcpy(out_.data() + begin, &checksum, sizeof checksum);
  runs_.back().blocks.push_back({.offset = offset_, .first_hash = first_hash_});
  rows_.back() += block_rows_;
  offset_ += out_.size() - begin;
  used_ = plain_ = expanded_ = 0;
  block_rows_ = 0;
  return out_.size() < kWriteAtOnce ? Result<void>() : write_out();
}

Result<void> RunFile::write_out() {
  TRY(file_.write(out_));
  out_.clear();
  return {};
}

Result<void> RunFile::end_run() {
  TRY(flush());
  runs_.back().end = offset_;
  runs_.back().blocks.shrink_to_fit();
  return {};
}

Result<void> RunFile::seal() {
  TRY(write_out());
  for (auto* text : {&out_, &packed_, &squeezed_}) std::string().swap(*text);
  reader_ = TRY(file_.read_back());
  return {};
}

RunCursor::RunCursor(const RunFile& file, const Run& run, const HashRange& range, RunScratch& scratch)
    : file_(&file), run_(&run), range_(range), scratch_(&scratch) {
  const auto& blocks = run.blocks;
  const auto before = [](const RunBlock& block, std::uint64_t hash) { return block.first_hash < hash; };
  const auto after = [](std::uint64_t hash, const RunBlock& block) { return hash < block.first_hash; };
  next_block_ =
      static_cast<std::size_t>(std::lower_bound(blocks.begin(), blocks.end(), range.first, before) - blocks.begin());
  const bool cut_there = run.cut_at_sections && range.is_sections();
  if (!cut_there && next_block_ > 0) --next_block_;
  end_block_ =
      static_cast<std::size_t>(std::upper_bound(blocks.begin(), blocks.end(), range.last, after) - blocks.begin());
  if (scratch.spare.empty()) return;
  block_ = std::move(scratch.spare.back());
  scratch.spare.pop_back();
  block_.rows.clear();
}

void RunCursor::give_back() {
  if (block_.bytes != nullptr) scratch_->spare.push_back(std::move(block_));
  block_ = DecodedBlock();
  next_ = 0;
}

Result<void> RunCursor::load() {
  const auto& block = run_->blocks[next_block_++];
  const auto end = next_block_ < run_->blocks.size() ? run_->blocks[next_block_].offset : run_->end;
  const auto size = static_cast<std::size_t>(end - block.offset);
  auto& stored = scratch_->stored;
  if (stored.size() < size + PersonCodec::kPadding) stored.resize(size + PersonCodec::kPadding);
  const auto count = TRY(file_->reader_->read_at(block.offset, {stored.data(), size}));
  if (count != size || size < kHead) return damaged_run();
  const std::string_view all(stored.data(), size);
  if (block_checksum(all.substr(8)) != get_fixed<std::uint64_t>(all.data())) return damaged_run();
  const auto before_zstd = get_fixed<std::uint32_t>(all.data() + 8);
  const auto rows = get_fixed<std::uint32_t>(all.data() + 12);
  const auto expanded = get_fixed<std::uint32_t>(all.data() + 16);
  const auto first_hash = get_fixed<std::uint64_t>(all.data() + 24);
  // A block that lies elsewhere than where the index says has a sound checksum too.
  if (first_hash != block.first_hash) return damaged_run();
  if (before_zstd == 0) return decode(all.data() + kHead, all.data() + size, rows, expanded, first_hash);
  auto& bytes = scratch_->expanded;
  TRY(scratch_->compressor.expand(all.substr(kHead), before_zstd, bytes));
  bytes.resize(before_zstd + PersonCodec::kPadding);
  return decode(bytes.data(), bytes.data() + before_zstd, rows, expanded, first_hash);
}

Result<void> RunCursor::decode(const char* from, const char* end, std::uint32_t rows, std::uint32_t expanded,
                               std::uint64_t first_hash) {
  const auto needed = std::size_t{expanded} + 2 * PersonCodec::kPadding;
  if (block_.capacity < needed) {
    block_.bytes = std::make_unique_for_overwrite<char[]>(needed);
    block_.capacity = needed;
  }
  block_.rows.clear();
  block_.rows.reserve(rows);
  next_ = 0;
  char* out = block_.bytes.get();
  const char* const out_end = out + expanded;
  auto hash = first_hash;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (file_->shape_.hash == nullptr) {
      std::uint64_t gap = 0;
      from = get_number(from, end, gap);
      if (from == nullptr) return damaged_run();
      hash += gap;
    }
    const auto room = static_cast<std::size_t>(out_end - out);
    if (room < RowRef::kPrefix) return damaged_run();
    char* const person = out + RowRef::kPrefix;
    const auto size = file_->people_.get(from, end, person, room - RowRef::kPrefix);
    if (size == PersonCodec::kBad) return damaged_run();
    std::size_t audiences = 0;
    from = get_set(from, end, person + size, room - RowRef::kPrefix - size, audiences);
    if (from == nullptr) return damaged_run();
    if (file_->shape_.hash != nullptr) {
      const auto own = file_->shape_.hash({person, size});
      if (own < hash) return damaged_run();
      hash = own;
    }
    RowRef::put_prefix(out, hash, size, audiences);
    if (hash >= range_.first && hash <= range_.last) block_.rows.push_back({hash, out});
    out = person + size + audiences * sizeof(Rank);
  }
  return from == end && out == out_end ? Result<void>() : damaged_run();
}

// The end of the set, or null when it is none.
const char* RunCursor::get_set(const char* from, const char* end, char* into, std::size_t room,
                               std::size_t& count) const {
  if (file_->mask_bytes_ > 0) {
    if (static_cast<std::size_t>(end - from) < file_->mask_bytes_) return nullptr;
    std::uint64_t mask = 0;
    std::memcpy(&mask, from, sizeof mask);
    if (file_->mask_bytes_ < sizeof mask) mask &= (std::uint64_t{1} << 8 * file_->mask_bytes_) - 1;
    for (count = 0; mask != 0; mask &= mask - 1, into += sizeof(Rank)) {
      if (++count * sizeof(Rank) > room) return nullptr;
      const auto rank = static_cast<Rank>(std::countr_zero(mask));
      std::memcpy(into, &rank, sizeof rank);
    }
    return from + file_->mask_bytes_;
  }
  std::uint64_t all = 0;
  from = get_number(from, end, all);
  if (from == nullptr || all > room / sizeof(Rank)) return nullptr;
  count = static_cast<std::size_t>(all);
  std::uint64_t least = 0;
  for (std::size_t i = 0; i < count; ++i, into += sizeof(Rank)) {
    std::uint64_t gap = 0;
    from = get_number(from, end, gap);
    if (from == nullptr) return nullptr;
    const auto rank = static_cast<Rank>(least + gap);
    std::memcpy(into, &rank, sizeof rank);
    least = std::uint64_t{rank} + 1;
  }
  return from;
}

}  // namespace audiencesync
