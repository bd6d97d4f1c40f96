#include "emulator/query/sql_type.h"

#include "emulator/data/database.h"
#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

/// A part of a nested text: NULL is the word, and what could be taken for structure stands in quotes in maps.
std::string part_text(const std::string& value, const SqlType& type, int depth);

std::string lambda(int depth) { return "e" + std::to_string(depth); }

std::string nested_text(const std::string& value, const SqlType& type, int depth) {
  if (type.kind == SqlType::Kind::Struct) {
    std::string out = "'('";
    for (std::size_t i = 0; i < type.members.size(); ++i)
      out += (i == 0 ? " || " : " || ',' || ") +
             part_text("struct_extract(" + value + ", " + sql_text(type.members[i].first) + ")", type.members[i].second,
                       depth + 1);
    return out + " || ')'";
  }
  const std::string each = lambda(depth);
  if (type.kind == SqlType::Kind::List)
    return "'{' || coalesce(array_to_string(list_transform(" + value + ", lambda " + each + ": " +
           part_text(each, *type.element(), depth + 1) + "), ','), '') || '}'";
  // Of nothing, array_to_string makes NULL.
  return "'[' || coalesce(array_to_string(list_transform(map_entries(" + value + "), lambda " + each + ": " +
         part_text(each + ".key", type.members.front().second, depth + 1) + " || ' -> \"' || " +
         part_text(each + ".value", *type.element(), depth + 1) + " || '\"'), ','), '') || ']'";
}

std::string part_text(const std::string& value, const SqlType& type, int depth) {
  if (type.nested())
    return "CASE WHEN " + value + " IS NULL THEN 'null' ELSE " + nested_text(value, type, depth) + " END";
  return "coalesce(" + wire_text(value, type) + ", 'null')";
}

}  // namespace

const SqlType* SqlType::field(const std::string& name) const {
  if (kind != Kind::Struct) return nullptr;
  const std::string wanted = sql_lower(name);
  for (const auto& [known, type] : members)
    if (sql_lower(known) == wanted) return &type;
  return nullptr;
}

std::string wire_text(const std::string& value, const SqlType& type) {
  switch (type.kind) {
    case SqlType::Kind::Boolean:
      return "CASE WHEN " + value + " THEN 't' WHEN NOT " + value + " THEN 'f' END";
    case SqlType::Kind::Timestamp:
      return "CAST(CAST(" + value + " AS TIMESTAMP) AS VARCHAR)";
    case SqlType::Kind::Struct:
    case SqlType::Kind::Map:
    case SqlType::Kind::List:
      return "CASE WHEN " + value + " IS NOT NULL THEN " + nested_text(value, type, 0) + " END";
    default:
      return "CAST(" + value + " AS VARCHAR)";
  }
}

std::string json_text(const std::string& value, const SqlType& type) {
  if (!type.nested()) return wire_text(value, type);
  return "CAST(to_json(" + value + ") AS VARCHAR)";
}

}  // namespace emulator
