#include <algorithm>
#include <functional>

#include "emulator/data/database.h"
#include "emulator/query/sql_casts.h"
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
      {"upper", {1, 1, "upper(replace($1, 'ß', 'SS'))"}},
      {"ucase", {1, 1, "upper(replace($1, 'ß', 'SS'))"}},
      {"trim", {1, 1, "trim($1)"}},
      {"translate", {3, 3, "translate($1, $2, $3)"}},
      {"chr", {1, 1, "CASE WHEN $1 < 0 THEN '' ELSE chr(CAST($1 AS INTEGER) % 256) END"}},
      {"char", {1, 1, "CASE WHEN $1 < 0 THEN '' ELSE chr(CAST($1 AS INTEGER) % 256) END"}},
      {"bit_length", {1, 1, "bit_length(CAST($1 AS VARCHAR))"}},
      {"octet_length", {1, 1, "octet_length(encode(CAST($1 AS VARCHAR)))"}},
      {"ltrim", {1, 1, "ltrim($1)"}},
      {"rtrim", {1, 1, "rtrim($1)"}},
      {"length", {1, 1, "length(CAST($1 AS VARCHAR))"}},
      {"char_length", {1, 1, "length(CAST($1 AS VARCHAR))"}},
      {"reverse", {1, 1, "reverse($1)"}},
      {"replace", {3, 3, "replace($1, $2, $3)"}},
      {"instr", {2, 2, "instr($1, $2)"}},
      {"startswith", {2, 2, "starts_with($1, $2)"}},
      {"endswith", {2, 2, "ends_with($1, $2)"}},
      {"contains", {2, 2, "contains($1, $2)"}},
      {"split", {2, 2, "string_split_regex($1, $2)"}},
      {"repeat", {2, 2, "repeat($1, $2)"}},
      {"ascii", {1, 1, "ascii($1)"}},
      {"string", {1, 1, "CAST($1 AS VARCHAR)"}},
      {"md5", {1, 1, "md5(CAST($1 AS VARCHAR))"}},
      {"sha1", {1, 1, "sha1(CAST($1 AS VARCHAR))"}},
      {"sha", {1, 1, "sha1(CAST($1 AS VARCHAR))"}},
      {"crc32", {1, 1, "spark_crc32(CAST($1 AS VARCHAR))"}},
      {"left", {2, 2, "left($1, greatest($2, 0))"}},
      {"right", {2, 2, "right($1, greatest($2, 0))"}},
      {"base64", {1, 1, "base64(encode(CAST($1 AS VARCHAR)))"}},
      {"locate", {2, 2, "instr($2, $1)"}},
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
      {"greatest", {2, kAny, "greatest($*)"}},
      {"least", {2, kAny, "least($*)"}},
      // numbers
      {"abs", {1, 1, "abs($1)"}},
      {"ceil", {1, 1, "CAST(ceil($1) AS BIGINT)"}},
      {"floor", {1, 1, "CAST(floor($1) AS BIGINT)"}},
      {"round", {1, 2, "round($*)"}},
      {"pmod",
       {2, 2,
        "CASE WHEN ($1) % nullif($2, 0) < 0 THEN (($1) % nullif($2, 0) + ($2)) % nullif($2, 0) "
        "ELSE ($1) % nullif($2, 0) END"}},
      {"mod", {2, 2, "(($1) % nullif($2, 0))"}},
      {"sqrt", {1, 1, "CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt($1) END"}},
      {"power", {2, 2, "power($1, $2)"}},
      // maps, arrays, JSON
      {"map_keys", {1, 1, "map_keys($1)"}},
      {"map_values", {1, 1, "map_values($1)"}},
      {"flatten", {1, 1, "flatten($1)"}},
      {"map_concat", {1, kAny, "map_concat($*)"}},
      {"array", {0, kAny, "[$*]"}},
      {"array_contains",
       {2, 2,
        "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL WHEN list_contains($1, $2) THEN true "
        "WHEN len(list_filter($1, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END"}},
      {"array_distinct", {1, 1, "list_filter($1, lambda e, i: list_position($1, e) = i)"}},
      {"array_sort", {1, 1, "list_sort($1, 'ASC', 'NULLS LAST')"}},
      {"get_json_object", {2, 2, "json_extract_string(TRY_CAST($1 AS JSON), $2)"}},
      // times
      {"date", {1, 1, "TRY_CAST($1 AS DATE)"}},
      {"date_add", {2, 2, "(CAST($1 AS DATE) + CAST($2 AS INTEGER))"}},
      {"date_sub", {2, 2, "(CAST($1 AS DATE) - CAST($2 AS INTEGER))"}},
      {"add_months", {2, 2, "CAST(CAST($1 AS DATE) + to_months(CAST($2 AS INTEGER)) AS DATE)"}},
      {"last_day", {1, 1, "last_day(CAST($1 AS DATE))"}},
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
      {"min", {1, 1, "min($1)"}},
      {"max", {1, 1, "max($1)"}},
      {"count_if", {1, 1, "count_if($1)"}},
      {"any_value", {1, 1, "first($1)"}},
      {"max_by", {2, 2, "max_by($1, $2)"}},
      {"min_by", {2, 2, "min_by($1, $2)"}},
      {"bool_and", {1, 1, "bool_and($1)"}},
      {"bool_or", {1, 1, "bool_or($1)"}},
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
      {"yyyy", "%Y"}, {"yy", "%y"}, {"MM", "%m"}, {"M", "%-m"},   {"MMM", "%b"}, {"MMMM", "%B"},
      {"dd", "%d"},   {"d", "%-d"}, {"E", "%a"},  {"EEEE", "%A"}, {"HH", "%H"},  {"H", "%-H"},
      {"hh", "%I"},   {"h", "%-I"}, {"a", "%p"},  {"mm", "%M"},   {"ss", "%S"},  {"SSS", "%g"}};
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
    out += ", " +
           (list ? "CASE WHEN len(list_filter(" + part.sql + ", lambda e: e IS NOT NULL)) > 0 THEN array_to_string(" +
                       part.sql + ", " + separator + ") END"
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
  const SqlType type = parser.type_of(call.arguments[0], scope);
  if (!type.nested() && type.kind != SqlType::Kind::Null && type.kind != SqlType::Kind::Other)
    throw SqlFailure("42804", "the function '" + call.name + "' needs a map or an array", call.begin);
  const bool map = type.kind == SqlType::Kind::Map;
  // -1 for NULL is Spark's way.
  return std::string("coalesce(CAST(") + (map ? "cardinality(" : "len(") + call.arguments[0].sql + ") AS INTEGER), -1)";
}

