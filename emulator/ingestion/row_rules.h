#pragma once

#include <simdjson.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/http/message.h"

namespace emulator {

/// What a schema says about one field, ready to check records fast.
struct FieldRule {
  enum class Kind { Any, Text, DateTime, Date, Integer, Number, Boolean, Object, Map, Array };
  Kind kind = Kind::Any;
  std::map<std::string, FieldRule, std::less<>> members;  // of an Object
  std::unique_ptr<FieldRule> element;                     // of a Map's values or an Array's items
  std::vector<std::string> required;                      // names of members

  static FieldRule from_schema(const Json& schema);
  /// The column type DuckDB stores the field as.
  std::string sql_type() const;
};

/// One reason why a record cannot be ingested.
struct RowProblem {
  std::string code;  // "1401" malformed or of the wrong type, "1555" a required value is missing
  std::string message;
};

/// The rules of one dataset's schema for whole records.
class RowRules {
 public:
  /// `schema` as resolved_schema() gives it.
  explicit RowRules(const Json& schema);

  struct Verdict {
    std::vector<RowProblem> problems;
    bool convert = false;  // holds a time as a number: convert() before it is stored
    std::string person;    // value of the primary identity, or of personID; may be empty
  };
  /// How a record came: Parquet has types of its own, so that there a text is never taken for a number.
  enum class Typed { Loosely, Exactly };
  /// Checks a record. Cost: one walk over it; no allocation for a good record but its person id.
  Verdict check(simdjson::dom::element record, Typed typed = Typed::Loosely) const;
  /// The record with times as text.
  Json convert(const Json& record) const;

  const FieldRule& root() const { return root_; }

 private:
  FieldRule root_;
  std::vector<std::string> identity_;  // path of the primary identity; empty when the schema has none
};

}  // namespace emulator
