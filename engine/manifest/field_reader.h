#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/manifest/scalar_values.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {

/// Reads values out of a map that `check_fields` has seen. What is missing, empty or malformed leaves the target as it
/// was: the default, or a value nobody uses because the problem is reported. Refers to the tree.
class FieldReader {
 public:
  /// A null map has no keys.
  explicit FieldReader(const YamlNode* map) : map_(map) {}

  FieldReader map(std::string_view key) const { return FieldReader(node(key)); }
  /// The value, null when missing, empty or reported.
  const YamlNode* node(std::string_view key) const;
  /// Where the key's value is, or the map itself when the key is missing.
  Place place(std::string_view key) const;

  std::optional<std::string> text(std::string_view key) const;
  std::vector<const YamlNode*> items(std::string_view key) const;

  void read(std::string_view key, std::string& value) const;
  void read(std::string_view key, std::optional<std::string>& value) const;
  void read(std::string_view key, Duration& value) const;
  void read(std::string_view key, bool& value) const;
  void read(std::string_view key, Limit& value) const;
  void read_count(std::string_view key, std::uint64_t& value) const;
  void read_bytes(std::string_view key, std::uint64_t& value) const;

  /// Reads a word by the names `to_string` gives to the values.
  template <class Enum>
  void read_word(std::string_view key, std::initializer_list<Enum> values, Enum& value) const {
    const auto word = text(key);
    for (const auto each : values) {
      if (word && *word == to_string(each)) value = each;
    }
  }

 private:
  const YamlNode* map_;
};

}  // namespace audiencesync