/// A pattern's text: only a literal is known before the statement runs.
std::string literal_of(const SqlCall& call, std::size_t i, const char* what) {
  const std::string& sql = call.arguments[i].sql;
  if (sql.size() < 2 || sql.front() != '\'' || sql.back() != '\'')
    not_supported(call, std::string("with ") + what + " that is no text");
  return call.arguments[i].name;
}

std::string replaced(const SqlCall& call) {
  if (call.arguments.size() != 3) wrong_arguments(call);
  // Java writes $1 for a group and \\ before what stands for itself.
  std::string by;
  const std::string given = literal_of(call, 2, "a replacement");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char next = i + 1 < given.size() ? given[i + 1] : '\0';
    if (given[i] == '$' && next >= '0' && next <= '9') {
      by += '\\';
    } else if (given[i] == '\\' && next != '\0') {
      by += given[++i] == '\\' ? std::string("\\\\") : std::string(1, given[i]);
    } else {
      by += given[i];
    }
  }
  return "regexp_replace(" + call.arguments[0].sql + ", " + call.arguments[1].sql + ", " + sql_text(by) + ", 'g')";
}

std::string extracted(const SqlCall& call) {
  if (call.arguments.size() < 2 || call.arguments.size() > 3) wrong_arguments(call);
  const std::string group = call.arguments.size() == 3 ? call.arguments[2].sql : "1";
  return "regexp_extract(" + call.arguments[0].sql + ", " + call.arguments[1].sql + ", " + group + ")";
}

