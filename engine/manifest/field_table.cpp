#include "engine/manifest/field_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/scalar_values.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

std::string joined_words(const std::vector<std::string_view>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

const char* kind_text(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::Null:
      return "empty";
    case YamlNode::Kind::Scalar:
      return "a single value";
    case YamlNode::Kind::List:
      return "a list";
    case YamlNode::Kind::Map:
      return "a map";
  }
  return "something else";
}

std::vector<std::string_view> words_now(const Field& field) {
  std::vector<std::string_view> words;
  for (const auto& choice : field.choices) {
    if (choice.availability == Availability::Now) words.push_back(choice.word);
  }
  return words;
}

std::vector<std::string_view> names_now(const FieldTable& table) {
  std::vector<std::string_view> names;
  for (const auto& field : table) {
    if (field.availability == Availability::Now) names.push_back(field.name);
  }
  return names;
}

const Field* find_field(const FieldTable& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& field) { return field.name == name; });
  return found == table.end() ? nullptr : &*found;
}

/// The map of the table that has a key of this name, for keys written one level too high.
const Field* find_owner(const FieldTable& table, std::string_view name) {
  for (const auto& field : table) {
    if (field.type == FieldType::Map && find_field(field.fields, name) != nullptr) return &field;
  }
  return nullptr;
}

class FieldChecker {
 public:
  explicit FieldChecker(Problems& problems) : problems_(problems) {}

  void check_map(const YamlNode& map, const FieldTable& table, const std::string& path) {
    std::vector<std::string_view> meant;  // by a misspelt key: not missing as well
    for (const auto& entry : map.entries) {
      if (entry.value.reported) continue;
      const Field* field = find_field(table, entry.key);
      const auto name = path.empty() ? entry.key : path + "." + entry.key;
      if (field == nullptr) {
        if (const auto near = report_unknown(entry, table, path)) meant.push_back(*near);
      } else if (field->availability == Availability::Later) {
        problems_.later(entry.place, fmt::format("'{}' is not in this version; remove it", name));
      } else {
        check_value(entry.value, *field, name, entry.place);
      }
    }
    for (const auto& field : table) {
      if (field.presence != Presence::Required || map.find(field.name) != nullptr) continue;
      if (std::find(meant.begin(), meant.end(), field.name) != meant.end()) continue;
      const auto name = path.empty() ? std::string(field.name) : fmt::format("{}.{}", path, field.name);
      problems_.invalid(map.place,
                        fmt::format("'{}' is missing; add it, for example {}: {}", name, field.name, field.example));
    }
  }

 private:
  /// The known key that was probably meant.
  std::optional<std::string_view> report_unknown(const YamlEntry& entry, const FieldTable& table,
                                                 const std::string& path) {
    const auto where = path.empty() ? std::string() : fmt::format(" in '{}'", path);
    const auto* owner = find_owner(table, entry.key);
    const auto near = owner == nullptr ? nearest_word(entry.key, names_now(table)) : std::nullopt;
    std::string advice;
    if (owner != nullptr) {
      advice = fmt::format("it belongs into '{}'", owner->name);
    } else if (near) {
      advice = fmt::format("did you mean '{}'?", *near);
    } else {
      advice = fmt::format("known keys are: {}", joined_words(names_now(table)));
    }
    problems_.invalid(entry.place, fmt::format("unknown key {}{}; {}", shown(entry.key), where, advice));
    return near;
  }

  void check_value(const YamlNode& node, const Field& field, const std::string& name, const Place& key) {
    if (node.kind == YamlNode::Kind::Null) {
      if (field.fallback == "null") return;
      const auto way_out = field.presence == Presence::Required ? "write one" : "write one or remove the key";
      problems_.invalid(
          key, fmt::format("'{}' has no value; {}, for example {}: {}", name, way_out, field.name, example_of(field)));
      return;
    }
    switch (field.type) {
      case FieldType::Map:
        check_nested_map(node, field, name);
        return;
      case FieldType::MapList:
        check_map_list(node, field, name);
        return;
      case FieldType::NamedMaps:
        check_named_maps(node, field, name);
        return;
      case FieldType::TextList:
      case FieldType::ChoiceList:
        check_list(node, field, name);
        return;
      case FieldType::Limit:
        check_limit(node, field, name);
        return;
      default:
        check_scalar(node, field, name);
    }
  }

