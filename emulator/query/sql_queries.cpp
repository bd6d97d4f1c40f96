#include <algorithm>

#include "emulator/data/database.h"
#include "emulator/query/sql_parser.h"

namespace emulator {
namespace {

/// Words that end a table or an expression, and so are no alias.
bool ends_item(const SqlToken& token) {
  static const std::set<std::string> kEnds{
      "FROM",      "WHERE",   "GROUP", "ORDER", "HAVING",      "LIMIT", "OFFSET",  "UNION",   "EXCEPT",     "MINUS",
      "INTERSECT", "JOIN",    "INNER", "LEFT",  "RIGHT",       "FULL",  "CROSS",   "ON",      "USING",      "LATERAL",
      "SNAPSHOT",  "WINDOW",  "AS",    "THEN",  "WHEN",        "ELSE",  "END",     "SEMI",    "ANTI",       "NATURAL",
      "ESCAPE",    "UNPIVOT", "AND",   "OR",    "TABLESAMPLE", "PIVOT", "QUALIFY", "CLUSTER", "DISTRIBUTE", "SORT"};
  return token.kind == SqlToken::Kind::Word && kEnds.contains(sql_upper(token.text));
}

std::string name_list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + sql_name(name);
  return out;
}

}  // namespace

bool SqlParser::begins_query() const {
  std::size_t i = at_;
  while (tokens_[i].is_symbol("(")) ++i;
  return tokens_[i].is_word("SELECT") || tokens_[i].is_word("WITH") || tokens_[i].is_word("VALUES");
}

std::optional<std::string> SqlParser::alias() {
  if (take_word("AS")) return name("a name");
  if ((now().kind == SqlToken::Kind::Word && !ends_item(now())) || now().kind == SqlToken::Kind::Quoted)
    return name("a name");
  return std::nullopt;
}

std::string SqlParser::query(const SqlScope* outer, std::optional<std::uint64_t>* limit) {
  const auto known = common_;
  const auto before = shared_.size();
  if (word("WITH")) common_tables(outer);
  SqlScope scope;
  scope.outer = outer;
  std::string sql = set_operations(outer, 0, scope);
  if (word("ORDER")) sql += " " + order_by(scope);
  if (word("CLUSTER") || word("DISTRIBUTE") || word("SORT") || word("WINDOW")) unsupported(now());
  if (take_word("LIMIT")) {
    const std::uint64_t count = take_word("ALL") ? 0 : whole_number();
    if (limit != nullptr) *limit = count;
    // LIMIT 0 takes the platform's own limit away; it does not mean no row.
    if (count > 0) sql += " LIMIT " + std::to_string(count);
  }
  if (take_word("OFFSET")) sql += " OFFSET " + std::to_string(whole_number());
  common_ = known;
  if (shared_.size() > before) sql = with_shared(before) + sql;
  shared_.resize(before);
  return sql;
}

// Each is written once and named by whoever reads it: put in place of their names, tables that read one another several
// times would grow without end, and so would the memory of the plan.
std::string SqlParser::with_shared(std::size_t from) const {
  std::string sql;
  for (std::size_t i = from; i < shared_.size(); ++i) sql += (i == from ? "WITH " : ", ") + shared_[i];
  return sql.empty() ? sql : sql + " ";
}

std::vector<SqlColumn> SqlParser::describe(const std::string& query) {
  return relations_.describe(with_shared(0) + query);
}

void SqlParser::common_tables(const SqlScope* outer) {
  need_word("WITH");
  if (word("RECURSIVE")) unsupported(now());
  do {
    const std::string known = name("a name");
    std::vector<std::string> columns;
    if (take_symbol("(")) {
      do columns.push_back(name("a column"));
      while (take_symbol(","));
      need_symbol(")");
    }
    need_word("AS");
    need_symbol("(");
    const std::string sql = query(outer);
    need_symbol(")");
    SqlRelation relation;
    relation.sql = sql_name("common " + std::to_string(common_number_++));
    shared_.push_back(relation.sql + (columns.empty() ? "" : "(" + name_list(columns) + ")") + " AS (" + sql + ")");
    relation.columns = describe("SELECT * FROM " + relation.sql);
    common_[sql_lower(known)] = std::move(relation);
  } while (take_symbol(","));
}