std::string part_of(const SqlCall& call) {
  if (call.arguments.size() < 2 || call.arguments.size() > 3) wrong_arguments(call);
  const std::string& at = call.arguments[1].sql;
  std::string out =
      "substring(CAST(" + call.arguments[0].sql + " AS VARCHAR), CASE WHEN " + at + " = 0 THEN 1 ELSE " + at + " END";
  if (call.arguments.size() == 3) out += ", greatest(" + call.arguments[2].sql + ", 0)";
  return out + ")";
}

std::string padded(const SqlCall& call) {
  if (call.arguments.size() < 2 || call.arguments.size() > 3) wrong_arguments(call);
  return call.name + "(" + call.arguments[0].sql + ", " + call.arguments[1].sql + ", " +
         (call.arguments.size() == 3 ? call.arguments[2].sql : "' '") + ")";
}

/// Rising, with NULL first; falling, with NULL last.
std::string sorted(const SqlCall& call) {
  if (call.arguments.empty() || call.arguments.size() > 2) wrong_arguments(call);
  const std::string rising = call.arguments.size() == 2 ? sql_upper(call.arguments[1].sql) : "TRUE";
  if (rising != "TRUE" && rising != "FALSE") not_supported(call, "with an order that is neither true nor false");
  return "list_sort(" + call.arguments[0].sql +
         (rising == "TRUE" ? ", 'ASC', 'NULLS FIRST')" : ", 'DESC', 'NULLS LAST')");
}

std::string joined_array(const SqlCall& call) {
  if (call.arguments.size() < 2 || call.arguments.size() > 3) wrong_arguments(call);
  std::string list = call.arguments[0].sql;
  if (call.arguments.size() == 3)
    list = "list_transform(" + list + ", lambda e: coalesce(CAST(e AS VARCHAR), " + call.arguments[2].sql + "))";
  return "CASE WHEN " + list + " IS NOT NULL THEN coalesce(array_to_string(" + list + ", " + call.arguments[1].sql +
         "), '') END";
}

/// The text of a time as a time; with a pattern when there is one behind it.
std::string read_time(const SqlCall& call) {
  const std::string& text = call.arguments[0].sql;
  if (call.arguments.size() == 1) return "TRY_CAST(" + text + " AS TIMESTAMP)";
  return "try_strptime(CAST(" + text + " AS VARCHAR), " +
         sql_text(time_pattern(call, literal_of(call, 1, "a pattern"))) + ")";
}

std::string to_time(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.empty() || call.arguments.size() > 2) wrong_arguments(call);
  if (call.name != "to_date") return read_time(call);
  if (call.arguments.size() == 1) {
    const SqlType date{SqlType::Kind::Date, "DATE", {}};
    return spark_cast(call.arguments[0].sql, parser.type_of(call.arguments[0], scope), date);
  }
  return "CAST(" + read_time(call) + " AS DATE)";
}

std::string unix_time(SqlParser& parser, const SqlScope&, const SqlCall& call) {
  if (call.arguments.size() > 2) wrong_arguments(call);
  const std::string time =
      call.arguments.empty() ? "CAST(" + sql_text(parser.relations().now()) + " AS TIMESTAMP)" : read_time(call);
  return "CAST(floor(epoch(" + time + ")) AS BIGINT)";
}

std::string from_unix_time(const SqlCall& call) {
  if (call.arguments.empty() || call.arguments.size() > 2) wrong_arguments(call);
  const std::string pattern =
      call.arguments.size() == 2 ? time_pattern(call, literal_of(call, 1, "a pattern")) : "%Y-%m-%d %H:%M:%S";
  return "strftime(CAST(to_timestamp(" + call.arguments[0].sql + ") AS TIMESTAMP), " + sql_text(pattern) + ")";
}

