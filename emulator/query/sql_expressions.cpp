#include <algorithm>

#include "emulator/data/database.h"
#include "emulator/query/sql_casts.h"
#include "emulator/query/sql_parser.h"

namespace emulator {
namespace {

constexpr int kDeepestExpression = 200;

bool same_name(const std::string& a, const std::string& b) { return sql_lower(a) == sql_lower(b); }

/// Words that begin no expression although they look like names.
bool is_reserved(const SqlToken& token) {
  static const std::set<std::string> kReserved{
      "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "JOIN", "ON",
      "THEN",   "WHEN", "ELSE",  "END",   "AS",    "AND",    "OR",    "IN",    "IS",     "BETWEEN",   "LIKE", "BY"};
  return token.kind == SqlToken::Kind::Word && kReserved.contains(sql_upper(token.text));
}

/// A text that is compared with something else is read as that, as Spark does, as far as types are known.
void align(SqlExpression& left, SqlExpression& right) {
  if (!left.type || !right.type) return;
  const auto read_as = [](SqlExpression& text, const SqlType& type) {
    if (text.type->kind != SqlType::Kind::Text) return;
    if (is_number(type) || type.kind == SqlType::Kind::Date || type.kind == SqlType::Kind::Timestamp ||
        type.kind == SqlType::Kind::Boolean)
      text.sql = spark_cast(text.sql, *text.type, type);
  };
  read_as(left, *right.type);
  read_as(right, *left.type);
}

/// Digits of a type, and those behind the point, as Spark counts them; a literal has no more than it shows.
std::pair<int, int> digits_of(const SqlType& type, const std::string& sql) {
  if (type.kind == SqlType::Kind::Decimal) {
    int whole = 38;
    int behind = 0;
    if (std::sscanf(type.sql.c_str(), "DECIMAL(%d,%d)", &whole, &behind) == 2) return {whole, behind};
    return {38, 0};
  }
  if (!sql.empty() && sql.find_first_not_of("0123456789") == std::string::npos)
    return {static_cast<int>(sql.size()), 0};
  return {type.kind == SqlType::Kind::Long ? 20 : 10, 0};
}

/// Digits behind the point of a quotient in which a decimal is; below zero when doubles do not hold them; nullopt when
/// it is a double.
std::optional<int> quotient_type(const SqlType& one, const SqlType& other, const std::string& divisor) {
  const auto whole = [](const SqlType& type) {
    return type.kind == SqlType::Kind::Integer || type.kind == SqlType::Kind::Long;
  };
  const bool first = one.kind == SqlType::Kind::Decimal;
  const bool second = other.kind == SqlType::Kind::Decimal;
  if (!((first && (second || whole(other))) || (second && whole(one)))) return std::nullopt;
  const int scale = std::max(6, digits_of(one, "").second + digits_of(other, divisor).first + 1);
  return scale > 12 ? -1 : scale;
}

}  // namespace

SqlExpression SqlParser::expression(const SqlScope& scope) {
  if (++depth_ > kDeepestExpression) throw SqlFailure("0A000", "the expression is nested too deeply", now().begin);
  SqlExpression left = conjunction(scope);
  while (take_word("OR")) left = {"(" + left.sql + " OR " + conjunction(scope).sql + ")", {}, ""};
  --depth_;
  return left;
}

SqlExpression SqlParser::conjunction(const SqlScope& scope) {
  SqlExpression left = negation(scope);
  while (take_word("AND")) left = {"(" + left.sql + " AND " + negation(scope).sql + ")", {}, ""};
  return left;
}

SqlExpression SqlParser::negation(const SqlScope& scope) {
  if (symbol("!") || word("NOT")) {
    ++at_;
    return {"(NOT " + negation(scope).sql + ")", {}, ""};
  }
  return predicate(scope);
}

SqlExpression SqlParser::predicate(const SqlScope& scope) {
  SqlExpression left = sum(scope);
  for (;;) {
    static const std::map<std::string_view, const char*> kComparisons{
        {"=", "="},   {"==", "="},  {"<>", "<>"},
        {"!=", "<>"}, {"<", "<"},   {"<=", "<="},
        {">", ">"},   {">=", ">="}, {"<=>", "IS NOT DISTINCT FROM"}};
    const auto comparison = now().kind == SqlToken::Kind::Symbol ? kComparisons.find(now().text) : kComparisons.end();
    if (comparison != kComparisons.end()) {
      ++at_;
      SqlExpression right = sum(scope);
      align(left, right);
      left = {"(" + left.sql + " " + comparison->second + " " + right.sql + ")",
              SqlType{SqlType::Kind::Boolean, "BOOLEAN", {}}, ""};
      continue;
    }
    const bool negated =
        word("NOT") && (ahead(1).is_word("IN") || ahead(1).is_word("LIKE") || ahead(1).is_word("ILIKE") ||
                        ahead(1).is_word("RLIKE") || ahead(1).is_word("BETWEEN"));
    if (negated) ++at_;
    if (!word("IN") && !word("LIKE") && !word("ILIKE") && !word("RLIKE") && !word("BETWEEN") && !word("IS"))
      return left;
    left = predicate_tail(scope, std::move(left), negated ? "NOT " : "");
  }
}

SqlExpression SqlParser::predicate_tail(const SqlScope& scope, SqlExpression left, const std::string& negated) {
  if (take_word("IN")) {
    need_symbol("(");
    const std::string in = begins_query() ? query(&scope) : list_of(scope);
    need_symbol(")");
    return {"(" + left.sql + " " + negated + "IN (" + in + "))", {}, ""};
  }
  if (take_word("ILIKE")) return {"(" + left.sql + " " + negated + "ILIKE " + sum(scope).sql + " ESCAPE '\\')", {}, ""};
  if (take_word("LIKE")) return {"(" + left.sql + " " + negated + "LIKE " + sum(scope).sql + " ESCAPE '\\')", {}, ""};
  if (take_word("RLIKE")) return {"(" + negated + "regexp_matches(" + left.sql + ", " + sum(scope).sql + "))", {}, ""};
  if (take_word("BETWEEN")) {
    const std::string low = sum(scope).sql;
    need_word("AND");
    return {"(" + left.sql + " " + negated + "BETWEEN " + low + " AND " + sum(scope).sql + ")", {}, ""};
  }
  need_word("IS");
  const std::string no = take_word("NOT") ? "NOT " : "";
  if (take_word("NULL")) return {"(" + left.sql + " IS " + no + "NULL)", {}, ""};
  if (take_word("TRUE")) return {"(" + left.sql + " IS " + no + "TRUE)", {}, ""};
  if (take_word("FALSE")) return {"(" + left.sql + " IS " + no + "FALSE)", {}, ""};
  if (take_word("DISTINCT")) {
    need_word("FROM");
    return {"(" + left.sql + " IS " + no + "DISTINCT FROM " + sum(scope).sql + ")", {}, ""};
  }
  unexpected("NULL, TRUE, FALSE or DISTINCT FROM");
}

SqlExpression SqlParser::sum(const SqlScope& scope) {
  SqlExpression left = product(scope);
  while (symbol("+") || symbol("-") || symbol("||")) {
    const std::string sign = now().text;
    const std::size_t place = now().begin;
    ++at_;
    const SqlExpression right = product(scope);
    if (sign == "||") {
      const bool lists = type_of(left, scope).kind == SqlType::Kind::List;
      left = lists ? SqlExpression{"(" + left.sql + " || " + right.sql + ")", {}, ""}
                   : SqlExpression{"(CAST(" + left.sql + " AS VARCHAR) || CAST(" + right.sql + " AS VARCHAR))", {}, ""};
    } else {
      const SqlType one = type_of(left, scope);
      const SqlType other = type_of(right, scope);
      if (sign == "-" && one.kind == other.kind &&
          (one.kind == SqlType::Kind::Date || one.kind == SqlType::Kind::Timestamp))
        throw SqlFailure("0A000", "'-' between times makes an interval, which is not supported; write datediff", place);
      left = {"(" + spark_number(left.sql, one) + " " + sign + " " + spark_number(right.sql, other) + ")", {}, ""};
    }
  }
  return left;
}

SqlExpression SqlParser::product(const SqlScope& scope) {
  SqlExpression left = unary(scope);
  for (;;) {
    const SqlToken sign = now();
    const char* engines = symbol("*") ? "*" : symbol("/") ? "/" : symbol("%") ? "%" : word("DIV") ? "//" : nullptr;
    if (engines == nullptr) return left;
    ++at_;
    const SqlExpression right = unary(scope);
    const SqlType one = type_of(left, scope);
    const SqlType other = type_of(right, scope);
    std::string divisor = spark_number(right.sql, other);
    if (sign.text != "*") divisor = "nullif(" + divisor + ", 0)";  // what is divided by nothing is NULL in Spark
    left = {"(" + spark_number(left.sql, one) + " " + engines + " " + divisor + ")", {}, ""};
    // A quotient of decimals is a decimal in Spark.
    if (const auto type = sign.text == "/" ? quotient_type(one, other, right.sql) : std::nullopt) {
      if (*type < 0)
        throw SqlFailure("0A000", "'/' between decimals of so many digits is not supported; cast one to double",
                         sign.begin);
      left.sql = "CAST(" + left.sql + " AS DECIMAL(38, " + std::to_string(*type) + "))";
    }
  }
}

SqlExpression SqlParser::unary(const SqlScope& scope) {
  if (take_symbol("-")) return {"(- " + unary(scope).sql + ")", {}, ""};
  if (take_symbol("+")) return unary(scope);
  return postfix(scope);
}

SqlExpression SqlParser::postfix(const SqlScope& scope) {
  const std::size_t place = now().begin;
  SqlExpression value = primary(scope);
  for (;;) {
    if (take_symbol("::")) {
      value = cast(std::move(value), scope);
    } else if (take_symbol("[")) {
      const SqlType type = type_of(value, scope);
      const SqlExpression index = expression(scope);
      need_symbol("]");
      std::optional<SqlType> element;
      if (type.element() != nullptr) element = *type.element();
      if (type.kind == SqlType::Kind::Map)
        value = {"map_extract_value(" + value.sql + ", " + index.sql + ")", element, ""};
      else if (type.kind == SqlType::Kind::List)  // Spark counts from 0
        value = {"list_extract(" + value.sql + ", (" + index.sql + ") + 1)", element, ""};
      else
        throw SqlFailure("42804", "brackets reach into a map or an array, and this is neither", place);
    } else if (symbol(".") && ahead(1).kind != SqlToken::Kind::Symbol) {
      ++at_;
      const std::size_t here = now().begin;
      const std::string member = name("a field");
      if (!value.type) value.type = type_of(value, scope);
      value = reach(std::move(value), member, here, scope);
    } else {
      return value;
    }
  }
}

SqlExpression SqlParser::primary(const SqlScope& scope) {
  const SqlToken token = now();
  if (token.kind == SqlToken::Kind::Dollar)
    throw SqlFailure("42601", "the parameter " + token.text + " has no value", token.begin);
  if (token.kind == SqlToken::Kind::Number) return number_literal();
  if (token.kind == SqlToken::Kind::Text) {
    ++at_;
    return {sql_text(token.text), SqlType{SqlType::Kind::Text, "VARCHAR", {}}, token.text};
  }
  if (take_symbol("(")) {
    if (begins_query()) {
      const std::string inner = query(&scope);
      need_symbol(")");
      return {"(" + inner + ")", {}, "scalarsubquery()"};
    }
    SqlExpression inner = expression(scope);
    need_symbol(")");
    inner.sql = "(" + inner.sql + ")";
    return inner;
  }
  if (token.kind == SqlToken::Kind::Word) {
    const std::string upper = sql_upper(token.text);
    if (upper == "NULL" || upper == "TRUE" || upper == "FALSE") {
      ++at_;
      return {upper, {}, upper};
    }
    if (upper == "CASE") return case_expression(scope);
    if ((upper == "CAST" || upper == "TRY_CAST") && ahead(1).is_symbol("(")) return cast_call(scope);
    if (upper == "TRIM" && ahead(1).is_symbol("(") && ahead(2).is_word("BOTH")) return trim_call(scope);
    if (upper == "EXISTS" && ahead(1).is_symbol("(")) {
      at_ += 2;
      const std::string inner = query(&scope);
      need_symbol(")");
      return {"EXISTS (" + inner + ")", {}, "exists"};
    }
    if ((upper == "DATE" || upper == "TIMESTAMP") && ahead(1).kind == SqlToken::Kind::Text) {
      ++at_;
      const std::string value = now().text;
      ++at_;
      return {"CAST(" + sql_text(value) + " AS " + upper + ")", {}, value};
    }
    if (upper == "CURRENT_TIMESTAMP" || upper == "CURRENT_DATE") {
      if (!ahead(1).is_symbol("(")) {
        ++at_;
        const std::string time = "CAST(" + sql_text(relations_.now()) + " AS TIMESTAMP)";
        return {upper == "CURRENT_DATE" ? "CAST(" + time + " AS DATE)" : time, {}, sql_lower(upper) + "()"};
      }
    }
    if (upper == "INTERVAL" || upper == "EXTRACT" || upper == "POSITION" || upper == "OVERLAY") unsupported(token);
    if (ahead(1).kind == SqlToken::Kind::Text && ahead(1).begin == token.end)
      unsupported(token, "a text with the letters");  // x'1F', r'a'
    if (is_reserved(token)) unexpected("an expression");
    if (ahead(1).is_symbol("(")) return call(scope);
    return path(scope);
  }
  if (token.kind == SqlToken::Kind::Quoted) return path(scope);
  unexpected("an expression");
}

SqlExpression SqlParser::number_literal() {
  const SqlToken token = now();
  ++at_;
  const std::size_t end = token.text.find_first_not_of("0123456789.eE+-");
  const std::string digits = (token.text.front() == '.' ? "0" : "") + token.text.substr(0, end);
  if (end == std::string::npos && digits.find_first_of("eE") == std::string::npos && digits.size() > 39)
    throw SqlFailure("22003", "the number " + digits + " has more than 38 digits", token.begin);
  if (end == std::string::npos) {
    const bool real = digits.find_first_of("eE") != std::string::npos;
    const bool fraction = digits.find('.') != std::string::npos;
    const auto behind = digits.size() - digits.find('.') - 1;
    const bool large = digits.size() > 9;
    std::optional<SqlType> type;
    if (real)
      type = plain_type("DOUBLE");
    else if (fraction && behind > 0)
      type = plain_type("DECIMAL(" + std::to_string(digits.size() - 1) + "," + std::to_string(behind) + ")");
    else if (!fraction && !large)
      type = plain_type("INTEGER");
    // 5. is a decimal without digits behind the point, which the engine writes as 5.
    return {digits, type, digits};
  }
  const std::string suffix = sql_upper(token.text.substr(end));
  static const std::map<std::string, const char*> kSuffixes{
      {"L", "BIGINT"}, {"S", "SMALLINT"}, {"Y", "TINYINT"}, {"D", "DOUBLE"}, {"F", "FLOAT"}};
  if (suffix == "BD") return {digits, {}, digits};
  const auto type = kSuffixes.find(suffix);
  if (type == kSuffixes.end())
    throw SqlFailure("42601", "'" + token.text + "' is neither a number nor a name; a name goes into back quotes",
                     token.begin);
  return {"CAST(" + digits + " AS " + type->second + ")", plain_type(type->second), digits};
}

SqlExpression SqlParser::case_expression(const SqlScope& scope) {
  need_word("CASE");
  std::string sql = "CASE";
  if (!word("WHEN")) sql += " " + expression(scope).sql;
  if (!word("WHEN")) unexpected("WHEN");
  while (take_word("WHEN")) {
    sql += " WHEN " + expression(scope).sql;
    need_word("THEN");
    sql += " THEN " + expression(scope).sql;
  }
  if (take_word("ELSE")) sql += " ELSE " + expression(scope).sql;
  need_word("END");
  return {"(" + sql + " END)", {}, ""};
}

SqlExpression SqlParser::cast_call(const SqlScope& scope) {
  at_ += 2;
  SqlExpression value = expression(scope);
  need_word("AS");
  value = cast(std::move(value), scope);
  need_symbol(")");
  return value;
}

/// The value as the type whose name comes next.
SqlExpression SqlParser::cast(SqlExpression value, const SqlScope& scope) {
  const SqlType to = plain_type(type_name());
  const SqlType from = type_of(value, scope);
  return {spark_cast(value.sql, from, to), to, value.name};
}

SqlExpression SqlParser::trim_call(const SqlScope& scope) {
  at_ += 3;
  const SqlExpression characters = expression(scope);
  need_word("FROM");
  const SqlExpression value = expression(scope);
  need_symbol(")");
  return {"trim(" + value.sql + ", " + characters.sql + ")", {}, ""};
}

std::string SqlParser::type_name() {
  const SqlToken token = now();
  if (token.kind != SqlToken::Kind::Word) unexpected("a type");
  ++at_;
  static const std::map<std::string, const char*> kTypes{
      {"TEXT", "VARCHAR"},   {"STRING", "VARCHAR"},      {"VARCHAR", "VARCHAR"}, {"CHAR", "VARCHAR"},
      {"BPCHAR", "VARCHAR"}, {"INT", "INTEGER"},         {"INTEGER", "INTEGER"}, {"INT4", "INTEGER"},
      {"BIGINT", "BIGINT"},  {"LONG", "BIGINT"},         {"INT8", "BIGINT"},     {"SMALLINT", "SMALLINT"},
      {"SHORT", "SMALLINT"}, {"INT2", "SMALLINT"},       {"TINYINT", "TINYINT"}, {"BYTE", "TINYINT"},
      {"DOUBLE", "DOUBLE"},  {"FLOAT8", "DOUBLE"},       {"FLOAT", "FLOAT"},     {"REAL", "FLOAT"},
      {"FLOAT4", "FLOAT"},   {"BOOLEAN", "BOOLEAN"},     {"BOOL", "BOOLEAN"},    {"DATE", "DATE"},
      {"BINARY", "BLOB"},    {"TIMESTAMP", "TIMESTAMP"}, {"DECIMAL", "DECIMAL"}, {"NUMERIC", "DECIMAL"}};
  const auto found = kTypes.find(sql_upper(token.text));
  if (found == kTypes.end()) unsupported(token, "the type");
  std::string type = found->second;
  if (type == "DOUBLE") take_word("PRECISION");
  if (take_symbol("(")) {
    std::string sizes = std::to_string(whole_number());
    if (take_symbol(",")) sizes += ", " + std::to_string(whole_number());
    need_symbol(")");
    if (type == "DECIMAL") type += "(" + sizes + ")";
  } else if (type == "DECIMAL") {
    type = "DECIMAL(10, 0)";
  }
  return type;
}

std::string SqlParser::list_of(const SqlScope& scope) {
  std::string out = expression(scope).sql;
  while (take_symbol(",")) out += ", " + expression(scope).sql;
  return out;
}

SqlExpression SqlParser::call(const SqlScope& scope) {
  const SqlToken token = now();
  SqlCall made{sql_lower(token.text), token.begin, {}, {}};
  if (!is_sql_function(made.name)) unsupported(token, "the function");
  at_ += 2;
  bool distinct = false;
  const bool aggregate = is_sql_aggregate(made.name);
  if (aggregate && take_word("DISTINCT")) distinct = true;
  const bool all_rows = made.name == "count" && symbol("*");
  if (all_rows) {
    ++at_;
  } else if (!symbol(")")) {
    do {
      made.arguments.push_back(expression(scope));
      const SqlExpression& last = made.arguments.back();
      const bool literal = last.sql.front() == '\'' || (last.sql.front() >= '0' && last.sql.front() <= '9');
      std::string member = literal ? "" : last.name;
      if (made.name == "struct" &&
          (take_word("AS") || now().kind == SqlToken::Kind::Word || now().kind == SqlToken::Kind::Quoted))
        member = name("the name of a field");
      made.names.push_back(std::move(member));
    } while (take_symbol(","));
  }
  need_symbol(")");
  std::optional<SqlExpression> translated;
  if (all_rows) {
    translated = SqlExpression{"count(*)", {}, ""};
  } else {
    if (distinct && !made.arguments.empty() && !made.name.starts_with("collect_"))
      made.arguments.front().sql = "DISTINCT " + made.arguments.front().sql;
    translated = sql_call(*this, scope, made);
  }
  if (!translated) unsupported(token, "the function");
  translated->name = all_rows ? "count(1)" : std::string(text_.substr(token.begin, tokens_[at_ - 1].end - token.begin));
  std::string filter = translated->only;
  if (word("FILTER") && ahead(1).is_symbol("(")) {
    if (!aggregate) unexpected("no FILTER behind a function that is no aggregate");
    at_ += 2;
    need_word("WHERE");
    filter += (filter.empty() ? "" : " AND ") + expression(scope).sql;
    need_symbol(")");
  }
  if (!filter.empty()) translated->sql += " FILTER (WHERE " + filter + ")";
  if (take_word("OVER")) {
    if (!aggregate) throw SqlFailure("42601", "'" + token.text + "' is no window function", token.begin);
    if (now().kind == SqlToken::Kind::Word) unsupported(now(), "the named window");
    translated->sql += " OVER (" + window(scope) + ")";
  }
  if (!translated->otherwise.empty())
    translated->sql = "coalesce(" + translated->sql + ", " + translated->otherwise + ")";
  return *translated;
}

std::string SqlParser::window(const SqlScope& scope) {
  need_symbol("(");
  std::string out;
  if (take_word("PARTITION")) {
    need_word("BY");
    out += "PARTITION BY " + list_of(scope);
  }
  if (word("ORDER")) {
    SqlScope mine = scope;
    out += " " + order_by(mine);
  }
  if (word("ROWS") || word("RANGE")) out += " " + frame();
  need_symbol(")");
  return out;
}

std::string SqlParser::frame() {
  std::string out = sql_upper(now().text);
  ++at_;
  const auto bound = [&] {
    if (take_word("CURRENT")) {
      need_word("ROW");
      return std::string("CURRENT ROW");
    }
    const std::string count = take_word("UNBOUNDED") ? "UNBOUNDED" : std::to_string(whole_number());
    if (take_word("PRECEDING")) return count + " PRECEDING";
    need_word("FOLLOWING");
    return count + " FOLLOWING";
  };
  if (!take_word("BETWEEN")) return out + " " + bound();
  out += " BETWEEN " + bound();
  need_word("AND");
  return out + " AND " + bound();
}

SqlExpression SqlParser::path(const SqlScope& scope) {
  std::vector<SqlToken> parts{now()};
  const std::size_t first = at_;
  ++at_;
  while (symbol(".") && (ahead(1).kind == SqlToken::Kind::Word || ahead(1).kind == SqlToken::Kind::Quoted ||
                         ahead(1).kind == SqlToken::Kind::Number)) {
    ++at_;
    parts.push_back(now());
    ++at_;
  }
  std::size_t used = 0;
  std::optional<SqlExpression> value;
  for (const SqlScope* level = &scope; level != nullptr && !value; level = level->outer)
    value = column(*level, parts, used);
  if (!value) {
    std::string whole;
    for (const SqlToken& part : parts) whole += (whole.empty() ? "" : ".") + part.text;
    throw SqlFailure("42703", "there is no column '" + whole + "'", tokens_[first].begin);
  }
  for (std::size_t i = used; i < parts.size(); ++i)
    value = reach(std::move(*value), parts[i].text, parts[i].begin, scope);
  return *value;
}

std::optional<SqlExpression> SqlParser::column(const SqlScope& scope, const std::vector<SqlToken>& parts,
                                               std::size_t& used) {
  if (parts.size() > 1) {
    for (const auto& source : scope.sources) {
      if (source.alias.empty() || !same_name(source.alias, parts[0].text)) continue;
      for (const SqlColumn& one : source.columns) {
        if (!same_name(one.name, parts[1].text)) continue;
        used = 2;
        return SqlExpression{sql_name(source.alias) + "." + sql_name(one.name), one.type, one.name};
      }
    }
  }
  const SqlColumn* found = nullptr;
  int times = 0;
  for (const auto& source : scope.sources) {
    for (const SqlColumn& one : source.columns) {
      if (!same_name(one.name, parts[0].text)) continue;
      found = &one;
      ++times;
    }
  }
  if (times > 1 && !scope.merged.contains(sql_lower(parts[0].text)))
    throw SqlFailure("42702", "the column '" + parts[0].text + "' is in more than one table; write the table before it",
                     parts[0].begin);
  if (found != nullptr) {
    used = 1;
    return SqlExpression{sql_name(found->name), found->type, found->name};
  }
  if (scope.aliases.contains(sql_lower(parts[0].text))) {
    used = 1;
    return SqlExpression{sql_name(parts[0].text), {}, parts[0].text};
  }
  return std::nullopt;
}

SqlExpression SqlParser::reach(SqlExpression base, const std::string& member, std::size_t place,
                               const SqlScope& scope) {
  if (!base.type) base.type = type_of(base, scope);
  const SqlType& type = *base.type;
  if (type.kind == SqlType::Kind::Map)
    return {"map_extract_value(" + base.sql + ", " + sql_text(member) + ")", *type.element(), member};
  if (type.kind == SqlType::Kind::Struct) {
    const SqlType* field = type.field(member);
    if (field == nullptr) throw SqlFailure("42703", "there is no field '" + member + "'", place);
    return {"struct_extract(" + base.sql + ", " + sql_text(member) + ")", *field, member};
  }
  if (type.kind == SqlType::Kind::List && type.element()->kind == SqlType::Kind::Struct) {
    const SqlType* field = type.element()->field(member);
    if (field == nullptr) throw SqlFailure("42703", "there is no field '" + member + "'", place);
    SqlType list{SqlType::Kind::List, field->sql + "[]", {{"element", *field}}};
    return {"list_transform(" + base.sql + ", lambda e: struct_extract(e, " + sql_text(member) + "))", list, member};
  }
  throw SqlFailure("42703", "there is no field '" + member + "': what stands before it has none", place);
}

SqlType SqlParser::type_of(const SqlExpression& expression, const SqlScope& scope) {
  if (expression.type) return *expression.type;
  try {
    const auto columns = describe("SELECT " + expression.sql + (scope.from.empty() ? "" : " FROM " + scope.from));
    if (!columns.empty()) return columns.front().type;
  } catch (const DatabaseError&) {
    // Correlated with a query around it, or wrong: the whole statement will tell.
  }
  return {};
}

}  // namespace emulator