std::string SqlParser::set_operations(const SqlScope* outer, int least, SqlScope& scope) {
  // INTERSECT binds tighter than UNION and EXCEPT.
  std::string left = query_term(outer, scope);
  for (;;) {
    const bool intersect = word("INTERSECT");
    if (!intersect && !word("UNION") && !word("EXCEPT") && !word("MINUS")) return left;
    if (!intersect && least > 0) return left;
    const std::string operation = word("MINUS") ? "EXCEPT" : sql_upper(now().text);
    ++at_;
    const bool all = take_word("ALL");
    if (!all) take_word("DISTINCT");
    SqlScope right_scope;
    const std::string right = intersect ? query_term(outer, right_scope) : set_operations(outer, 1, right_scope);
    left = "(" + left + ") " + operation + (all ? " ALL (" : " (") + right + ")";
    // What follows sees the result alone.
    for (const auto& source : scope.sources)
      for (const SqlColumn& one : source.columns) scope.aliases.insert(sql_lower(one.name));
    scope.sources.clear();
    scope.from.clear();
  }
}

std::string SqlParser::query_term(const SqlScope* outer, SqlScope& scope) {
  if (word("SELECT")) return select(outer, scope);
  if (word("VALUES")) return values(outer);
  if (take_symbol("(")) {
    const std::string inner = query(outer);
    need_symbol(")");
    return "(" + inner + ")";
  }
  unexpected("SELECT");
}

std::string SqlParser::values(const SqlScope* outer) {
  need_word("VALUES");
  SqlScope none;
  none.outer = outer;
  std::string rows;
  std::size_t width = 0;
  do {
    std::string row;
    if (symbol("(")) {
      ++at_;
      row = list_of(none);
      need_symbol(")");
    } else {
      row = expression(none).sql;
    }
    rows += (rows.empty() ? "(" : ", (") + row + ")";
  } while (take_symbol(","));
  // Spark calls the columns col1, col2, ...
  const auto columns = describe("SELECT * FROM (VALUES " + rows + ")");
  std::vector<std::string> names;
  for (width = 0; width < columns.size(); ++width) names.push_back("col" + std::to_string(width + 1));
  return "SELECT * FROM (VALUES " + rows + ") AS t(" + name_list(names) + ")";
}

/// The FROM of the SELECT whose list begins here, or where the list ends.
std::size_t SqlParser::from_position() const {
  int depth = 0;
  for (std::size_t i = at_;; ++i) {
    const SqlToken& token = tokens_[i];
    if (token.kind == SqlToken::Kind::End) return i;
    if (token.is_symbol("(") || token.is_symbol("[")) ++depth;
    if (token.is_symbol(")") || token.is_symbol("]")) --depth;
    if (depth < 0 || (depth == 0 && token.is_symbol(";"))) return i;
    if (depth > 0) continue;
    if (token.is_word("FROM") && !tokens_[i - 1].is_word("DISTINCT")) return i;
    if (token.is_word("UNION") || token.is_word("EXCEPT") || token.is_word("MINUS") || token.is_word("INTERSECT") ||
        token.is_word("WHERE") || token.is_word("LIMIT") || token.is_word("ORDER") || token.is_word("GROUP") ||
        token.is_word("HAVING") || token.is_word("OFFSET"))
      return i;
  }
}

std::string SqlParser::select(const SqlScope* outer, SqlScope& scope) {
  need_word("SELECT");
  scope.outer = outer;
  std::string sql = "SELECT ";
  if (take_word("DISTINCT"))
    sql += "DISTINCT ";
  else
    take_word("ALL");
  // What the list means depends on what stands in FROM, so that is read first.
  const std::size_t list = at_;
  at_ = from_position();
  const std::size_t list_end = at_;
  if (take_word("FROM")) {
    from(scope);
    while (word("LATERAL")) lateral_view(scope);
  }
  const std::size_t rest = at_;
  at_ = list;
  const std::string items = select_list(scope);
  if (at_ != list_end) unexpected("a comma, FROM or the end");
  at_ = rest;
  sql += items;
  if (!scope.from.empty()) sql += " FROM " + scope.from;
  if (word("WHERE")) {
    ++at_;
    const auto aliases = std::move(scope.aliases);
    scope.aliases.clear();  // not known yet when rows are chosen
    sql += " WHERE " + expression(scope).sql;
    scope.aliases = aliases;
  }
  if (take_word("GROUP")) {
    need_word("BY");
    if (word("ROLLUP") || word("CUBE") || word("GROUPING")) unsupported(now());
    sql += take_word("ALL") ? " GROUP BY ALL" : " GROUP BY " + list_of(scope);
  }
  if (take_word("HAVING")) sql += " HAVING " + expression(scope).sql;
  if (word("QUALIFY") || word("WINDOW") || word("PIVOT")) unsupported(now());
  return sql;
}

