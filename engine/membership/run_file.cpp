#include "engine/membership/run_file.h"

namespace audiencesync {
namespace {

Error damaged_run() {
  return Error(ErrorCode::Corrupt, "a temporary file changed while it was being read; check the disk and run again");
}

}  // namespace

Result<std::unique_ptr<RunFile>> RunFile::create(Files& files, const Path& path, std::size_t block_bytes) {
  auto file = TRY(TempFile::create(files, path));
  return std::unique_ptr<RunFile>(new RunFile(std::move(file), block_bytes));
}

Result<void> RunFile::add(const DesiredRow& row) {
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
  runs_.back().push_back({.offset = offset_,
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

Result<bool> RunReader::advance() {
  if (rows_left_ == 0) {
    if (next_block_ == run_->size()) return false;
    const auto& block = (*run_)[next_block_++];
    stored_.resize(block.stored);
    const auto count = TRY(file_->read_at(block.offset, stored_));
    if (count != stored_.size() || block_checksum(stored_) != block.checksum) return damaged_run();
    TRY(compressor_.expand(stored_, block.raw, raw_));
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
  return true;
}

}  // namespace audiencesync