std::string to_json(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.size() != 1) wrong_arguments(call);
  const SqlType type = parser.type_of(call.arguments[0], scope);
  if (!type.nested() && type.kind != SqlType::Kind::JsonText)
    not_supported(call, "for what is no struct, map or array");
  return spark_json(call.arguments[0].sql, type);
}

/// first(x, true) passes over NULL.
SqlExpression first_or_last(SqlParser&, const SqlScope&, const SqlCall& call) {
  if (call.arguments.empty() || call.arguments.size() > 2) wrong_arguments(call);
  const std::string over = call.arguments.size() == 2 ? sql_upper(call.arguments[1].sql) : "FALSE";
  if (over != "TRUE" && over != "FALSE") not_supported(call, "with a choice that is neither true nor false");
  SqlExpression made{call.name + "(" + call.arguments[0].sql + ")", {}, ""};
  if (over == "TRUE") made.only = "(" + call.arguments[0].sql + " IS NOT NULL)";
  return made;
}

SqlExpression collected(SqlParser&, const SqlScope&, const SqlCall& call) {
  if (call.arguments.size() != 1) wrong_arguments(call);
  const std::string& value = call.arguments[0].sql;
  return {std::string("list(") + (call.name == "collect_set" ? "DISTINCT " : "") + value + ")",
          {},
          "",
          "(" + value + " IS NOT NULL)",
          "[]"};
}

std::string average(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (call.arguments.size() != 1) wrong_arguments(call);
  const std::string& value = call.arguments[0].sql;
  // Of decimals it is a decimal, with four digits more.
  const SqlType type = value.starts_with("DISTINCT ") ? SqlType{} : parser.type_of(call.arguments[0], scope);
  const std::size_t comma = type.kind == SqlType::Kind::Decimal ? type.sql.find(',') : std::string::npos;
  if (comma == std::string::npos) return "avg(" + spark_number(value, type) + ")";
  not_supported(call, "for decimals; cast them to double");
}

/// The type that a text like 'a INT, b ARRAY<STRING>' or 'array<int>' names.
SqlType json_type(const SqlCall& call, const std::vector<SqlToken>& words, std::size_t& at);

SqlType json_fields(const SqlCall& call, const std::vector<SqlToken>& words, std::size_t& at) {
  SqlType record{SqlType::Kind::Struct, "STRUCT(", {}};
  do {
    if (!record.members.empty()) ++at;
    if (words[at].kind != SqlToken::Kind::Word && words[at].kind != SqlToken::Kind::Quoted)
      not_supported(call, "with '" + words[at].text + "' in its schema");
    const std::string name = words[at++].text;
    if (words[at].is_symbol(":")) ++at;
    const SqlType member = json_type(call, words, at);
    record.sql += (record.members.empty() ? "" : ", ") + sql_name(name) + " " + member.sql;
    record.members.emplace_back(name, member);
  } while (words[at].is_symbol(","));
  record.sql += ")";
  return record;
}

SqlType json_type(const SqlCall& call, const std::vector<SqlToken>& words, std::size_t& at) {
  static const std::map<std::string, const char*> kTypes{
      {"STRING", "VARCHAR"}, {"INT", "INTEGER"},        {"INTEGER", "INTEGER"}, {"BIGINT", "BIGINT"},
      {"LONG", "BIGINT"},    {"DOUBLE", "DOUBLE"},      {"FLOAT", "FLOAT"},     {"BOOLEAN", "BOOLEAN"},
      {"DATE", "DATE"},      {"TIMESTAMP", "TIMESTAMP"}};
  const SqlToken word = words[at++];
  const auto open = [&] {
    if (!words[at].is_symbol("<")) not_supported(call, "with '" + word.text + "' in its schema");
    ++at;
  };
  const auto close = [&] {
    if (!words[at].is_symbol(">")) not_supported(call, "with '" + words[at].text + "' in its schema");
    ++at;
  };
  if (word.is_word("ARRAY")) {
    open();
    const SqlType element = json_type(call, words, at);
    close();
    return {SqlType::Kind::List, element.sql + "[]", {{"element", element}}};
  }
  if (word.is_word("STRUCT")) {
    open();
    SqlType record = json_fields(call, words, at);
    close();
    return record;
  }
  const auto known = kTypes.find(sql_upper(word.text));
  if (word.kind != SqlToken::Kind::Word || known == kTypes.end())
    not_supported(call, "with '" + word.text + "' in its schema");
  return plain_type(known->second);
}