std::string SqlParser::select_list(SqlScope& scope) {
  bool generated = false;
  std::string out = select_item(scope, generated);
  while (take_symbol(",")) out += ", " + select_item(scope, generated);
  return out;
}

std::string SqlParser::select_item(SqlScope& scope, bool& generated) {
  if (symbol("*")) {
    if (scope.sources.empty()) throw SqlFailure("42601", "* needs a FROM", now().begin);
    ++at_;
    return "*";
  }
  if ((now().kind == SqlToken::Kind::Word || now().kind == SqlToken::Kind::Quoted) && ahead(1).is_symbol(".") &&
      ahead(2).is_symbol("*")) {
    const SqlToken source = now();
    for (const auto& one : scope.sources) {
      if (one.alias.empty() || sql_lower(one.alias) != sql_lower(source.text)) continue;
      at_ += 3;
      return sql_name(one.alias) + ".*";
    }
    throw SqlFailure("42P01", "there is no table '" + source.text + "' in FROM", source.begin);
  }
  const std::string function =
      now().kind == SqlToken::Kind::Word && ahead(1).is_symbol("(") ? sql_lower(now().text) : "";
  static const std::set<std::string> kGenerators{"explode", "explode_outer", "inline", "inline_outer", "history_meta"};
  if (kGenerators.contains(function)) {
    const std::size_t place = now().begin;
    if (generated) throw SqlFailure("42601", "only one generator is allowed in a SELECT", place);
    generated = true;
    at_ += 2;
    if (function == "history_meta") {
      const std::string table = now().text;
      if (now().kind != SqlToken::Kind::Text) unexpected("a table's name in quotes");
      ++at_;
      need_symbol(")");
      auto history = relations_.history(table);
      if (!history) throw SqlFailure("42P01", "there is no table '" + table + "'", place);
      if (!scope.from.empty()) throw SqlFailure("0A000", "history_meta stands alone in its SELECT", place);
      scope.from = history->sql;
      return "*";
    }
    const SqlExpression value = expression(scope);
    need_symbol(")");
    std::vector<std::string> names;
    if (take_word("AS")) {
      const bool several = take_symbol("(");
      do names.push_back(name("a column"));
      while (several && take_symbol(","));
      if (several) need_symbol(")");
    } else if (now().kind == SqlToken::Kind::Word && !ends_item(now())) {
      names.push_back(name("a column"));
    }
    const std::string item = generator(function, value, type_of(value, scope), place, names);
    for (const std::string& one : names) scope.aliases.insert(sql_lower(one));
    return item;
  }
  const std::size_t begin = at_;
  SqlExpression value = expression(scope);
  std::string named = value.name;
  if (named.empty()) named = written(begin);
  if (const auto given = alias()) {
    named = *given;
    scope.aliases.insert(sql_lower(named));
  }
  return value.sql + " AS " + sql_name(named);
}

/// The call of a generator as a select item; `names` of its columns, all or none, are completed.
std::string SqlParser::generator(const std::string& function, const SqlExpression& value, const SqlType& type,
                                 std::size_t place, std::vector<std::string>& names) {
  const bool outer = function.ends_with("_outer");
  const bool inlined = function.starts_with("inline");
  std::string list = value.sql;
  std::vector<std::string> members;
  if (inlined) {
    if (type.kind != SqlType::Kind::List || type.element()->kind != SqlType::Kind::Struct)
      throw SqlFailure("42804", "inline needs an array of structs", place);
    for (const auto& [member, of] : type.element()->members) members.push_back(member);
  } else if (type.kind == SqlType::Kind::Map) {
    list = "map_entries(" + value.sql + ")";
    members = {"key", "value"};
  } else if (type.kind != SqlType::Kind::List) {
    throw SqlFailure("42804", "explode needs a map or an array", place);
  }
  const auto nothing_too = [&](const std::string& rows) {
    return outer ? "CASE WHEN len(" + rows + ") > 0 THEN " + rows + " ELSE [NULL] END" : rows;
  };
  if (members.empty()) {
    if (names.size() > 1) throw SqlFailure("42601", "an array has one column", place);
    if (names.empty()) names = {"col"};
    return "unnest(" + nothing_too(list) + ") AS " + sql_name(names.front());
  }
  if (!names.empty()) {
    if (names.size() != members.size())
      throw SqlFailure("42601",
                       "there are " + std::to_string(members.size()) + " columns, and as many names are needed", place);
    std::string renamed;
    for (std::size_t i = 0; i < members.size(); ++i)
      renamed += (i == 0 ? "" : ", ") + sql_name(names[i]) + " := struct_extract(e, " + sql_text(members[i]) + ")";
    list = "list_transform(" + list + ", lambda e: struct_pack(" + renamed + "))";
  }
  if (names.empty()) names = members;
  return "unnest(" + nothing_too(list) + ", max_depth := 2)";
}

