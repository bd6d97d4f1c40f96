#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/value.h"

namespace audiencesync {

/// The key under which a sync remembers whom it was asked to forget (Forgotten::to_value).
inline constexpr const char* kForgotten = "forgotten";

/// People who stay out whatever an export says. No id is kept: a keyed hash of each recognises them when they come
/// back. Whoever holds list and key can test whether a given id is on it, and cannot list the ids.
///
/// Ids count as a sync writes them, after `identity.normalize`.
class Forgotten {
 public:
  Forgotten() = default;
  /// An empty list under `key`, which is drawn at random for every sync.
  explicit Forgotten(std::string key) : key_(std::move(key)) {}

  bool empty() const { return marks_.empty(); }
  std::size_t size() const { return marks_.size(); }
  /// Cost: some nanoseconds for almost everybody, else one SHA-256. Threads may share it.
  bool contains(std::string_view person) const;
  /// True when the person was not on the list yet.
  bool add(std::string_view person);
  /// True when the person was on the list.
  bool lift(std::string_view person);

  /// Of all there is to it; "" when nobody was forgotten.
  Digest digest() const;
  /// Null when nobody was forgotten.
  Value to_value() const;
  /// Empty for null and for what is no such list.
  static Forgotten from_value(const Value& value);

 private:
  std::string mark_of(std::string_view person) const;
  void widen_filter(std::string_view mark);

  std::string key_;
  std::set<std::string> marks_;
  std::vector<bool> filter_;  // by the first digits of a mark: whether there is one
};

}  // namespace audiencesync
