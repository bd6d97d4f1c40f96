#include "engine/membership/dictionary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace audiencesync {
namespace {

bool entry_before(const DictionaryEntry& left, const DictionaryEntry& right) {
  return std::tie(left.id, left.name) < std::tie(right.id, right.name);
}

bool same_entry(const DictionaryEntry& left, const DictionaryEntry& right) {
  return left.id == right.id && left.name == right.name;
}

}  // namespace

Result<Dictionary> Dictionary::make(std::vector<DictionaryEntry> entries) {
  std::sort(entries.begin(), entries.end(), entry_before);
  entries.erase(std::unique(entries.begin(), entries.end(), same_entry), entries.end());
  if (entries.size() > kLargestDictionary) {
    return Error(ErrorCode::Invalid,
                 fmt::format("{} audiences in one relation; at most {} are possible, so split the sync", entries.size(),
                             kLargestDictionary));
  }
  Dictionary dictionary;
  dictionary.entries_ = std::move(entries);
  return dictionary;
}

Result<Dictionary> Dictionary::extend(const Dictionary& base, std::vector<DictionaryEntry> wanted) {
  std::set<std::uint32_t> taken;
  for (const auto& entry : base.entries_) taken.insert(entry.index);
  std::sort(wanted.begin(), wanted.end(), entry_before);
  std::vector<DictionaryEntry> entries = base.entries_;
  std::uint32_t free = 0;
  for (auto& entry : wanted) {
    if (base.find(entry.id, entry.name)) continue;
    while (taken.contains(free)) ++free;
    entry.index = free++;
    entries.push_back(std::move(entry));
  }
  return make(std::move(entries));
}

std::optional<Rank> Dictionary::find(const AudienceId& id, const std::string& name) const {
  const DictionaryEntry wanted{id, name, 0};
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), wanted, entry_before);
  if (found == entries_.end() || !same_entry(*found, wanted)) return std::nullopt;
  return static_cast<Rank>(found - entries_.begin());
}

std::pair<std::size_t, std::size_t> Dictionary::named(const AudienceId& id) const {
  const auto first =
      std::lower_bound(entries_.begin(), entries_.end(), id,
                       [](const DictionaryEntry& entry, const AudienceId& key) { return entry.id < key; });
  auto last = first;
  while (last != entries_.end() && last->id == id) ++last;
  return {static_cast<std::size_t>(first - entries_.begin()), static_cast<std::size_t>(last - entries_.begin())};
}

std::uint32_t Dictionary::largest_index() const {
  std::uint32_t largest = 0;
  for (const auto& entry : entries_) largest = std::max(largest, entry.index);
  return largest;
}

}  // namespace audiencesync
