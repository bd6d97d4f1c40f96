#include "engine/membership/history.h"

#include <algorithm>
#include <compare>

#include "engine/membership/membership_files.h"
#include "engine/membership/past_reader.h"

namespace audiencesync {
namespace {

// Snapshots of at least this many rows are cut at sections, so that several threads can read them.
constexpr std::uint64_t kLargePast = 1 << 16;
constexpr std::size_t kPackedOfPast = 1 << 20;

/// Says now and then whether the work should end.
class Patience {
 public:
  explicit Patience(std::stop_token stop) : stop_(std::move(stop)) {}
  Result<void> ask() {
    if ((asked_++ & 1023U) != 0 || !stop_.stop_requested()) return {};
    return Error(ErrorCode::Interrupted, "keeping the history of memberships was interrupted");
  }

 private:
  std::stop_token stop_;
  std::uint64_t asked_ = 0;
};

Result<Dictionary> united(const Dictionary& base, const Dictionary& other) {
  std::vector<DictionaryEntry> entries;
  for (std::size_t rank = 0; rank < other.size(); ++rank) entries.push_back(other.entry(static_cast<Rank>(rank)));
  return Dictionary::extend(base, std::move(entries));
}

RowFileHead head_after(const SnapshotReader& after, const std::optional<Digest>& before) {
  auto head = after.head();
  head.base = before.value_or("");
  head.cut_at_sections = false;
  return head;
}

DeltaRow delta_row(const SnapshotRow* before, const SnapshotRow* after) {
  DeltaRow row;
  const auto& either = before != nullptr ? *before : *after;
  row.hash = either.hash;
  row.person = either.person;
  if (before != nullptr) {
    row.known_before = Known::Yes;
    row.before = before->audiences;
  }
  if (after != nullptr) {
    row.known_after = Known::Yes;
    row.after = after->audiences;
  }
  return row;
}

// Everyone who differs between two snapshots; `before` may be null.
// Both give whether somebody who was forgotten would have been in the delta.
Result<bool> compare_snapshots(SnapshotReader* before, SnapshotReader& after, const Forgotten& forgotten,
                               DeltaWriter& writer, Patience patience) {
  bool erased = false;
  SnapshotRow old_row;
  SnapshotRow new_row;
  bool more_old = false;
  if (before != nullptr) more_old = TRY(before->next(old_row));
  bool more_new = TRY(after.next(new_row));
  while (more_old || more_new) {
    TRY(patience.ask());
    auto order = std::strong_ordering::less;
    if (!more_old) {
      order = std::strong_ordering::greater;
    } else if (more_new) {
      order = old_row.hash != new_row.hash ? old_row.hash <=> new_row.hash : old_row.person <=> new_row.person;
    }
    if (order != 0 || old_row.audiences != new_row.audiences) {
      if (forgotten.contains(order <= 0 ? old_row.person : new_row.person)) {
        erased = true;
      } else {
        TRY(writer.add(delta_row(order <= 0 ? &old_row : nullptr, order >= 0 ? &new_row : nullptr)));
      }
    }
    if (order <= 0) more_old = TRY(before->next(old_row));
    if (order >= 0) more_new = TRY(after.next(new_row));
  }
  return erased;
}

// The rows of a changeset that really differ; a full generation lists everyone.
Result<bool> copy_changes(ChangesetReader& changes, const DeltaRequest::Rows& rows, const Forgotten& forgotten,
                          bool tombstones, DeltaWriter& writer, Patience patience) {
  bool erased = false;
  ChangesetRow change;
  std::uint64_t position = 0;
  auto found = TRY(changes.next(change));
  while (found) {
    TRY(patience.ask());
    const bool landed = position >= rows.rows.first && position < rows.rows.last;
    const auto known = tombstones || !change.after.empty() ? Known::Yes : Known::No;
    const bool differs = change.known != known || change.before != change.after;
    const bool arrived =
        landed && (rows.leave_out.empty() || !rows.leave_out.contains(PersonId(std::string(change.person))));
    if (arrived && forgotten.contains(change.person)) {
      erased = true;
    } else if (arrived && differs) {
      TRY(writer.add({change.hash, change.person, change.known, known, change.before, change.after}));
    }
    ++position;
    found = TRY(changes.next(change));
  }
  TRY(changes.expect(rows.changeset));
  return erased;
}

class Past final : public PastMembers {
 public:
  explicit Past(std::unique_ptr<PastReader> reader) : reader_(std::move(reader)) {
    for (const auto& audience : reader_->facts().audiences) {
      audiences_.push_back({audience.id, audience.name, audience.people});
    }
  }

  const std::vector<AudiencePeople>& audiences() const override { return audiences_; }

