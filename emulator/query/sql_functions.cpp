#include <algorithm>
#include <functional>

#include "emulator/data/database.h"
#include "emulator/query/sql_parser.h"

namespace emulator {
namespace {

constexpr std::size_t kAny = 1000;

/// A function whose translation is a pattern: $1 is the first argument, $* all of them.
struct Pattern {
  std::size_t least;
  std::size_t most;
  const char* text;
};

const std::map<std::string, Pattern>& patterns() {
  static const std::map<std::string, Pattern> kPatterns{
      // texts
      {"lower", {1, 1, "lower($1)"}},
      {"lcase", {1, 1, "lower($1)"}},
      {"upper", {1, 1, "upper($1)"}},
      {"ucase", {1, 1, "upper($1)"}},
      {"trim", {1, 1, "trim($1)"}},
      {"translate", {3, 3, "translate($1, $2, $3)"}},
      {"chr", {1, 1, "chr(CAST($1 AS INTEGER))"}},
      {"char", {1, 1, "chr(CAST($1 AS INTEGER))"}},
      {"bit_length", {1, 1, "bit_length(CAST($1 AS VARCHAR))"}},
      {"octet_length", {1, 1, "octet_length(encode(CAST($1 AS VARCHAR)))"}},
      {"ltrim", {1, 1, "ltrim($1)"}},
      {"rtrim", {1, 1, "rtrim($1)"}},
      {"length", {1, 1, "length($1)"}},
      {"char_length", {1, 1, "length($1)"}},
      {"reverse", {1, 1, "reverse($1)"}},
      {"substring", {2, 3, "substring($*)"}},
      {"substr", {2, 3, "substring($*)"}},
      {"replace", {3, 3, "replace($1, $2, $3)"}},
      {"instr", {2, 2, "instr($1, $2)"}},
      {"startswith", {2, 2, "starts_with($1, $2)"}},
      {"endswith", {2, 2, "ends_with($1, $2)"}},
      {"contains", {2, 2, "contains($1, $2)"}},
      {"split", {2, 2, "string_split_regex($1, $2)"}},
      {"regexp_replace", {3, 3, "regexp_replace($1, $2, $3, 'g')"}},
      {"repeat", {2, 2, "repeat($1, $2)"}},
      {"ascii", {1, 1, "ascii($1)"}},
      {"string", {1, 1, "CAST($1 AS VARCHAR)"}},
      {"md5", {1, 1, "md5(CAST($1 AS VARCHAR))"}},
      {"sha1", {1, 1, "sha1(CAST($1 AS VARCHAR))"}},
      {"sha", {1, 1, "sha1(CAST($1 AS VARCHAR))"}},
      {"uuid", {0, 0, "CAST(uuid() AS VARCHAR)"}},
      // choices
      {"coalesce", {1, kAny, "coalesce($*)"}},
      {"nvl", {2, 2, "coalesce($1, $2)"}},
      {"ifnull", {2, 2, "coalesce($1, $2)"}},
      {"nvl2", {3, 3, "CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END"}},
      {"nullif", {2, 2, "nullif($1, $2)"}},
      {"if", {3, 3, "CASE WHEN $1 THEN $2 ELSE $3 END"}},
      {"isnull", {1, 1, "($1 IS NULL)"}},
      {"isnotnull", {1, 1, "($1 IS NOT NULL)"}},
      // numbers
      {"abs", {1, 1, "abs($1)"}},
      {"ceil", {1, 1, "CAST(ceil($1) AS BIGINT)"}},
      {"floor", {1, 1, "CAST(floor($1) AS BIGINT)"}},
      {"round", {1, 2, "round($*)"}},
      {"pmod", {2, 2, "((($1) % nullif($2, 0) + ($2)) % nullif($2, 0))"}},
      {"mod", {2, 2, "(($1) % nullif($2, 0))"}},
      {"sqrt", {1, 1, "sqrt($1)"}},
      {"power", {2, 2, "power($1, $2)"}},
      // maps, arrays, JSON
      {"map_keys", {1, 1, "map_keys($1)"}},
      {"map_values", {1, 1, "map_values($1)"}},
      {"map_concat", {1, kAny, "map_concat($*)"}},
      {"array", {0, kAny, "[$*]"}},
      {"array_contains", {2, 2, "list_contains($1, $2)"}},
      {"array_distinct", {1, 1, "list_distinct($1)"}},
      {"array_join", {2, 2, "array_to_string($1, $2)"}},
      {"sort_array", {1, 1, "list_sort($1, 'ASC', 'NULLS FIRST')"}},
      {"array_sort", {1, 1, "list_sort($1, 'ASC', 'NULLS LAST')"}},
      {"to_json", {1, 1, "CAST(json_merge_patch(CAST('{}' AS JSON), to_json($1)) AS VARCHAR)"}},
      {"get_json_object", {2, 2, "json_extract_string(TRY_CAST($1 AS JSON), $2)"}},
      // times
      {"to_timestamp", {1, 1, "TRY_CAST($1 AS TIMESTAMP)"}},
      {"to_date", {1, 1, "TRY_CAST($1 AS DATE)"}},
      {"date", {1, 1, "TRY_CAST($1 AS DATE)"}},
      {"from_unixtime", {1, 1, "strftime(to_timestamp($1), '%Y-%m-%d %H:%M:%S')"}},
      {"date_add", {2, 2, "(CAST($1 AS DATE) + CAST($2 AS INTEGER))"}},
      {"date_sub", {2, 2, "(CAST($1 AS DATE) - CAST($2 AS INTEGER))"}},
      {"datediff", {2, 2, "date_diff('day', CAST($2 AS DATE), CAST($1 AS DATE))"}},
      {"date_trunc", {2, 2, "CAST(date_trunc($1, CAST($2 AS TIMESTAMP)) AS TIMESTAMP)"}},
      {"year", {1, 1, "year(CAST($1 AS TIMESTAMP))"}},
      {"month", {1, 1, "month(CAST($1 AS TIMESTAMP))"}},
      {"day", {1, 1, "day(CAST($1 AS TIMESTAMP))"}},
      {"hour", {1, 1, "hour(CAST($1 AS TIMESTAMP))"}},
      {"minute", {1, 1, "minute(CAST($1 AS TIMESTAMP))"}},
      {"second", {1, 1, "second(CAST($1 AS TIMESTAMP))"}},
      // aggregates and windows
      {"count", {1, 1, "count($1)"}},
      {"sum", {1, 1, "sum($1)"}},
      {"avg", {1, 1, "avg($1)"}},
      {"min", {1, 1, "min($1)"}},
      {"max", {1, 1, "max($1)"}},
      {"count_if", {1, 1, "count_if($1)"}},
      {"first", {1, 1, "first($1)"}},
      {"last", {1, 1, "last($1)"}},
      {"any_value", {1, 1, "first($1)"}},
      {"max_by", {2, 2, "max_by($1, $2)"}},
      {"min_by", {2, 2, "min_by($1, $2)"}},
      {"bool_and", {1, 1, "bool_and($1)"}},
      {"bool_or", {1, 1, "bool_or($1)"}},
      {"collect_list", {1, 1, "list_filter(list($1), lambda e: e IS NOT NULL)"}},
      {"collect_set", {1, 1, "list_distinct(list($1))"}},
      {"row_number", {0, 0, "row_number()"}},
      {"rank", {0, 0, "rank()"}},
      {"dense_rank", {0, 0, "dense_rank()"}},
      {"lag", {1, 3, "lag($*)"}},
      {"lead", {1, 3, "lead($*)"}},
      {"first_value", {1, 1, "first_value($1)"}},
      {"last_value", {1, 1, "last_value($1)"}}};
  return kPatterns;
}

std::string filled(const char* text, const std::vector<SqlExpression>& arguments) {
  std::string out;
  for (const char* c = text; *c != '\0'; ++c) {
    if (*c != '$') {
      out += *c;
    } else if (*++c == '*') {
      for (std::size_t i = 0; i < arguments.size(); ++i) out += (i == 0 ? "" : ", ") + arguments[i].sql;
    } else {
      out += arguments[static_cast<std::size_t>(*c - '1')].sql;
    }
  }
  return out;
}

[[noreturn]] void wrong_arguments(const SqlCall& call) {
  throw SqlFailure(
      "42601", "the function '" + call.name + "' does not take " + std::to_string(call.arguments.size()) + " arguments",
      call.begin);
}

[[noreturn]] void not_supported(const SqlCall& call, const std::string& what) {
  throw SqlFailure("0A000", "the function '" + call.name + "' is not supported " + what, call.begin);
}

std::string quoted_value(const SqlExpression& argument) {
  const std::string& sql = argument.sql;
  return sql.size() >= 2 && sql.front() == '\'' && sql.back() == '\'' ? argument.name : "";
}

/// A Java pattern of the kinds people write, as strftime has it.
std::string time_pattern(const SqlCall& call, const std::string& java) {
  static const std::vector<std::pair<std::string, const char*>> kFields{
      {"yyyy", "%Y"}, {"MM", "%m"}, {"dd", "%d"}, {"HH", "%H"}, {"mm", "%M"}, {"ss", "%S"}, {"SSS", "%g"}};
  std::string out;
  for (std::size_t i = 0; i < java.size();) {
    const char c = java[i];
    if (c == '\'') {
      const std::size_t close = java.find('\'', i + 1);
      if (close == std::string::npos) not_supported(call, "with the pattern '" + java + "'");
      out += java.substr(i + 1, close - i - 1);
      i = close + 1;
      continue;
    }
    std::size_t end = i;
    while (end < java.size() && java[end] == c) ++end;
    const std::string field = java.substr(i, end - i);
    const auto known =
        std::find_if(kFields.begin(), kFields.end(), [&](const auto& one) { return one.first == field; });
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (known != kFields.end())
      out += known->second;
    else if (letter)
      not_supported(call, "with '" + field + "' in its pattern");
    else
      out += c == '%' ? std::string(2 * field.size(), '%') : field;
    i = end;
  }
  return out;
}

std::string concatenated(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.empty()) return "''";
  const bool lists = parser.type_of(call.arguments.front(), scope).kind == SqlType::Kind::List;
  std::string out;
  for (const SqlExpression& argument : call.arguments)
    out += (out.empty() ? "" : " || ") + (lists ? argument.sql : "CAST(" + argument.sql + " AS VARCHAR)");
  return "(" + out + ")";
}

/// Arrays among the parts are joined by the same separator.
std::string joined(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.empty()) wrong_arguments(call);
  const std::string& separator = call.arguments.front().sql;
  std::string out = "concat_ws(" + separator;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    const SqlExpression& part = call.arguments[i];
    const bool list = parser.type_of(part, scope).kind == SqlType::Kind::List;
    // An empty array adds nothing, not even a separator.
    out += ", " + (list ? "nullif(array_to_string(" + part.sql + ", " + separator + "), '')"
                        : "CAST(" + part.sql + " AS VARCHAR)");
  }
  if (call.arguments.size() == 1) out += ", NULL";
  return out + ")";
}

