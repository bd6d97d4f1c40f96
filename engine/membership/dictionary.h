#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// Position of an audience in its dictionary. Sets of them are sorted, and so are the ids they stand for.
using Rank = std::uint16_t;
using Ranks = std::vector<Rank>;

/// Most entries one dictionary may have: ten times the audiences a sandbox can hold, under both their names.
inline constexpr std::size_t kLargestDictionary = 65'000;

/// An audience as it is written into records. One id under two names is two entries, so a renamed audience is another
/// entry and its members differ; both stay while somebody still has the old one in the dataset.
struct DictionaryEntry {
  AudienceId id;
  std::string name;
  std::uint32_t index = 0;  // in the rows of files; kept from snapshot to snapshot
};

/// The audiences that rows refer to, ordered by the bytes of id and name. A value; never changes.
class Dictionary {
 public:
  Dictionary() = default;
  /// Entries in any order, equal ones once. Errors: Invalid when there are more than kLargestDictionary.
  static Result<Dictionary> make(std::vector<DictionaryEntry> entries);
  /// The entries of `base` with their indices, and those of `wanted` that it lacks under the lowest free ones.
  static Result<Dictionary> extend(const Dictionary& base, std::vector<DictionaryEntry> wanted);

  std::size_t size() const { return entries_.size(); }
  const DictionaryEntry& entry(Rank rank) const { return entries_[rank]; }
  std::optional<Rank> find(const AudienceId& id, const std::string& name) const;
  /// All entries of one id: [first, last).
  std::pair<std::size_t, std::size_t> named(const AudienceId& id) const;
  std::uint32_t largest_index() const;

 private:
  std::vector<DictionaryEntry> entries_;
};

}  // namespace audiencesync
