#include "engine/membership/delta.h"

#include "engine/membership/membership_files.h"
#include "engine/membership/row_codec.h"

namespace audiencesync {
namespace {

constexpr std::string_view kDeltaDomain = "audiencesync delta 1";
constexpr std::uint64_t kKnownBefore = 1;
constexpr std::uint64_t kKnownAfter = 2;

std::uint64_t presence_of(const DeltaRow& row) {
  return (row.known_before == Known::Yes ? kKnownBefore : 0) | (row.known_after == Known::Yes ? kKnownAfter : 0);
}

void digest_delta_row(ContentDigest& content, const DeltaRow& row) {
  content.begin_row(row.hash, row.person);
  content.add_number(presence_of(row));
  content.add_set(row.before);
  content.add_set(row.after);
}

Digest delta_digest(const Digest& before, const Digest& after, const Digest& rows) {
  return digest_of(Value::Object{{"before", before}, {"after", after}, {"rows", rows}});
}

Value facts_value(const SnapshotFacts& facts) {
  Value::Array audiences;
  for (const auto& audience : facts.audiences) {
    audiences.emplace_back(Value::Object{{"id", audience.id}, {"name", audience.name}, {"people", audience.people}});
  }
  return Value::Object{{"audiences", std::move(audiences)},
                       {"content", facts.content},
                       {"rows", facts.rows},
                       {"shape", facts.shape},
                       {"tombstones", facts.tombstones}};
}

// Deltas of the first versions do not name the shape; they are believed to be of their head's.
SnapshotFacts facts_from(const Value* value, const std::string& shape_of_head) {
  SnapshotFacts facts;
  if (value == nullptr) return facts;
  facts.content = value->text("content");
  facts.shape = value->text("shape");
  if (facts.shape.empty()) facts.shape = shape_of_head;
  facts.rows = static_cast<std::uint64_t>(value->number("rows").value_or(0));
  facts.tombstones = static_cast<std::uint64_t>(value->number("tombstones").value_or(0));
  for (const auto& item : value->items("audiences")) {
    facts.audiences.push_back(
        {item.text("id"), item.text("name"), static_cast<std::uint64_t>(item.number("people").value_or(0))});
  }
  return facts;
}

}  // namespace

SnapshotFacts SnapshotFacts::of(const SnapshotReader& snapshot, Digest content) {
  SnapshotFacts facts;
  facts.content = std::move(content);
  facts.shape = snapshot.head().shape;
  facts.rows = snapshot.rows();
  facts.tombstones = snapshot.tombstones();
  for (std::size_t rank = 0; rank < snapshot.dictionary().size(); ++rank) {
    const auto& entry = snapshot.dictionary().entry(static_cast<Rank>(rank));
    facts.audiences.push_back({entry.id, entry.name, snapshot.people()[rank]});
  }
  return facts;
}

DeltaWriter::DeltaWriter(std::unique_ptr<BlockWriter> blocks, const Dictionary& dictionary)
    : dictionary_(dictionary),
      packer_(compressor_),
      blocks_(std::move(blocks)),
      content_(kDeltaDomain, dictionary),
      indices_(row_file::file_indices(dictionary)),
      people_(dictionary.size(), 0) {}

Result<std::unique_ptr<DeltaWriter>> DeltaWriter::create(TempFile file, const RowFileHead& head,
                                                         const Dictionary& dictionary) {
  auto blocks = TRY(BlockWriter::create(std::move(file), BlockKind::Delta, head.to_value()));
  return std::unique_ptr<DeltaWriter>(new DeltaWriter(std::move(blocks), dictionary));
}

Result<void> DeltaWriter::add(const DeltaRow& row) {
  auto& bytes = packer_.begin(row.hash);
  put_text(bytes, row.person);
  put_varint(bytes, presence_of(row));
  row_file::put_ranks(bytes, indices_, row.before, scratch_);
  row_file::put_ranks(bytes, indices_, row.after, scratch_);
  digest_delta_row(content_, row);
  for (const auto rank : row.before) ++people_[rank];
  for (const auto rank : row.after) ++people_[rank];
  TRY(packer_.end());
  if (packer_.bytes().empty()) return {};
  return blocks_->append(packer_);
}

Result<Digest> DeltaWriter::publish(const Path& folder, const SnapshotFacts& before, const SnapshotFacts& after) {
  TRY(packer_.cut());
  TRY(blocks_->append(packer_));
  const std::vector<bool> nobody_declared(dictionary_.size(), false);
  TRY(blocks_->finish(Value::Object{{"dictionary", row_file::dictionary_value(dictionary_, people_, nobody_declared)},
                                    {"rows", blocks_->rows()},
                                    {"before", facts_value(before)},
                                    {"after", facts_value(after)}}));
  auto digest = delta_digest(before.content, after.content, content_.finish());
  TRY(blocks_->publish(delta_path(folder, digest)));
  return digest;
}

Result<std::unique_ptr<DeltaReader>> DeltaReader::open(const Files& files, const Path& path) {
  std::unique_ptr<DeltaReader> reader(new DeltaReader);
  reader->blocks_ = TRY(BlockReader::open(files, path, BlockKind::Delta));
  reader->head_ = RowFileHead::from_value(reader->blocks_->head());
  reader->dictionary_ = TRY(row_file::read_dictionary(*reader->blocks_));
  reader->before_ = facts_from(reader->blocks_->foot().find("before"), reader->head_.shape);
  reader->after_ = facts_from(reader->blocks_->foot().find("after"), reader->head_.shape);
  TRY(reader->translate(reader->dictionary_));
  return reader;
}

Result<void> DeltaReader::translate(const Dictionary& other) {
  table_ = TRY(row_file::index_table(dictionary_, other));
  content_ = std::make_unique<ContentDigest>(kDeltaDomain, other);
  return {};
}

Result<bool> DeltaReader::next(DeltaRow& row) {
  ByteCursor* from = nullptr;
  const auto found = TRY(blocks_->next(row.hash, from));
  if (!found) return false;
  row.person = from->text();
  const auto presence = from->varint();
  if (presence > (kKnownBefore | kKnownAfter) || !get_set(*from, table_, row.before) ||
      !get_set(*from, table_, row.after) || row.person.empty()) {
    return blocks_->corrupt("a row cannot be read");
  }
  row.known_before = (presence & kKnownBefore) != 0 ? Known::Yes : Known::No;
  row.known_after = (presence & kKnownAfter) != 0 ? Known::Yes : Known::No;
  if (row.hash < last_hash_ || (row.hash == last_hash_ && row.person <= last_person_)) {
    return blocks_->corrupt("its rows are out of order");
  }
  last_hash_ = row.hash;
  last_person_ = row.person;
  digest_delta_row(*content_, row);
  return true;
}

Result<void> DeltaReader::expect(const Digest& delta) {
  if (delta_digest(before_.content, after_.content, content_->finish()) == delta) return {};
  return blocks_->corrupt("it is not what its name promises");
}

}  // namespace audiencesync
