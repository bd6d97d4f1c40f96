#include "engine/membership/run_file.h"

#include <algorithm>

namespace audiencesync {
namespace {

constexpr std::uint64_t kLongRun = 1 << 16;  // rows: below, a section is too little for a block

Error damaged_run() {
  return Error(ErrorCode::Corrupt, "a temporary file changed while it was being read; check the disk and run again");
}

}  // namespace

Result<std::unique_ptr<RunFile>> RunFile::create(Files& files, const Path& path, std::size_t block_bytes) {
  auto file = TRY(TempFile::create(files, path));
  return std::unique_ptr<RunFile>(new RunFile(std::move(file), block_bytes));
}

void RunFile::begin_run(std::uint64_t rows) { runs_.push_back({.blocks = {}, .cut_at_sections = rows >= kLongRun}); }

Result<void> RunFile::add(const DesiredRow& row) {
  if (runs_.back().cut_at_sections && block_rows_ > 0 && section_of(row.hash) != section_of(last_hash_)) TRY(flush());
  if (block_rows_ == 0) first_hash_ = last_hash_ = row.hash;
  put_varint(raw_, row.hash - last_hash_);
  put_text(raw_, row.person);
  put_varint(raw_, row.audiences.size());
  for (const auto rank : row.audiences) put_varint(raw_, rank);
  last_hash_ = row.hash;
  ++block_rows_;
  if (raw_.size() >= block_bytes_) TRY(flush());
  return {};
}

Result<void> RunFile::flush() {
  if (block_rows_ == 0) return {};
  TRY(compressor_.compress(raw_, stored_));
  runs_.back().blocks.push_back({.offset = offset_,
                                 .stored = static_cast<std::uint32_t>(stored_.size()),
                                 .raw = static_cast<std::uint32_t>(raw_.size()),
                                 .rows = block_rows_,
                                 .first_hash = first_hash_,
                                 .checksum = block_checksum(stored_)});
  TRY(file_.write(stored_));
  offset_ += stored_.size();
  raw_.clear();
  block_rows_ = 0;
  return {};
}

Result<void> RunFile::seal() {
  reader_ = TRY(file_.read_back());
  return {};
}

RunReader::RunReader(FileReader& file, const Run& run, const HashRange& range, RunScratch& scratch)
    : file_(&file), run_(&run), range_(range), scratch_(&scratch) {
  const auto begin = run.blocks.begin();
  const auto before = [](const RunBlock& block, std::uint64_t hash) { return block.first_hash < hash; };
  next_block_ = static_cast<std::size_t>(std::lower_bound(begin, run.blocks.end(), range.first, before) - begin);
  const bool cut_there = run.cut_at_sections && range.is_sections();
  if (!cut_there && next_block_ > 0) --next_block_;
}

Result<bool> RunReader::advance() {
  while (true) {
    if (rows_left_ == 0) {
      if (next_block_ == run_->blocks.size() || run_->blocks[next_block_].first_hash > range_.last) return false;
      const auto& block = run_->blocks[next_block_++];
      auto& stored = scratch_->stored;
      stored.resize(block.stored);
      const auto count = TRY(file_->read_at(block.offset, stored));
      if (count != stored.size() || block_checksum(stored) != block.checksum) return damaged_run();
      TRY(scratch_->compressor.expand(stored, block.raw, raw_));
      cursor_ = ByteCursor(raw_);
      rows_left_ = block.rows;
      row_.hash = block.first_hash;
    }
    row_.hash += cursor_.varint();
    row_.person = cursor_.text();
    row_.audiences.clear();
    for (auto left = cursor_.varint(); left > 0 && !cursor_.bad(); --left) {
      row_.audiences.push_back(static_cast<Rank>(cursor_.varint()));
    }
    if (cursor_.bad()) return damaged_run();
    --rows_left_;
    if (row_.hash > range_.last) return false;
    if (row_.hash >= range_.first) return true;
  }
}

}  // namespace audiencesync