std::string table_exists(SqlParser& parser, const SqlScope&, const SqlCall& call) {
  if (call.arguments.size() != 1) wrong_arguments(call);
  return parser.relations().find(literal_of(call, 0, "a name"), {}) ? "TRUE" : "FALSE";
}

SqlExpression from_json(SqlParser&, const SqlScope&, const SqlCall& call) {
  if (call.arguments.size() != 2) wrong_arguments(call);
  const auto words = sql_tokens(literal_of(call, 1, "a schema"));
  std::size_t at = 0;
  const bool whole = words[0].is_word("ARRAY") || (words[0].is_word("STRUCT") && words[1].is_symbol("<"));
  const SqlType type = whole ? json_type(call, words, at) : json_fields(call, words, at);
  if (words[at].kind != SqlToken::Kind::End) not_supported(call, "with '" + words[at].text + "' in its schema");
  return {"json_transform(TRY_CAST(" + call.arguments[0].sql + " AS JSON), " + sql_text(json_structure(type)) + ")",
          type, ""};
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
      {"regexp_replace", plain(replaced)},
      {"regexp_extract", plain(extracted)},
      {"substring", plain(part_of)},
      {"substr", plain(part_of)},
      {"lpad", plain(padded)},
      {"rpad", plain(padded)},
      {"sort_array", plain(sorted)},
      {"array_join", plain(joined_array)},
      {"to_date", typed(to_time)},
      {"to_timestamp", typed(to_time)},
      {"unix_timestamp", typed(unix_time)},
      {"from_unixtime", plain(from_unix_time)},
      {"to_json", typed(to_json)},
      {"from_json", from_json},
      {"table_exists", typed(table_exists)},
      {"avg", typed(average)},
      {"first", first_or_last},
      {"last", first_or_last},
      {"collect_list", collected},
      {"collect_set", collected},
      {"map", plain(map_of)},
      {"struct", plain([](const SqlCall& call) { return record(call, false); })},
      {"named_struct", plain([](const SqlCall& call) { return record(call, true); })},
      {"now", clock("", "")},
      {"current_timestamp", clock("", "")},
      {"current_date", clock("CAST(", " AS DATE)")},
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

bool is_sql_function(const std::string& name) { return specials().contains(name) || patterns().contains(name); }

std::optional<SqlExpression> sql_call(SqlParser& parser, const SqlScope& scope, const SqlCall& call) {
  if (const auto special = specials().find(call.name); special != specials().end())
    return special->second(parser, scope, call);
  const auto pattern = patterns().find(call.name);
  if (pattern == patterns().end()) return std::nullopt;
  if (call.arguments.size() < pattern->second.least || call.arguments.size() > pattern->second.most)
    wrong_arguments(call);
  SqlExpression made{filled(pattern->second.text, call.arguments), {}, ""};
  static const std::set<std::string> kTexts{"lower",  "lcase", "upper",   "ucase",   "trim",
                                            "ltrim",  "rtrim", "reverse", "replace", "translate",
                                            "repeat", "md5",   "sha1",    "string",  "chr"};
  if (kTexts.contains(call.name)) made.type = plain_type("VARCHAR");
  if (call.name == "count" || call.name == "floor" || call.name == "ceil") made.type = plain_type("BIGINT");
  return made;
}

}  // namespace emulator
