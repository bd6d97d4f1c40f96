#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/manifest/problems.h"

namespace audiencesync {

struct YamlEntry;

/// One node of a YAML file with the place where it starts. Scalars keep the text as written: nothing guesses types.
struct YamlNode {
  enum class Kind { Null, Scalar, List, Map };

  Kind kind = Kind::Null;
  Place place;
  std::string text;                // of a scalar, quotes and escapes resolved
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in the order of the file; no key twice
  bool reported = false;           // a problem says already that it is unusable: neither check nor show it

  /// The entry of a map, null when this is no map or has no such key.
  const YamlEntry* find(std::string_view key) const;
  /// Follows keys one by one; null when one is missing.
  const YamlNode* find_path(std::initializer_list<std::string_view> keys) const;
};

struct YamlEntry {
  std::string key;
  Place place;  // of the key
  YamlNode value;
};

inline constexpr std::size_t kMaxYamlBytes = 1024 * 1024;
inline constexpr std::size_t kMaxYamlNodes = 100'000;
inline constexpr std::size_t kMaxYamlDepth = 32;
inline constexpr std::size_t kMaxYamlKeys = 1'000;  // of one map

/// Reads a file of at most kMaxYamlBytes; a larger one is not even opened. Errors, with the file as place:
/// NotFound, Io, Invalid.
Result<std::string> read_yaml_file(const Files& files, const Path& path);

/// Parses one document whose root is a map. `file` is the name for places.
///
/// Refused, with the place: other encodings than UTF-8, control characters, tabs in the indentation, anchors, aliases
/// and tags, a second document, more than kMaxYamlNodes nodes, kMaxYamlDepth levels or
/// kMaxYamlKeys keys in one map. A key that is there twice is
/// reported with both places and the first one kept, so that the caller can go on. nullopt: nothing usable, reported.
std::optional<YamlNode> parse_yaml(std::string_view text, const std::string& file, Problems& problems);

}  // namespace audiencesync
