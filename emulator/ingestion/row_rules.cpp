#include "emulator/ingestion/row_rules.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "emulator/data/database.h"
#include "emulator/state/clock.h"

namespace emulator {
namespace {

using Kind = FieldRule::Kind;
using Type = simdjson::dom::element_type;
using Verdict = RowRules::Verdict;

constexpr const char* kMalformed = "1401";
constexpr const char* kMissing = "1555";

bool digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return false;
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(at + count),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_date(std::string_view text) {
  return text.size() >= 10 && digits_at(text, 0, 4) && text[4] == '-' && digits_at(text, 5, 2) && text[7] == '-' &&
         digits_at(text, 8, 2);
}

/// yyyy-MM-dd'T'HH:mm:ss[.fff](Z|+HH:mm); a blank instead of the T, and no zone, as a Parquet upload turned to text has
/// it.
bool is_date_time(std::string_view text) {
  if (!is_date(text) || text.size() < 19 || (text[10] != 'T' && text[10] != ' ')) return false;
  if (!digits_at(text, 11, 2) || text[13] != ':' || !digits_at(text, 14, 2) || text[16] != ':' ||
      !digits_at(text, 17, 2))
    return false;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    const std::size_t begin = ++at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
    if (at == begin) return false;
  }
  if (at == text.size()) return text[10] == ' ';
  if (text[at] == 'Z') return at + 1 == text.size();
  return (text[at] == '+' || text[at] == '-') && digits_at(text, at + 1, 2) && text.size() >= at + 6 &&
         text[at + 3] == ':' && digits_at(text, at + 4, 2) && text.size() == at + 6;
}

template <typename Number>
bool parses_as(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

const char* spoken(Type type) {
  switch (type) {
    case Type::ARRAY:
      return "array";
    case Type::OBJECT:
      return "object";
    case Type::INT64:
    case Type::UINT64:
      return "integer";
    case Type::DOUBLE:
      return "number";
    case Type::STRING:
      return "string";
    case Type::BOOL:
      return "boolean";
    case Type::NULL_VALUE:
      return "null";
  }
  return "value";
}

const char* spoken(Kind kind) {
  switch (kind) {
    case Kind::Any:
      return "value";
    case Kind::Text:
      return "string";
    case Kind::DateTime:
      return "date-time";
    case Kind::Date:
      return "date";
    case Kind::Integer:
      return "integer";
    case Kind::Number:
      return "number";
    case Kind::Boolean:
      return "boolean";
    case Kind::Object:
    case Kind::Map:
      return "object";
    case Kind::Array:
      return "array";
  }
  return "value";
}

/// Walks one record. The path is only spelled out for problems.
struct Walk {
  Verdict& verdict;
  std::vector<std::string_view> path;
  bool exactly = false;

  std::string where() const {
    std::string out;
    for (const std::string_view part : path) out.append("/").append(part);
    return out.empty() ? "/" : out;
  }

  void problem(const char* code, const std::string& message) { verdict.problems.push_back({code, message}); }

  void wrong(Kind kind, Type type) {
    problem(kMalformed, "The field " + where() + " must be of type " + spoken(kind) + ", not " + spoken(type));
  }

  void scalar(const FieldRule& rule, simdjson::dom::element value) {
    const Type type = value.type();
    std::string_view text;
    if (type == Type::STRING) text = value.get_string().value_unsafe();
    bool good = false;
    switch (rule.kind) {
      case Kind::Text:
        good = type == Type::STRING && text.find('\0') == std::string_view::npos;
        break;
      case Kind::Boolean:
        good = type == Type::BOOL;
        break;
      case Kind::Integer:
        good = type == Type::INT64 || (!exactly && type == Type::STRING && parses_as<std::int64_t>(text));
        break;
      case Kind::Number:
        good = type == Type::INT64 || type == Type::UINT64 || type == Type::DOUBLE ||
               (!exactly && type == Type::STRING && parses_as<double>(text));
        break;
      case Kind::Date:
        good = type == Type::STRING && text.size() == 10 && is_date(text);
        break;
      case Kind::DateTime:
        good = type == Type::INT64 || (type == Type::STRING && is_date_time(text));
        if (type == Type::INT64) verdict.convert = true;
        break;
      default:
        good = true;
    }
    if (!good) wrong(rule.kind, type);
  }

  void check(const FieldRule& rule, simdjson::dom::element value) {
    const Type type = value.type();
    if (type == Type::NULL_VALUE) return;  // the same as absent; required members are looked for in their object
    switch (rule.kind) {
      case Kind::Object:
        if (type != Type::OBJECT) return wrong(rule.kind, type);
        return object(rule, value.get_object().value_unsafe());
      case Kind::Map:
        if (type != Type::OBJECT) return wrong(rule.kind, type);
        return map(rule, value.get_object().value_unsafe());
      case Kind::Array:
        if (type != Type::ARRAY) return wrong(rule.kind, type);
        return array(rule, value.get_array().value_unsafe());
      default:
        return scalar(rule, value);
    }
  }

  // Containers come by value: what simdjson hands out of a result lives no longer than the expression.
  void map(const FieldRule& rule, simdjson::dom::object value) {
    if (!rule.element) return;
    for (const auto [key, member] : value) {
      path.push_back(key);
      check(*rule.element, member);
      path.pop_back();
    }
  }

  void array(const FieldRule& rule, simdjson::dom::array value) {
    if (!rule.element) return;
    path.emplace_back("items");
    for (const simdjson::dom::element item : value) check(*rule.element, item);
    path.pop_back();
  }

  void object(const FieldRule& rule, simdjson::dom::object value) {
    for (const auto [key, member] : value) {
      path.push_back(key);
      const auto known = rule.members.find(key);
      if (known != rule.members.end()) {
        check(known->second, member);
      } else if (!rule.members.empty()) {
        problem(kMalformed, "The field " + where() + " is not in the schema");
      }
      path.pop_back();
    }
    for (const std::string& name : rule.required) {
      simdjson::dom::element member;
      if (value.at_key(name).get(member) == simdjson::SUCCESS && !member.is_null()) continue;
      path.push_back(name);
      problem(kMissing, "The required field " + where() + " is missing");
      path.pop_back();
    }
  }
};

std::string_view text_at(simdjson::dom::element record, const std::vector<std::string>& path) {
  simdjson::dom::element at = record;
  for (const std::string& name : path)
    if (at.at_key(name).get(at) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (at.get_string().get(text) != simdjson::SUCCESS) return {};
  return text;
}

void times_to_text(const FieldRule& rule, Json& value) {
  if (rule.kind == Kind::DateTime && value.is_number_integer()) {
    value = iso8601(value.get<std::int64_t>());
  } else if (rule.kind == Kind::Object && value.is_object()) {
    for (auto& [name, member] : value.items())
      if (const auto known = rule.members.find(name); known != rule.members.end()) times_to_text(known->second, member);
  } else if ((rule.kind == Kind::Map || rule.kind == Kind::Array) && rule.element && value.is_structured()) {
    for (Json& member : value) times_to_text(*rule.element, member);
  }
}

std::vector<std::string> slash_path(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = text.starts_with('/') ? 1 : 0; begin <= text.size() && !text.empty();) {
    const std::size_t slash = text.find('/', begin);
    parts.push_back(text.substr(begin, slash == std::string::npos ? slash : slash - begin));
    if (slash == std::string::npos) break;
    begin = slash + 1;
  }
  return parts;
}

}  // namespace

FieldRule FieldRule::from_schema(const Json& schema) {
  FieldRule rule;
  std::string type;
  if (schema.contains("type") && schema["type"].is_string()) type = schema["type"];
  const std::string format = schema.value("format", "");
  const bool has_values = schema.contains("additionalProperties") && schema["additionalProperties"].is_object();
  if (schema.contains("properties") && schema["properties"].is_object() && !schema["properties"].empty()) {
    rule.kind = Kind::Object;
    for (const auto& [name, member] : schema["properties"].items()) rule.members.emplace(name, from_schema(member));
    if (schema.contains("required") && schema["required"].is_array())
      for (const Json& name : schema["required"]) rule.required.push_back(name);
  } else if (has_values) {
    rule.kind = Kind::Map;
    rule.element = std::make_unique<FieldRule>(from_schema(schema["additionalProperties"]));
  } else if (type == "array") {
    rule.kind = Kind::Array;
    if (schema.contains("items")) rule.element = std::make_unique<FieldRule>(from_schema(schema["items"]));
  } else if (type == "string") {
    rule.kind = format == "date-time" ? Kind::DateTime : (format == "date" ? Kind::Date : Kind::Text);
  } else if (type == "integer") {
    rule.kind = Kind::Integer;
  } else if (type == "number") {
    rule.kind = Kind::Number;
  } else if (type == "boolean") {
    rule.kind = Kind::Boolean;
  }
  return rule;
}

std::string FieldRule::sql_type() const {
  switch (kind) {
    case Kind::Any:
      return "JSON";
    case Kind::Text:
      return "VARCHAR";
    case Kind::DateTime:
      return "TIMESTAMP";
    case Kind::Date:
      return "DATE";
    case Kind::Integer:
      return "BIGINT";
    case Kind::Number:
      return "DOUBLE";
    case Kind::Boolean:
      return "BOOLEAN";
    case Kind::Map:
      return "MAP(VARCHAR, " + (element ? element->sql_type() : std::string("JSON")) + ")";
    case Kind::Array:
      return (element ? element->sql_type() : std::string("JSON")) + "[]";
    case Kind::Object:
      break;
  }
  std::string out;
  for (const auto& [name, member] : members)
    out += (out.empty() ? "" : ", ") + sql_name(name) + " " + member.sql_type();
  return "STRUCT(" + out + ")";
}

RowRules::RowRules(const Json& schema) : root_(FieldRule::from_schema(schema)) {
  root_.kind = Kind::Object;
  if (schema.contains("primaryIdentity") && schema["primaryIdentity"].is_string())
    identity_ = slash_path(schema["primaryIdentity"]);
  // The record's own id is compulsory whatever the schema repeats; a primary identity has a check of its own.
  std::erase(root_.required, "_id");
  if (identity_.size() == 1) std::erase(root_.required, identity_.front());
}

RowRules::Verdict RowRules::check(simdjson::dom::element record, Typed typed) const {
  Verdict verdict;
  Walk walk{verdict, {}, typed == Typed::Exactly};
  if (record.type() != Type::OBJECT) {
    walk.wrong(Kind::Object, record.type());
    return verdict;
  }
  walk.object(root_, record.get_object().value_unsafe());
  if (root_.members.contains("_id") && text_at(record, {"_id"}).empty())
    walk.problem(kMissing, "The required field /_id is missing or empty");
  static const std::vector<std::string> kPerson{"personID"};
  verdict.person = text_at(record, identity_.empty() ? kPerson : identity_);
  if (!identity_.empty() && verdict.person.empty()) {
    std::string path;
    for (const std::string& part : identity_) path += "/" + part;
    walk.problem(kMissing, "The primary identity " + path + " is missing or empty");
  }
  return verdict;
}

Json RowRules::convert(const Json& record) const {
  Json converted = record;
  times_to_text(root_, converted);
  return converted;
}

}  // namespace emulator