  Result<std::optional<MemberRow>> next() override {
    if (!TRY(reader_->next(row_))) return std::optional<MemberRow>();
    MemberRow member{PersonId(std::string(row_.person)), {}};
    for (const auto rank : row_.audiences) member.audiences.push_back(reader_->dictionary().entry(rank).id);
    return std::optional(std::move(member));
  }

 private:
  std::unique_ptr<PastReader> reader_;
  std::vector<AudiencePeople> audiences_;
  SnapshotRow row_;
};

}  // namespace

Result<KeptDelta> write_delta(const HistoryPlace& place, const DeltaRequest& request, std::stop_token stop) {
  const auto& [files, folder, unfinished] = place;
  auto after = TRY(SnapshotReader::open(files, snapshot_path(folder, request.after)));
  std::unique_ptr<SnapshotReader> before;
  if (request.before) before = TRY(SnapshotReader::open(files, snapshot_path(folder, *request.before)));
  const auto facts_before = before ? SnapshotFacts::of(*before, *request.before) : SnapshotFacts{};
  const auto facts_after = SnapshotFacts::of(*after, request.after);
  std::unique_ptr<ChangesetReader> changes;
  auto dictionary = after->dictionary();
  if (request.rows) {
    changes = TRY(ChangesetReader::open(files, changeset_path(folder, request.rows->changeset)));
    dictionary = TRY(united(dictionary, changes->dictionary()));
    TRY(changes->translate(dictionary));
  } else {
    if (before) dictionary = TRY(united(dictionary, before->dictionary()));
    if (before) TRY(before->translate(dictionary));
    TRY(after->translate(dictionary));
  }
  auto file = TRY(TempFile::create(files, unfinished));
  auto writer = TRY(DeltaWriter::create(std::move(file), head_after(*after, request.before), dictionary));
  KeptDelta kept;
  if (changes) {
    kept.erased = TRY(copy_changes(*changes, *request.rows, request.forgotten, has_tombstones(after->head().shape),
                                   *writer, Patience(std::move(stop))));
  } else {
    kept.erased = TRY(compare_snapshots(before.get(), *after, request.forgotten, *writer, Patience(std::move(stop))));
  }
  kept.digest = TRY(writer->publish(folder, facts_before, facts_after));
  return kept;
}

Result<std::unique_ptr<PastMembers>> read_past(const Files& files, const Path& folder, const PastRef& past) {
  auto reader = TRY(PastReader::open(files, folder, past));
  return std::unique_ptr<PastMembers>(std::make_unique<Past>(std::move(reader)));
}

Result<Digest> write_past(const HistoryPlace& place, const PastRef& past, std::stop_token stop) {
  // Named by its content: what is there already, such as the current one, is as good.
  if (past.expected && SnapshotReader::open(place.files, snapshot_path(place.folder, *past.expected)).ok()) {
    return *past.expected;
  }
  auto reader = TRY(PastReader::open(place.files, place.folder, past));
  auto head = reader->head();
  head.base = "";
  head.cut_at_sections = reader->facts().rows >= kLargePast;
  const auto& dictionary = reader->dictionary();
  std::vector<bool> declared(dictionary.size(), false);
  for (const auto& audience : reader->facts().audiences) {
    if (const auto rank = dictionary.find(audience.id, audience.name)) declared[*rank] = true;
  }
  auto file = TRY(TempFile::create(place.files, place.unfinished));
  auto writer = TRY(SnapshotWriter::create(std::move(file), head, dictionary));
  BlockCompressor compressor;
  SnapshotPart part(dictionary, compressor, head.cut_at_sections);
  Patience patience(std::move(stop));
  SnapshotRow row;
  auto found = TRY(reader->next(row));
  while (found) {
    TRY(patience.ask());
    TRY(part.add(row.hash, row.person, row.audiences));
    if (part.packed() > kPackedOfPast) TRY(writer->take(part));
    found = TRY(reader->next(row));
  }
  TRY(writer->close(part));
  return writer->publish(place.folder, declared);
}

Result<Digest> erase_from_delta(const HistoryPlace& place, const Digest& delta, const Forgotten& people,
                                std::stop_token stop) {
  auto reader = TRY(DeltaReader::open(place.files, delta_path(place.folder, delta)));
  auto file = TRY(TempFile::create(place.files, place.unfinished));
  auto writer = TRY(DeltaWriter::create(std::move(file), reader->head(), reader->dictionary()));
  Patience patience(std::move(stop));
  bool somebody = false;
  DeltaRow row;
  auto found = TRY(reader->next(row));
  while (found) {
    TRY(patience.ask());
    if (people.contains(row.person)) {
      somebody = true;
    } else {
      TRY(writer->add(row));
    }
    found = TRY(reader->next(row));
  }
  TRY(reader->expect(delta));
  if (!somebody) return delta;
  return writer->publish(place.folder, reader->before(), reader->after());
}

}  // namespace audiencesync