std::string spark_hash(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.empty()) wrong_arguments(call);
  std::string hash = "42";
  for (const SqlExpression& argument : call.arguments) {
    const SqlType type = parser.type_of(argument, scope);
    switch (type.kind) {
      case SqlType::Kind::Text:
      case SqlType::Kind::Null:
        hash = "spark_hash_text(" + argument.sql + ", " + hash + ")";
        break;
      case SqlType::Kind::Boolean:
      case SqlType::Kind::Integer:
        hash = "spark_hash_int(CAST(" + argument.sql + " AS INTEGER), " + hash + ")";
        break;
      case SqlType::Kind::Long:
        hash = "spark_hash_long(" + argument.sql + ", " + hash + ")";
        break;
      default:
        not_supported(call, "for values of the type " + (type.sql.empty() ? "unknown" : type.sql));
    }
  }
  return hash;
}

std::string record(const SqlCall& call, bool named) {
  std::string out;
  const auto add = [&](const std::string& name, const std::string& value) {
    out += (out.empty() ? "" : ", ") + sql_name(name) + " := " + value;
  };
  if (named) {
    if (call.arguments.empty() || call.arguments.size() % 2 != 0) wrong_arguments(call);
    for (std::size_t i = 0; i < call.arguments.size(); i += 2) {
      const std::string name = quoted_value(call.arguments[i]);
      if (name.empty()) not_supported(call, "with a name that is no text");
      add(name, call.arguments[i + 1].sql);
    }
  } else {
    if (call.arguments.empty()) wrong_arguments(call);
    for (std::size_t i = 0; i < call.arguments.size(); ++i)
      add(call.names[i].empty() ? "col" + std::to_string(i + 1) : call.names[i], call.arguments[i].sql);
  }
  return "struct_pack(" + out + ")";
}

