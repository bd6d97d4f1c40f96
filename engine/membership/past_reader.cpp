#include "engine/membership/past_reader.h"

#include <algorithm>
#include <tuple>

#include "engine/membership/membership_files.h"

namespace audiencesync {
namespace {

std::vector<DictionaryEntry> entries_of_file(const Dictionary& dictionary) {
  std::vector<DictionaryEntry> entries;
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    entries.push_back(dictionary.entry(static_cast<Rank>(rank)));
  }
  return entries;
}

}  // namespace

Result<std::unique_ptr<PastReader>> PastReader::open(const Files& files, const Path& folder, const PastRef& past) {
  std::unique_ptr<PastReader> reader(new PastReader);
  reader->past_ = past;
  reader->current_ = TRY(SnapshotReader::open(files, snapshot_path(folder, past.current)));
  reader->head_ = reader->current_->head();
  reader->facts_ = SnapshotFacts::of(*reader->current_, past.current);
  reader->dictionary_ = reader->current_->dictionary();
  for (const auto& delta : past.deltas) {
    auto opened = TRY(DeltaReader::open(files, delta_path(folder, delta)));
    reader->dictionary_ = TRY(Dictionary::extend(reader->dictionary_, entries_of_file(opened->dictionary())));
    reader->facts_ = opened->before();
    reader->head_ = opened->head();
    reader->sources_.push_back({std::move(opened), delta, {}});
  }
  // The names of then stay known though nobody had them, so that whoever writes this state again keeps them.
  std::vector<DictionaryEntry> named;
  for (const auto& audience : reader->facts_.audiences) named.push_back({audience.id, audience.name, 0});
  reader->dictionary_ = TRY(Dictionary::extend(reader->dictionary_, std::move(named)));
  // A delta's head is the newer one's, whose records may have another shape.
  reader->head_.shape = reader->facts_.shape;
  reader->content_ =
      std::make_unique<ContentDigest>(reader->head_.content_domain(kSnapshotDomain), reader->dictionary_);

  TRY(reader->current_->translate(reader->dictionary_));
  reader->more_current_ = TRY(reader->current_->next(reader->current_row_));
  for (std::size_t source = 0; source < reader->sources_.size(); ++source) {
    TRY(reader->sources_[source].reader->translate(reader->dictionary_));
    TRY(reader->advance(source));
  }
  TRY(reader->take_changed());
  return reader;
}

// Whether `left` comes after `right`: of one person's rows the oldest delta's comes first.
bool PastReader::later(std::size_t left, std::size_t right) const {
  const auto& one = sources_[left].row;
  const auto& other = sources_[right].row;
  return std::tie(one.hash, one.person, right) > std::tie(other.hash, other.person, left);
}

Result<void> PastReader::advance(std::size_t source) {
  auto& from = sources_[source];
  if (!TRY(from.reader->next(from.row))) return from.reader->expect(from.name);
  heap_.push_back(source);
  std::push_heap(heap_.begin(), heap_.end(), [this](auto left, auto right) { return later(left, right); });
  return {};
}

// The next person whom a delta has, as they were before the oldest one.
Result<void> PastReader::take_changed() {
  changed_ = !heap_.empty();
  bool first = true;
  while (!heap_.empty()) {
    const auto top = heap_.front();
    const auto& row = sources_[top].row;
    if (first) {
      changed_hash_ = row.hash;
      changed_person_ = row.person;
      changed_known_ = row.known_before;
      changed_audiences_ = row.before;
      first = false;
    } else if (row.hash != changed_hash_ || row.person != changed_person_) {
      return {};
    }
    std::pop_heap(heap_.begin(), heap_.end(), [this](auto left, auto right) { return later(left, right); });
    heap_.pop_back();
    TRY(advance(top));
  }
  return {};
}

Result<bool> PastReader::next_row(SnapshotRow& row) {
  while (true) {
    if (!changed_ && !more_current_) return false;
    auto order = std::strong_ordering::less;  // of the snapshot's person to the deltas'
    if (!more_current_) {
      order = std::strong_ordering::greater;
    } else if (changed_) {
      order = current_row_.hash != changed_hash_ ? current_row_.hash <=> changed_hash_
                                                 : current_row_.person <=> changed_person_;
    }
    if (order < 0) {
      row.hash = current_row_.hash;
      person_ = current_row_.person;
      row.audiences.swap(current_row_.audiences);
      more_current_ = TRY(current_->next(current_row_));
      row.person = person_;
      return true;
    }
    if (order == 0) more_current_ = TRY(current_->next(current_row_));
    const bool known = changed_known_ == Known::Yes;
    if (known) {
      row.hash = changed_hash_;
      person_.swap(changed_person_);
      row.audiences.swap(changed_audiences_);
      row.person = person_;
    }
    TRY(take_changed());
    if (known) return true;
  }
}

Result<bool> PastReader::next(SnapshotRow& row) {
  if (TRY(next_row(row))) {
    content_->begin_row(row.hash, row.person);
    content_->add_set(row.audiences);
    return true;
  }
  TRY(check_end());
  return false;
}

Result<void> PastReader::check_end() {
  if (!past_.expected) return {};
  const auto content = content_->finish();
  // Before the first snapshot there was nothing, which has no content of its own.
  const bool nothing = past_.expected->empty() && !sources_.empty() && facts_.content.empty();
  if (nothing || content == *past_.expected) return {};
  if (sources_.empty()) return current_->corrupt("its rows are not those its name promises");
  return sources_.back().reader->corrupt("what it leads back to is not what was proven then");
}

}  // namespace audiencesync
