#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/dictionary.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// Writes the records of people as JSON lines; audiences are sorted by the bytes of their ids. Equal input gives equal
/// bytes.
///
/// Layouts `person` and `delimited`: one line with everything the person is in; an empty list, or string, is a
/// tombstone. Layout `membership`: a line for each audience, and none for people who are in nothing.
class RecordEncoder {
 public:
  RecordEncoder(const RelationSpec& spec, std::int64_t generation, const Dictionary& dictionary);

  /// Appends the lines of one person, their ends included; gives how many.
  std::size_t append(std::string& out, std::string_view person, const Ranks& audiences);

 private:
  void append_head(std::string& out, std::string_view person);
  void append_foot(std::string& out);

  RecordLayout layout_;
  std::string salt_;    // uid and the separator
  std::string tenant_;  // as a JSON string
  std::string generation_;
  std::vector<std::string> elements_;  // by rank: what a record says of an audience, as JSON
  std::vector<std::string> ids_;       // by rank
  std::string salted_;
};

}  // namespace audiencesync
