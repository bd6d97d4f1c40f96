#include "engine/membership/dataset_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/digest.h"
#include "engine/membership/person_rule.h"

namespace audiencesync {
namespace {

// A sorter's key is the person, then what orders the records of one. The person is written so that no key is the
// beginning of another one and the order stays that of the ids: a zero byte as 00 FF, the end as 00 00.
void put_person(std::string& key, std::string_view person) {
  for (const char each : person) {
    key += each;
    if (each == '\0') key += '\xFF';
  }
  key.append(2, '\0');
}

std::size_t person_size(std::string_view key) {
  std::size_t at = 0;
  while (key[at] != '\0' || key[at + 1] != '\0') at += key[at] == '\0' ? 2 : 1;
  return at + 2;
}

void get_person(std::string_view key, std::string& person) {
  person.clear();
  for (std::size_t at = 0; at + 2 < key.size(); ++at) {
    person += key[at];
    if (key[at] == '\0') ++at;
  }
}

template <class Number>
void put_ordered(std::string& key, Number number) {
  for (std::size_t i = sizeof number; i-- > 0;) key += static_cast<char>((number >> (8 * i)) & 0xFFU);
}

std::uint64_t get_ordered(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

// Bytes that a key has beside an ordinary person, counted as audiences: a sorter makes room for the largest row.
constexpr std::size_t kKeyRoom = (kLongestPersonId + 32) / sizeof(Rank);
// Nobody is in more audiences than this; a sandbox holds 4,000.
constexpr std::size_t kLargestSet = 16'384;

Error unlike_count(const TargetFile& file, const TargetRow& row, std::size_t listed) {
  return Error(ErrorCode::Corrupt,
               fmt::format("batch {}: a record of generation {} lists {} memberships and counts {}; it was changed or "
                           "is damaged, so nothing is concluded from this dataset",
                           file.batch, row.generation.value_or(file.generation), listed, row.count.value_or(0)));
}

}  // namespace

DatasetRows::DatasetRows(Files& files, Path folder, std::string name, MemoryBudget budget, PersonHash hash)
    : hash_(hash),
      most_streams_(0),
      sorter_(files, std::move(folder), std::move(name), budget, kLargestSet + kKeyRoom) {
  most_streams_ = budget.bytes / 4 / sorter_.block_bytes();
}

Result<void> DatasetRows::read(const DatasetMeaning& meaning, TargetSource& source, const TargetFiles& files,
                               std::stop_token stop) {
  shape_ = meaning.spec.shape();
  without_tombstones_ = !has_tombstones(shape_);
  oldest_generation_ = meaning.oldest_generation;
  rejected_ = meaning.spec.quarantined;
  while (true) {
    const auto file = TRY(files(stop));
    if (!file) break;
    std::uint64_t rows = 0;
    const auto take = [&](const TargetRow& row) -> Result<void> {
      if ((++rows & 1023U) == 0 && stop.stop_requested()) {
        return Error(ErrorCode::Interrupted, "reading the target dataset was interrupted");
      }
      return add(meaning, *file, row);
    };
    const auto read = TRY(source.read(file->path, meaning.spec.tenant, take));
    ++counts_.files;
    counts_.records += read;
    counts_.of_batch[file->batch] += read;
  }
  return start_merge();
}

Result<Rank> DatasetRows::number_of(const TargetRow::Membership& membership) {
  space_.assign(membership.audience).append(1, '\0').append(membership.name);
  const auto found = numbers_.find(space_);
  if (found != numbers_.end()) return found->second;
  if (entries_.size() >= kLargestDictionary) {
    return Error(ErrorCode::Corrupt, fmt::format("the dataset names more than {} audiences", kLargestDictionary));
  }
  const auto number = static_cast<Rank>(entries_.size());
  entries_.push_back({AudienceId(membership.audience), std::string(membership.name), 0});
  numbers_.emplace(space_, number);
  return number;
}

// Records of one generation are of one shape; of those that end somebody's memberships not every one shows which.
void DatasetRows::look_at_shape(const RelationSpec& spec, std::int64_t generation, const TargetRow& row) {
  if (generation < shape_of_ || !row.layout) return;
  const bool one = row.memberships != nullptr && !row.memberships->empty();
  if (generation == shape_of_ && !one) return;
  RelationSpec found;
  found.layout = *row.layout;
  found.names = one ? row.memberships->front().name.empty() ? RecordNames::LookedUp : RecordNames::Written : spec.names;
  shape_ = found.shape();
  shape_of_ = generation;
}

bool DatasetRows::has_our_id(const RelationSpec& spec, const TargetRow& row) {
  salted_.assign(spec.uid).append(1, '\x1F').append(row.person);
  if (row.layout == RecordLayout::Membership) salted_.append(1, '\x1F').append(row.memberships->front().audience);
  return row.id == sha256(salted_);
}

Result<void> DatasetRows::add(const DatasetMeaning& meaning, const TargetFile& file, const TargetRow& row) {
  const auto& spec = meaning.spec;
  if (row.person.empty()) {
    ++counts_.without_person;
    return {};
  }
  if (row.person.size() > kLongestPersonId || !is_utf8(row.person)) {
    ++counts_.unusable_person;
    return {};
  }
  const auto generation = row.generation.value_or(file.generation);
  if (generation <= 0) {
    ++counts_.without_generation;
    return {};
  }
  const std::size_t listed = row.memberships == nullptr ? 0 : row.memberships->size();
  if (row.count && static_cast<std::uint64_t>(*row.count) != listed) return unlike_count(file, row, listed);
  if (!has_our_id(spec, row)) ++counts_.other_id;
  counts_.generation = std::max(counts_.generation, generation);
  look_at_shape(spec, generation, row);
  const bool one_of_several = row.layout == RecordLayout::Membership;
  without_tombstones_ = without_tombstones_ || one_of_several;

  set_.clear();
  for (std::size_t i = 0; i < listed; ++i) {
    const auto number = TRY(number_of((*row.memberships)[i]));
    set_.push_back(number);
  }
  std::sort(set_.begin(), set_.end());
  set_.erase(std::unique(set_.begin(), set_.end()), set_.end());
  if (set_.size() > kLargestSet) return unlike_count(file, row, listed);
  key_.clear();
  put_person(key_, row.person);
  put_ordered(key_, static_cast<std::uint64_t>(generation));
  if (!one_of_several) {
    put_ordered(key_, file.order);
    put_ordered(key_, ++sequence_);  // keeps equal records apart, so that they can be counted
  }
  return sorter_.add(hash_(row.person), key_, set_);
}

Result<void> DatasetRows::start_merge() {
  dictionary_ = TRY(Dictionary::make(entries_));
  // Numbers were given as names appeared; files want the lowest indices for what there is.
  std::vector<DictionaryEntry> entries;
  for (std::size_t rank = 0; rank < dictionary_.size(); ++rank) {
    entries.push_back(dictionary_.entry(static_cast<Rank>(rank)));
    entries.back().index = static_cast<std::uint32_t>(rank);
  }
  dictionary_ = TRY(Dictionary::make(std::move(entries)));
  for (const auto& entry : entries_) ranks_.push_back(dictionary_.find(entry.id, entry.name).value_or(0));
  TRY(sorter_.finish(most_streams_));
  merge_ = sorter_.stream(HashRange(), scratch_);
  row_ = TRY(next_row(*merge_));
  return {};
}

// Where people leave without a record that says so, whoever has none of a generation that counts is gone; but for those
// whose newer records the platform rejected: they stay as they were.
bool DatasetRows::is_gone(const DatasetPerson& person) const {
  if (!without_tombstones_ || person.generation >= oldest_generation_) return false;
  return !rejected_.contains(PersonId(person.person));
}

Result<bool> DatasetRows::next(DatasetPerson& person) {
  while (TRY(next_known(person))) {
    if (!is_gone(person)) return true;
  }
  return false;
}

Result<bool> DatasetRows::next_known(DatasetPerson& person) {
  if (row_ == nullptr) return false;
  const auto size = person_size(row_->person);
  const auto hash = row_->hash;
  key_.assign(row_->person.substr(0, size));
  get_person(key_, person.person);
  person.hash = hash;
  bool first = true;
  // In the order of their generation, so the last one is true.
  while (row_ != nullptr && row_->hash == hash && row_->person.starts_with(key_)) {
    const auto generation = static_cast<std::int64_t>(get_ordered(row_->person.substr(size, 8)));
    set_.clear();
    for (const auto number : row_->audiences) set_.push_back(ranks_[number]);
    std::sort(set_.begin(), set_.end());
    if (!first && generation == person.generation) {
      ++counts_.duplicates;
      if (set_ != person.audiences) ++counts_.conflicts;
    }
    first = false;
    person.generation = generation;
    person.audiences = set_;
    row_ = TRY(next_row(*merge_));
  }
  return true;
}

}  // namespace audiencesync
