#include "engine/membership/snapshot.h"

#include "engine/membership/membership_files.h"
#include "engine/membership/row_codec.h"

namespace audiencesync {

SnapshotPart::SnapshotPart(const Dictionary& dictionary, BlockCompressor& compressor, bool cut_at_sections)
    : blocks_(compressor),
      cut_at_sections_(cut_at_sections),
      content_(kSnapshotDomain, dictionary),
      indices_(row_file::file_indices(dictionary)),
      people_(dictionary.size(), 0) {}

Result<void> SnapshotPart::add(std::uint64_t hash, std::string_view person, const Ranks& audiences) {
  if (cut_at_sections_ && section_of(hash) != section_) {
    section_ = section_of(hash);
    TRY(blocks_.cut());
  }
  auto& row = blocks_.begin(hash);
  put_text(row, person);
  row_file::put_ranks(row, indices_, audiences, scratch_);
  content_.begin_row(hash, person);
  content_.add_set(audiences);
  for (const auto rank : audiences) ++people_[rank];
  if (audiences.empty()) ++tombstones_;
  return blocks_.end();
}

SnapshotWriter::SnapshotWriter(std::unique_ptr<BlockWriter> blocks, const RowFileHead& head,
                               const Dictionary& dictionary)
    : blocks_(std::move(blocks)),
      dictionary_(dictionary),
      content_(head.content_domain(kSnapshotDomain), dictionary),
      people_(dictionary.size(), 0) {}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(TempFile file, const RowFileHead& head,
                                                               const Dictionary& dictionary) {
  auto blocks = TRY(BlockWriter::create(std::move(file), BlockKind::Snapshot, head.to_value()));
  return std::unique_ptr<SnapshotWriter>(new SnapshotWriter(std::move(blocks), head, dictionary));
}

Result<void> SnapshotWriter::close(SnapshotPart& part) {
  TRY(part.end());
  TRY(take(part));
  content_.append(part.content_);
  for (std::size_t rank = 0; rank < people_.size(); ++rank) people_[rank] += part.people_[rank];
  tombstones_ += part.tombstones_;
  return {};
}

Result<Digest> SnapshotWriter::publish(const Path& folder, const std::vector<bool>& declared) {
  TRY(blocks_->finish(Value::Object{{"dictionary", row_file::dictionary_value(dictionary_, people_, declared)},
                                    {"rows", blocks_->rows()},
                                    {"tombstones", tombstones_}}));
  auto content = content_.finish();
  TRY(blocks_->publish(snapshot_path(folder, content)));
  return content;
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(const Files& files, const Path& path) {
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader);
  reader->blocks_ = TRY(BlockReader::open(files, path, BlockKind::Snapshot));
  reader->head_ = RowFileHead::from_value(reader->blocks_->head());
  reader->dictionary_ = TRY(row_file::read_dictionary(*reader->blocks_));
  reader->people_.assign(reader->dictionary_.size(), 0);
  for (const auto& item : reader->blocks_->foot().items("dictionary")) {
    const auto rank = reader->dictionary_.find(item.text("id"), item.text("name"));
    if (rank) reader->people_[*rank] = static_cast<std::uint64_t>(item.number("people").value_or(0));
  }
  TRY(reader->translate(reader->dictionary_));
  return reader;
}

Result<void> SnapshotReader::translate(const Dictionary& other) {
  table_ = TRY(row_file::index_table(dictionary_, other));
  return {};
}

void SnapshotReader::seek(const HashRange& range) {
  blocks_->seek(range, head_.cut_at_sections && range.is_sections());
  range_ = range;
  last_hash_ = 0;
  last_person_ = {};
}

Result<bool> SnapshotReader::next(SnapshotRow& row) {
  while (true) {
    ByteCursor* from = nullptr;
    const auto found = TRY(blocks_->next(row.hash, from));
    if (!found) return false;
    row.person = from->text();
    if (!get_set(*from, table_, row.audiences) || row.person.empty()) return blocks_->corrupt("a row cannot be read");
    if (row.hash < last_hash_ || (row.hash == last_hash_ && row.person <= last_person_)) {
      return blocks_->corrupt("its rows are out of order");
    }
    last_hash_ = row.hash;
    last_person_ = row.person;
    if (blocks_->at_block_end()) {
      kept_person_ = row.person;
      last_person_ = kept_person_;
    }
    if (row.hash > range_.last) return false;
    if (row.hash >= range_.first) return true;
  }
}

Result<void> check_snapshot(const Files& files, const Path& path, const Digest& content, std::stop_token stop) {
  auto reader = TRY(SnapshotReader::open(files, path));
  ContentDigest digest(reader->head().content_domain(kSnapshotDomain), reader->dictionary());
  SnapshotRow row;
  auto found = TRY(reader->next(row));
  while (found) {
    if (stop.stop_requested()) return Error(ErrorCode::Interrupted, "checking a snapshot was interrupted");
    digest.begin_row(row.hash, row.person);
    digest.add_set(row.audiences);
    found = TRY(reader->next(row));
  }
  if (digest.finish() != content) return reader->corrupt("its rows are not those its name promises");
  return {};
}

}  // namespace audiencesync