  static std::string example_of(const Field& field) {
    if (!field.example.empty()) return std::string(field.example);
    return std::string(field.fallback);
  }

  bool expect(const YamlNode& node, YamlNode::Kind kind, const Field& field, const std::string& name) {
    if (node.kind == kind) return true;
    problems_.invalid(node.place, fmt::format("'{}' is {}, but must be {}; write for example {}: {}", name,
                                              kind_text(node.kind), kind_text(kind), field.name, example_of(field)));
    return false;
  }

  void check_nested_map(const YamlNode& node, const Field& field, const std::string& name) {
    if (node.kind == YamlNode::Kind::Scalar && !field.shorthand.empty()) {
      check_scalar(node, *find_field(field.fields, field.shorthand), name);
      return;
    }
    if (!expect(node, YamlNode::Kind::Map, field, name)) return;
    check_map(node, field.fields, name);
  }

  void check_map_list(const YamlNode& node, const Field& field, const std::string& name) {
    if (!expect(node, YamlNode::Kind::List, field, name)) return;
    if (node.items.empty() && field.fallback != "[]") {
      problems_.invalid(node.place, fmt::format("'{}' is an empty list; add an entry, for example - {}", name,
                                                field.fields.empty() ? field.example : element_example(field)));
    }
    for (const auto& item : node.items) {
      if (item.reported) continue;
      if (item.kind != YamlNode::Kind::Map) {
        problems_.invalid(item.place, fmt::format("an entry of '{}' is {}, but must be a map; write for example - {}",
                                                  name, kind_text(item.kind), map_for_entry(item, field)));
        continue;
      }
      check_map(item, field.fields, name);
      check_one_of_them(item, field, name);
    }
  }

  /// What a plain text in a list of maps was probably meant to be.
  static std::string map_for_entry(const YamlNode& item, const Field& field) {
    const bool short_text = item.kind == YamlNode::Kind::Scalar && item.text.size() < 60;
    if (!short_text || field.one_of_them.empty()) return std::string(element_example(field));
    return fmt::format("{}: {}", field.one_of_them.back(), shown(item.text));
  }

  static std::string_view element_example(const Field& field) {
    auto example = field.example;
    if (example.starts_with('[')) example = example.substr(1, example.size() - 2);
    return example;
  }

  void check_one_of_them(const YamlNode& map, const Field& field, const std::string& name) {
    const auto present = [&](std::string_view key) {
      const auto* entry = map.find(key);
      return entry != nullptr && entry->value.kind != YamlNode::Kind::Null;
    };
    if (field.one_of_them.empty() || std::any_of(field.one_of_them.begin(), field.one_of_them.end(), present)) return;
    problems_.invalid(map.place, fmt::format("an entry of '{}' has none of the keys: {}; add at least one, for example "
                                             "- {}",
                                             name, joined_words(field.one_of_them), element_example(field)));
  }

  void check_named_maps(const YamlNode& node, const Field& field, const std::string& name) {
    if (!expect(node, YamlNode::Kind::Map, field, name)) return;
    if (node.entries.empty()) {
      problems_.invalid(node.place, fmt::format("'{}' is empty; add an entry, for example {}", name, field.example));
    }
    for (const auto& entry : node.entries) {
      if (entry.value.reported) continue;
      if (field.check != nullptr) {
        if (const auto complaint = field.check(entry.key)) {
          problems_.invalid(entry.place, fmt::format("{}: name {} {}", name, shown(entry.key), *complaint));
        }
      }
      if (entry.value.kind != YamlNode::Kind::Map) {
        problems_.invalid(entry.place, fmt::format("'{}.{}' is {}, but must be a map; write for example {}", name,
                                                   entry.key, kind_text(entry.value.kind), field.example));
        continue;
      }
      check_map(entry.value, field.fields, name + "." + entry.key);
    }
  }