std::string SqlParser::order_by(SqlScope& scope) {
  need_word("ORDER");
  need_word("BY");
  std::string out;
  do {
    out += out.empty() ? "ORDER BY " : ", ";
    out += expression(scope).sql;
    const bool descending = word("DESC");
    if (word("ASC") || word("DESC")) ++at_;
    bool first = !descending;  // where Spark puts NULL when nobody says
    if (take_word("NULLS")) {
      first = word("FIRST");
      if (!first && !word("LAST")) unexpected("FIRST or LAST");
      ++at_;
    }
    out += std::string(descending ? " DESC" : " ASC") + (first ? " NULLS FIRST" : " NULLS LAST");
  } while (take_symbol(","));
  return out;
}

void SqlParser::from(SqlScope& scope) {
  from_item(scope, scope.outer);
  joins(scope, scope.outer);
  while (take_symbol(",")) {
    scope.from += ", ";
    from_item(scope, scope.outer);
    joins(scope, scope.outer);
  }
}

void SqlParser::add_source(SqlScope& scope, const std::string& sql, std::vector<SqlColumn> columns,
                           const std::string& fallback) {
  const std::string called = alias().value_or(fallback);
  std::string renamed;
  if (!called.empty() && take_symbol("(")) {
    std::vector<std::string> names;
    do names.push_back(name("a column"));
    while (take_symbol(","));
    need_symbol(")");
    if (names.size() != columns.size())
      throw SqlFailure("42601", "'" + called + "' has " + std::to_string(columns.size()) + " columns", now().begin);
    for (std::size_t i = 0; i < names.size(); ++i) columns[i].name = names[i];
    renamed = "(" + name_list(names) + ")";
  }
  scope.from += sql + (called.empty() ? "" : " AS " + sql_name(called) + renamed);
  scope.sources.push_back({called, std::move(columns)});
}

void SqlParser::from_item(SqlScope& scope, const SqlScope* outer) {
  if (word("LATERAL")) unsupported(now());
  if (symbol("(") && begins_query()) {
    ++at_;
    const std::string sql = "(" + query(outer) + ")";
    need_symbol(")");
    std::vector<SqlColumn> columns;
    try {
      columns = describe("SELECT * FROM " + sql);
    } catch (const DatabaseError& error) {
      throw engine_failure(error.what());
    }
    return add_source(scope, sql, std::move(columns), "");
  }
  if (take_symbol("(")) {
    scope.from += "(";
    from_item(scope, outer);
    joins(scope, outer);
    need_symbol(")");
    scope.from += ")";
    return;
  }
  if (word("VALUES")) {
    const std::string sql = "(" + values(outer) + ")";
    return add_source(scope, sql, describe("SELECT * FROM " + sql), "");
  }
  const SqlToken token = now();
  const std::string table = name("a table");
  if (symbol("(")) unsupported(token, "the table function");
  if (symbol(".")) {
    // pg_catalog, information_schema: nobody shall rely on them.
    throw SqlFailure("0A000",
                     "the schema '" + token.text +
                         "' is not supported; SHOW TABLES lists the tables, and SELECT * FROM t WHERE 1 = 0 has the "
                         "columns of one",
                     token.begin);
  }
  const SqlSnapshot pinned = snapshot();
  if (word("TABLESAMPLE")) unsupported(now());
  if (const auto common = common_.find(sql_lower(table)); common != common_.end() && !pinned.given())
    return add_source(scope, common->second.sql, common->second.columns, table);
  auto relation = relations_.find(table, pinned);
  if (!relation) throw SqlFailure("42P01", "there is no table '" + table + "'", token.begin);
  datasets_.insert(relation->datasets.begin(), relation->datasets.end());
  add_source(scope, relation->sql, std::move(relation->columns), table);
}