SqlExpression element_at(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.size() != 2) wrong_arguments(call);
  const SqlType type = parser.type_of(call.arguments[0], scope);
  std::optional<SqlType> element;
  if (type.element() != nullptr) element = *type.element();
  const char* function = type.kind == SqlType::Kind::Map ? "map_extract_value(" : "list_extract(";
  return {function + call.arguments[0].sql + ", " + call.arguments[1].sql + ")", element, ""};
}

std::string size(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.size() != 1) wrong_arguments(call);
  const bool map = parser.type_of(call.arguments[0], scope).kind == SqlType::Kind::Map;
  // -1 for NULL is Spark's way.
  return std::string("coalesce(CAST(") + (map ? "cardinality(" : "len(") + call.arguments[0].sql + ") AS INTEGER), -1)";
}

std::string sha2(const SqlCall& call) {
  if (call.arguments.size() != 2) wrong_arguments(call);
  const std::string& bits = call.arguments[1].sql;
  if (bits != "256" && bits != "0") not_supported(call, "with " + bits + " bits; write 256");
  return "sha256(CAST(" + call.arguments[0].sql + " AS VARCHAR))";
}

std::string map_of(const SqlCall& call) {
  if (call.arguments.size() % 2 != 0) wrong_arguments(call);
  std::string keys;
  std::string values;
  for (std::size_t i = 0; i < call.arguments.size(); i += 2) {
    keys += (i == 0 ? "" : ", ") + call.arguments[i].sql;
    values += (i == 0 ? "" : ", ") + call.arguments[i + 1].sql;
  }
  return "map([" + keys + "], [" + values + "])";
}

