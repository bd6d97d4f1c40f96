#pragma once

#include <string>
#include <utility>
#include <vector>

namespace emulator {

/// The type of a column or an expression, as deep as paths reach into it.
struct SqlType {
  enum class Kind {
    Null,
    Text,
    Boolean,
    Integer,
    Long,
    Double,
    Decimal,
    Date,
    Timestamp,
    Binary,
    JsonText,
    Struct,
    Map,
    List,
    Other
  };
  Kind kind = Kind::Other;
  std::string sql;  // how DuckDB writes it
  /// Struct: its fields. Map: "key" and "value". List: "element".
  std::vector<std::pair<std::string, SqlType>> members;

  bool nested() const { return kind == Kind::Struct || kind == Kind::Map || kind == Kind::List; }
  /// A field of a struct by its name, without case; null when there is none.
  const SqlType* field(const std::string& name) const;
  /// The type of the values of a map or of the elements of a list; null for anything else.
  const SqlType* element() const { return kind == Kind::Map || kind == Kind::List ? &members.back().second : nullptr; }
};

struct SqlColumn {
  std::string name;
  SqlType type;
};

/// SQL over `value` (of that type) that gives the text which the platform's server sends: booleans t and f, times in
/// UTC without a zone, a struct (a,b), a list {a,b}, a map [k -> "v"]. NULL stays NULL at the top.
std::string wire_text(const std::string& value, const SqlType& type);
/// The same as JSON text for nested types: what `SET auto_to_json=true` gives.
std::string json_text(const std::string& value, const SqlType& type);

}  // namespace emulator
