#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/dictionary.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// Writes records of layout `person`: one JSON line a person with the full list of their audiences, sorted by the bytes
/// of the id; an empty list is a tombstone. Equal input gives equal bytes.
class RecordEncoder {
 public:
  RecordEncoder(const RelationSpec& spec, std::int64_t generation, const Dictionary& dictionary);

  /// Appends one line, its end included.
  void append(std::string& out, std::string_view person, const Ranks& audiences);

 private:
  std::string salt_;    // uid and the separator
  std::string tenant_;  // as a JSON string
  std::string generation_;
  std::vector<std::string> elements_;  // by rank: the JSON object of an audience
  std::string salted_;
};

}  // namespace audiencesync