SqlSnapshot SqlParser::snapshot() {
  SqlSnapshot out;
  if (!take_word("SNAPSHOT")) return out;
  if (take_word("SINCE")) {
    out.after = snapshot_end();
  } else if (take_word("AS")) {
    need_word("OF");
    out.until = snapshot_end();
  } else if (take_word("BETWEEN")) {
    out.after = snapshot_end();
    need_word("AND");
    out.until = snapshot_end();
  } else {
    unexpected("SINCE, AS OF or BETWEEN");
  }
  return out;
}

std::string SqlParser::snapshot_end() {
  if (word("HEAD") || word("TAIL") || now().kind == SqlToken::Kind::Number || now().kind == SqlToken::Kind::Text) {
    const std::string end = now().kind == SqlToken::Kind::Word ? sql_upper(now().text) : now().text;
    ++at_;
    return end;
  }
  unexpected("the id of a snapshot, HEAD or TAIL");
}

void SqlParser::joins(SqlScope& scope, const SqlScope* outer) {
  for (;;) {
    std::string kind;
    if (word("NATURAL")) unsupported(now());
    if (take_word("CROSS")) {
      kind = "CROSS ";
    } else if (take_word("INNER")) {
      kind = "";
    } else if (word("LEFT") || word("RIGHT") || word("FULL")) {
      kind = sql_upper(now().text) + " ";
      ++at_;
      take_word("OUTER");
      if (kind == "LEFT " && (word("SEMI") || word("ANTI"))) {
        kind = sql_upper(now().text) + " ";
        ++at_;
      }
    } else if (word("SEMI") || word("ANTI")) {
      kind = sql_upper(now().text) + " ";
      ++at_;
    } else if (!word("JOIN")) {
      return;
    }
    need_word("JOIN");
    scope.from += " " + kind + "JOIN ";
    from_item(scope, outer);
    if (take_word("ON")) {
      scope.from += " ON " + expression(scope).sql;
    } else if (take_word("USING")) {
      need_symbol("(");
      std::vector<std::string> columns;
      do columns.push_back(name("a column"));
      while (take_symbol(","));
      need_symbol(")");
      for (const std::string& column : columns) scope.merged.insert(sql_lower(column));
      scope.from += " USING (" + name_list(columns) + ")";
    } else if (kind != "CROSS ") {
      scope.from += " ON true";
    }
    // Of a semi join nothing of the right side is left.
    if (kind == "SEMI " || kind == "ANTI ") scope.sources.pop_back();
  }
}

void SqlParser::lateral_view(SqlScope& scope) {
  need_word("LATERAL");
  need_word("VIEW");
  const bool outer = take_word("OUTER");
  const SqlToken token = now();
  std::string function = sql_lower(name("a generator"));
  static const std::set<std::string> kGenerators{"explode", "explode_outer", "inline", "inline_outer"};
  if (!kGenerators.contains(function)) unsupported(token, "the generator");
  if (outer && !function.ends_with("_outer")) function += "_outer";
  need_symbol("(");
  const std::size_t place = now().begin;
  const SqlExpression value = expression(scope);
  need_symbol(")");
  const std::string table = now().kind == SqlToken::Kind::Word && !ends_item(now()) ? name("a table") : "";
  std::vector<std::string> columns;
  if (take_word("AS")) {
    do columns.push_back(name("a column"));
    while (take_symbol(","));
  }
  const SqlType type = type_of(value, scope);
  const std::string made = "(SELECT " + generator(function, value, type, place, columns) + ")";
  std::vector<SqlColumn> described;
  const auto add = [&](std::size_t i, const SqlType& of) { described.push_back({columns[i], of}); };
  if (function.starts_with("inline")) {
    for (std::size_t i = 0; i < type.element()->members.size(); ++i) add(i, type.element()->members[i].second);
  } else if (type.kind == SqlType::Kind::Map) {
    add(0, type.members.front().second);
    add(1, type.members.back().second);
  } else {
    add(0, *type.element());
  }
  scope.from += (outer ? " LEFT JOIN LATERAL " : " JOIN LATERAL ") + made + " AS " +
                sql_name(table.empty() ? "lateral" + std::to_string(place) : table) + "(" + name_list(columns) +
                ") ON true";
  scope.sources.push_back({table, std::move(described)});
}

}  // namespace emulator
