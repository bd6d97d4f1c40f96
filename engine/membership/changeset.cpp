#include "engine/membership/changeset.h"

#include "engine/membership/membership_files.h"
#include "engine/membership/row_codec.h"

namespace audiencesync {
namespace {

constexpr std::string_view kChangesetDomain = "audiencesync changeset 1";

void digest_change(ContentDigest& content, const ChangesetRow& row) {
  content.begin_row(row.hash, row.person);
  content.add_number(static_cast<std::uint64_t>(row.known));
  content.add_set(row.before);
  content.add_set(row.after);
}

}  // namespace

ChangesetPart::ChangesetPart(const Dictionary& dictionary, BlockCompressor& compressor)
    : blocks_(compressor),
      content_(kChangesetDomain, dictionary),
      indices_(row_file::file_indices(dictionary)),
      people_(dictionary.size(), 0) {}

Result<void> ChangesetPart::add(const ChangesetRow& row) {
  auto& bytes = blocks_.begin(row.hash);
  put_text(bytes, row.person);
  put_varint(bytes, static_cast<std::uint64_t>(row.known));
  row_file::put_ranks(bytes, indices_, row.before, scratch_);
  row_file::put_ranks(bytes, indices_, row.after, scratch_);
  digest_change(content_, row);
  for (const auto rank : row.before) ++people_[rank];
  for (const auto rank : row.after) ++people_[rank];
  return blocks_.end();
}

ChangesetWriter::ChangesetWriter(std::unique_ptr<BlockWriter> blocks, const RowFileHead& head,
                                 const Dictionary& dictionary)
    : blocks_(std::move(blocks)),
      dictionary_(dictionary),
      content_(head.content_domain(kChangesetDomain), dictionary),
      people_(dictionary.size(), 0) {}

Result<std::unique_ptr<ChangesetWriter>> ChangesetWriter::create(TempFile file, const RowFileHead& head,
                                                                 const Dictionary& dictionary) {
  auto blocks = TRY(BlockWriter::create(std::move(file), BlockKind::Changeset, head.to_value()));
  return std::unique_ptr<ChangesetWriter>(new ChangesetWriter(std::move(blocks), head, dictionary));
}

Result<void> ChangesetWriter::close(ChangesetPart& part) {
  TRY(part.end());
  TRY(take(part));
  content_.append(part.content_);
  for (std::size_t rank = 0; rank < people_.size(); ++rank) people_[rank] += part.people_[rank];
  return {};
}

Result<Digest> ChangesetWriter::publish(const Path& folder) {
  const std::vector<bool> nobody_declared(dictionary_.size(), false);
  TRY(blocks_->finish(Value::Object{{"dictionary", row_file::dictionary_value(dictionary_, people_, nobody_declared)},
                                    {"rows", blocks_->rows()}}));
  auto content = content_.finish();
  TRY(blocks_->publish(changeset_path(folder, content)));
  return content;
}

Result<std::unique_ptr<ChangesetReader>> ChangesetReader::open(const Files& files, const Path& path) {
  std::unique_ptr<ChangesetReader> reader(new ChangesetReader);
  reader->blocks_ = TRY(BlockReader::open(files, path, BlockKind::Changeset));
  reader->head_ = RowFileHead::from_value(reader->blocks_->head());
  reader->dictionary_ = TRY(row_file::read_dictionary(*reader->blocks_));
  TRY(reader->translate(reader->dictionary_));
  return reader;
}

Result<void> ChangesetReader::translate(const Dictionary& other) {
  table_ = TRY(row_file::index_table(dictionary_, other));
  content_ = std::make_unique<ContentDigest>(head_.content_domain(kChangesetDomain), other);
  return {};
}

Result<bool> ChangesetReader::next(ChangesetRow& row) {
  ByteCursor* from = nullptr;
  const auto found = TRY(blocks_->next(row.hash, from));
  if (!found) return false;
  row.person = from->text();
  const auto known = from->varint();
  if (known > 1 || !get_set(*from, table_, row.before) || !get_set(*from, table_, row.after) || row.person.empty()) {
    return blocks_->corrupt("a row cannot be read");
  }
  row.known = known == 1 ? Known::Yes : Known::No;
  if (row.hash < last_hash_ || (row.hash == last_hash_ && row.person <= last_person_)) {
    return blocks_->corrupt("its rows are out of order");
  }
  last_hash_ = row.hash;
  last_person_ = row.person;
  digest_change(*content_, row);
  return true;
}

Result<void> ChangesetReader::expect(const Digest& content) {
  if (content_->finish() != content) return blocks_->corrupt("its rows are not those its name promises");
  return {};
}

}  // namespace audiencesync
