#include <fmt/format.h>

#include "engine/manifest/field_table.h"
#include "engine/manifest/scalar_values.h"

namespace audiencesync {
namespace {

Value schema_of_map(const FieldTable& table);

Value schema_of_scalar(const Field& field) {
  Value schema;
  switch (field.type) {
    case FieldType::Integer:
      schema["type"] = "integer";
      schema["minimum"] = 0;
      return schema;
    case FieldType::Flag:
      schema["type"] = "boolean";
      return schema;
    case FieldType::Choice:
    case FieldType::ChoiceList: {
      Value::Array words;
      for (const auto& choice : field.choices) {
        if (choice.availability == Availability::Now) words.emplace_back(choice.word);
      }
      schema["enum"] = std::move(words);
      return schema;
    }
    default:
      break;
  }
  schema["type"] = "string";
  if (field.type == FieldType::TimeSpan) schema["pattern"] = "^[0-9]+(ms|s|m|h|d)$";
  if (field.type == FieldType::Bytes) schema["pattern"] = "^[0-9]+([kKMGT]|[KMGT]i)?B$";
  if (!field.pattern.empty()) schema["pattern"] = field.pattern;
  return schema;
}

Value schema_of_list(Value items, std::int64_t least) {
  Value schema;
  schema["type"] = "array";
  schema["items"] = std::move(items);
  if (least > 0) schema["minItems"] = least;
  return schema;
}

Value schema_of_limit() {
  Value share;
  share["type"] = "string";
  share["pattern"] = "^([0-9]+([.][0-9]+)?%|[0-9]+)$";
  Value count;
  count["type"] = "integer";
  count["minimum"] = 0;
  Value both = schema_of_list(Value(), 1);
  both["items"]["anyOf"] = Value::Array{share, count};
  both["maxItems"] = 2;
  Value schema;
  schema["anyOf"] = Value::Array{share, count, both};
  return schema;
}

Value schema_of_elements(const Field& field) {
  Value map = schema_of_map(field.fields);
  if (!field.one_of_them.empty()) {
    Value::Array choices;
    for (const auto key : field.one_of_them) {
      Value choice;
      choice["required"] = Value::Array{Value(key)};
      choices.push_back(std::move(choice));
    }
    map["anyOf"] = std::move(choices);
  }
  return map;
}

Value schema_of_nested_map(const Field& field) {
  Value map = schema_of_map(field.fields);
  for (const auto& nested : field.fields) {
    if (nested.name != field.shorthand) continue;
    Value schema;
    schema["anyOf"] = Value::Array{schema_of_scalar(nested), std::move(map)};
    return schema;
  }
  return map;
}

Value schema_of_type(const Field& field) {
  switch (field.type) {
    case FieldType::Limit:
      return schema_of_limit();
    case FieldType::TextList:
    case FieldType::ChoiceList:
      return schema_of_list(schema_of_scalar(field), field.fallback == "[]" ? 0 : 1);
    case FieldType::Map:
      return schema_of_nested_map(field);
    case FieldType::MapList:
      return schema_of_list(schema_of_elements(field), field.fallback == "[]" ? 0 : 1);
    case FieldType::NamedMaps: {
      Value schema;
      schema["type"] = "object";
      schema["minProperties"] = 1;
      schema["additionalProperties"] = schema_of_map(field.fields);
      return schema;
    }
    default:
      return schema_of_scalar(field);
  }
}

/// The default in the type an editor would insert.
Value default_value(const Field& field) {
  if (field.fallback == "null") return nullptr;
  if (field.type == FieldType::Integer) {
    if (const auto count = parse_count(field.fallback)) return *count;
  }
  if (field.type == FieldType::Flag) {
    if (const auto flag = parse_flag(field.fallback)) return *flag;
  }
  return field.fallback;
}

/// `[realized, existing]` as an array; the lists of our tables have plain words only.
Value default_list(std::string_view fallback) {
  Value::Array words;
  std::string word;
  for (const char character : fallback) {
    if (character == '[' || character == ' ') continue;
    if (character != ',' && character != ']') {
      word += character;
    } else if (!word.empty()) {
      words.emplace_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

Value schema_of_field(const Field& field) {
  Value schema = schema_of_type(field);
  if (!field.help.empty()) schema["description"] = field.help;
  if (field.fallback.empty()) return schema;
  const bool list =
      field.type == FieldType::TextList || field.type == FieldType::ChoiceList || field.type == FieldType::MapList;
  schema["default"] = list ? default_list(field.fallback) : default_value(field);
  if (field.fallback != "null") return schema;
  // A key whose default is null may be written with it.
  Value nullable;
  nullable["default"] = nullptr;
  if (!field.help.empty()) nullable["description"] = field.help;
  schema.object_if()->erase("default");
  Value null_type;
  null_type["type"] = "null";
  nullable["anyOf"] = Value::Array{std::move(schema), std::move(null_type)};
  return nullable;
}

Value schema_of_map(const FieldTable& table) {
  Value schema;
  schema["type"] = "object";
  schema["additionalProperties"] = false;
  schema["properties"] = Value::Object{};
  Value::Array required;
  for (const auto& field : table) {
    if (field.availability == Availability::Later) continue;
    schema["properties"][field.name] = schema_of_field(field);
    if (field.presence == Presence::Required) required.emplace_back(field.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace

Value json_schema(std::string_view title, std::string_view description, const FieldTable& table) {
  Value schema = schema_of_map(table);
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = title;
  schema["description"] = description;
  return schema;
}

}  // namespace audiencesync
