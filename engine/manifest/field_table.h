#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"
#include "engine/manifest/nearest_word.h"
#include "engine/manifest/problems.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {

/// How a value is written.
enum class FieldType {
  Text,
  Integer,
  Flag,
  TimeSpan,    // 36h
  Bytes,       // 10GB
  Limit,       // 10%, 500, or a list of both
  Choice,      // one of `choices`
  TextList,    // a list of texts, each checked
  ChoiceList,  // a list of `choices`, at least one
  Map,         // `fields`
  MapList,     // a list of maps of `fields`, at least one unless the fallback is []
  NamedMaps,   // a map from free names to maps of `fields`, at least one
};
enum class Presence { Optional, Required };
/// Later: designed, but refused by this version whatever its value.
enum class Availability { Now, Later };

struct FieldChoice {
  std::string_view word;
  Availability availability = Availability::Now;
};

/// What is wrong with one scalar, as the end of a sentence that starts with the key and the value; nullopt when fine.
/// Says what to write instead.
using FieldCheck = std::optional<std::string> (*)(std::string_view text);

/// One key of a configuration file: the only description of it, from which checks, JSON Schema and documents come.
struct Field {
  std::string_view name;
  FieldType type = FieldType::Text;
  Presence presence = Presence::Optional;
  Availability availability = Availability::Now;
  std::string_view fallback = {};  // the default as it would be written; "" when there is none or it depends
  std::string_view example = {};   // value for messages
  std::string_view help = {};
  std::string_view pattern = {};  // of one scalar, for JSON Schema; `check` decides
  FieldCheck check = nullptr;     // of one scalar
  std::vector<FieldChoice> choices = {};
  std::vector<Field> fields = {};
  std::string_view shorthand = {};                 // key of `fields` that a scalar instead of the map stands for
  std::vector<std::string_view> one_of_them = {};  // keys of `fields` of which at least one must be there
};

using FieldTable = std::vector<Field>;

/// Checks a map against its table and reports everything: unknown, missing, later and empty keys, wrong types, words
/// and values. `path` is the dotted name of the map for messages, "" for the root. Reported nodes are passed over.
void check_fields(const YamlNode& map, const FieldTable& table, const std::string& path, Problems& problems);

/// JSON Schema (draft 2020-12) of a file whose root map is described by the table; later keys are left out.
Value json_schema(std::string_view title, std::string_view description, const FieldTable& table);

}  // namespace audiencesync
