#include "emulator/query/sql_casts.h"

#include <map>
#include <nlohmann/json.hpp>

#include "emulator/data/database.h"

namespace emulator {
namespace {

using Type = SqlType::Kind;

std::string json_of(const std::string& value, const SqlType& type, int depth);

std::string or_null(const std::string& value, const SqlType& type, int depth) {
  return "coalesce(" + json_of(value, type, depth) + ", 'null')";
}

/// NULL when `value` is.
std::string json_of(const std::string& value, const SqlType& type, int depth) {
  const std::string each = "j" + std::to_string(depth);
  switch (type.kind) {
    case Type::Struct: {
      std::string fields;
      for (const auto& [name, member] : type.members) {
        const std::string field = "struct_extract(" + value + ", " + sql_text(name) + ")";
        // Of NULL the whole is NULL, and concat_ws leaves that out.
        fields += ", " + sql_text(nlohmann::json(name).dump() + ":") + " || " + json_of(field, member, depth + 1);
      }
      return "CASE WHEN " + value + " IS NOT NULL THEN '{' || concat_ws(','" + fields + ") || '}' END";
    }
    case Type::List:
      return "CASE WHEN " + value + " IS NOT NULL THEN '[' || coalesce(array_to_string(list_transform(" + value +
             ", lambda " + each + ": " + or_null(each, *type.element(), depth + 1) + "), ','), '') || ']' END";
    case Type::Map:
      return "CASE WHEN " + value + " IS NOT NULL THEN '{' || coalesce(array_to_string(list_transform(map_entries(" +
             value + "), lambda " + each + ": CAST(to_json(CAST(" + each + ".key AS VARCHAR)) AS VARCHAR) || ':' || " +
             or_null(each + ".value", *type.element(), depth + 1) + "), ','), '') || '}' END";
    case Type::Timestamp:
      return "strftime(CAST(" + value + " AS TIMESTAMP), '\"%Y-%m-%dT%H:%M:%S.%gZ\"')";
    default:
      return "CAST(to_json(" + value + ") AS VARCHAR)";
  }
}

bool is_whole(const SqlType& type) {
  return type.kind == Type::Integer || type.kind == Type::Long || type.sql == "SMALLINT" || type.sql == "TINYINT";
}

}  // namespace

SqlType plain_type(const std::string& sql) {
  static const std::map<std::string, Type> kKinds{
      {"VARCHAR", Type::Text}, {"INTEGER", Type::Integer}, {"SMALLINT", Type::Integer},   {"TINYINT", Type::Integer},
      {"BIGINT", Type::Long},  {"DOUBLE", Type::Double},   {"FLOAT", Type::Double},       {"BOOLEAN", Type::Boolean},
      {"DATE", Type::Date},    {"BLOB", Type::Binary},     {"TIMESTAMP", Type::Timestamp}};
  const auto known = kKinds.find(sql);
  if (known != kKinds.end()) return {known->second, sql, {}};
  return {sql.starts_with("DECIMAL") ? Type::Decimal : Type::Other, sql, {}};
}

bool is_number(const SqlType& type) {
  return type.kind == Type::Integer || type.kind == Type::Long || type.kind == Type::Double ||
         type.kind == Type::Decimal;
}

std::string spark_cast(const std::string& value, const SqlType& from, const SqlType& to) {
  const std::string plain = "TRY_CAST(" + value + " AS " + to.sql + ")";
  if (is_whole(to) && from.kind == Type::Text)
    // Digits, and a fraction that is cut off; no exponent.
    return "CASE WHEN regexp_full_match(" + value + ", '\\s*[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)\\s*') THEN TRY_CAST(" +
           "regexp_replace(split_part(trim(" + value + "), '.', 1), '^([+-]?)$', '\\10') AS " + to.sql + ") END";
  if (is_whole(to) && (from.kind == Type::Double || from.kind == Type::Decimal))
    return "CAST(trunc(" + value + ") AS " + to.sql + ")";
  if (is_whole(to) && is_number(from)) return "CAST(" + value + " AS " + to.sql + ")";
  if (is_whole(to) && from.kind == Type::Timestamp) return "TRY_CAST(floor(epoch(" + value + ")) AS " + to.sql + ")";
  if (to.kind == Type::Date && from.kind == Type::Text)  // a year, or a year and a month, are their first day
    return "coalesce(" + plain + ", TRY_CAST(" + value + " || '-01' AS DATE), TRY_CAST(" + value +
           " || '-01-01' AS DATE))";
  if (to.kind == Type::Timestamp && is_number(from)) return "CAST(to_timestamp(" + value + ") AS TIMESTAMP)";
  return plain;
}

std::string spark_json(const std::string& value, const SqlType& type) { return json_of(value, type, 0); }

std::string json_structure(const SqlType& type) {
  if (type.kind == Type::List) return "[" + json_structure(*type.element()) + "]";
  if (type.kind == Type::Struct) {
    std::string out;
    for (const auto& [name, member] : type.members)
      out += (out.empty() ? "{" : ", ") + nlohmann::json(name).dump() + ": " + json_structure(member);
    return out + "}";
  }
  return nlohmann::json(type.sql).dump();
}

std::string spark_number(const std::string& value, const SqlType& type) {
  return type.kind == Type::Text ? "TRY_CAST(" + value + " AS DOUBLE)" : value;
}

}  // namespace emulator