using Special = std::function<SqlExpression(SqlParser&, const SqlScope&, const SqlCall&)>;

const std::map<std::string, Special>& specials() {
  static const auto plain = [](auto function) {
    return [function](SqlParser&, const SqlScope&, const SqlCall& call) {
      return SqlExpression{function(call), {}, ""};
    };
  };
  static const auto typed = [](auto function) {
    return [function](SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
      return SqlExpression{function(parser, scope, call), {}, ""};
    };
  };
  static const auto clock = [](const char* before, const char* after) {
    return [before, after](SqlParser& parser, const SqlScope&, const SqlCall& call) {
      if (!call.arguments.empty()) wrong_arguments(call);
      return SqlExpression{before + ("CAST(" + sql_text(parser.relations().now()) + " AS TIMESTAMP)") + after, {}, ""};
    };
  };
  static const std::map<std::string, Special> kSpecials{
      {"concat", typed(concatenated)},
      {"concat_ws", typed(joined)},
      {"hash", typed(spark_hash)},
      {"size", typed(size)},
      {"cardinality", typed(size)},
      {"element_at", element_at},
      {"sha2", plain(sha2)},
      {"map", plain(map_of)},
      {"struct", plain([](const SqlCall& call) { return record(call, false); })},
      {"named_struct", plain([](const SqlCall& call) { return record(call, true); })},
      {"now", clock("", "")},
      {"current_timestamp", clock("", "")},
      {"current_date", clock("CAST(", " AS DATE)")},
      {"unix_timestamp",
       [](SqlParser& parser, const SqlScope&, const SqlCall& call) {
         if (call.arguments.size() > 1) wrong_arguments(call);
         const std::string time = call.arguments.empty() ? sql_text(parser.relations().now()) : call.arguments[0].sql;
         return SqlExpression{"CAST(epoch(TRY_CAST(" + time + " AS TIMESTAMP)) AS BIGINT)", {}, ""};
       }},
      {"date_format", [](SqlParser&, const SqlScope&, const SqlCall& call) {
         if (call.arguments.size() != 2) wrong_arguments(call);
         const std::string pattern = quoted_value(call.arguments[1]);
         if (pattern.empty()) not_supported(call, "with a pattern that is no text");
         return SqlExpression{"strftime(TRY_CAST(" + call.arguments[0].sql + " AS TIMESTAMP), " +
                                  sql_text(time_pattern(call, pattern)) + ")",
                              {},
                              ""};
       }}};
  return kSpecials;
}

}  // namespace

bool is_sql_aggregate(const std::string& name) {
  static const std::set<std::string> kAggregates{
      "count",     "sum",        "avg",    "min",      "max",         "count_if",     "first",       "last",
      "any_value", "max_by",     "min_by", "bool_and", "bool_or",     "collect_list", "collect_set", "row_number",
      "rank",      "dense_rank", "lag",    "lead",     "first_value", "last_value"};
  return kAggregates.contains(name);
}

std::optional<SqlExpression> sql_call(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (const auto special = specials().find(call.name); special != specials().end())
    return special->second(parser, scope, call);
  const auto pattern = patterns().find(call.name);
  if (pattern == patterns().end()) return std::nullopt;
  if (call.arguments.size() < pattern->second.least || call.arguments.size() > pattern->second.most)
    wrong_arguments(call);
  return SqlExpression{filled(pattern->second.text, call.arguments), {}, ""};
}

}  // namespace emulator