  void check_list(const YamlNode& node, const Field& field, const std::string& name) {
    if (!expect(node, YamlNode::Kind::List, field, name)) return;
    if (node.items.empty() && field.fallback != "[]") {
      problems_.invalid(node.place, fmt::format("'{}' is an empty list; add an entry, for example {}: {}", name,
                                                field.name, example_of(field)));
    }
    for (const auto& item : node.items) {
      if (!item.reported) check_scalar(item, field, name);
    }
  }

  void check_limit(const YamlNode& node, const Field& field, const std::string& name) {
    if (node.kind != YamlNode::Kind::List) {
      check_scalar(node, field, name);
      return;
    }
    std::size_t shares = 0, counts = 0;
    for (const auto& item : node.items) {
      if (item.reported) continue;
      check_scalar(item, field, name);
      if (const auto part = parse_limit(item.text)) ++(part->share ? shares : counts);
    }
    if (shares > 1 || counts > 1 || node.items.empty()) {
      problems_.invalid(node.place, fmt::format("'{}' must have one percentage and one number when it is a list; write "
                                                "for example {}: [10%, 5000]",
                                                name, field.name));
    }
  }

  void check_scalar(const YamlNode& node, const Field& field, const std::string& name) {
    if (node.reported || !expect(node, YamlNode::Kind::Scalar, field, name)) return;
    auto complaint = type_complaint(node, field, name);
    if (!complaint && field.check != nullptr) complaint = field.check(node.text);
    if (complaint) problems_.invalid(node.place, fmt::format("{} {} {}", name, shown(node.text), *complaint));
  }

  std::optional<std::string> type_complaint(const YamlNode& node, const Field& field, const std::string& name) {
    switch (field.type) {
      case FieldType::Integer:
        if (parse_count(node.text)) return std::nullopt;
        return fmt::format("is not a whole number; write digits only, for example {}", example_of(field));
      case FieldType::Flag:
        if (parse_flag(node.text)) return std::nullopt;
        return "is neither true nor false; write one of them";
      case FieldType::TimeSpan:
        if (parse_duration(node.text)) return std::nullopt;
        return fmt::format("is not a duration; write a number and a unit (ms, s, m, h, d), for example {}",
                           example_of(field));
      case FieldType::Bytes:
        if (parse_bytes(node.text)) return std::nullopt;
        return fmt::format("is not a size; write a number and a unit (kB, MB, GB, TB, KiB, MiB, GiB), for example {}",
                           example_of(field));
      case FieldType::Limit:
        if (parse_limit(node.text)) return std::nullopt;
        return fmt::format("is no limit; write a percentage, a number or a list of both, for example {}",
                           example_of(field));
      case FieldType::Choice:
      case FieldType::ChoiceList:
        return choice_complaint(node, field, name);
      default:
        return std::nullopt;
    }
  }

  std::optional<std::string> choice_complaint(const YamlNode& node, const Field& field, const std::string& name) {
    for (const auto& choice : field.choices) {
      if (choice.word != node.text) continue;
      if (choice.availability == Availability::Later) {
        problems_.later(node.place, fmt::format("{} '{}' is not in this version; write {}", name, choice.word,
                                                joined_words(words_now(field))));
      }
      return std::nullopt;
    }
    const auto near = nearest_word(node.text, words_now(field));
    if (near) return fmt::format("is not known; did you mean '{}'?", *near);
    return fmt::format("is not known; write one of: {}", joined_words(words_now(field)));
  }

  Problems& problems_;
};

}  // namespace

void check_fields(const YamlNode& map, const FieldTable& table, const std::string& path, Problems& problems) {
  FieldChecker(problems).check_map(map, table, path);
}

}  // namespace audiencesync
