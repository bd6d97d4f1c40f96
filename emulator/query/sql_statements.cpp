#include <algorithm>
#include <charconv>

#include "emulator/data/database.h"
#include "emulator/query/sql_parser.h"

namespace emulator {

SqlParser::SqlParser(std::string_view sql, SqlRelations& relations, std::size_t begin)
    : text_(sql), relations_(relations) {
  tokens_ = sql_tokens(sql.substr(begin));
  for (SqlToken& token : tokens_) {
    token.begin += begin;
    token.end += begin;
  }
}

bool SqlParser::take_word(std::string_view upper) {
  if (!word(upper)) return false;
  ++at_;
  return true;
}

bool SqlParser::take_symbol(std::string_view text) {
  if (!symbol(text)) return false;
  ++at_;
  return true;
}

void SqlParser::need_word(std::string_view upper) {
  if (!take_word(upper)) unexpected(upper);
}

void SqlParser::need_symbol(std::string_view text) {
  if (!take_symbol(text)) unexpected("'" + std::string(text) + "'");
}

std::string SqlParser::name(std::string_view what) {
  if (now().kind != SqlToken::Kind::Word && now().kind != SqlToken::Kind::Quoted) unexpected(what);
  return tokens_[at_++].text;
}

std::uint64_t SqlParser::whole_number() {
  std::uint64_t number = 0;
  const std::string& text = now().text;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (now().kind != SqlToken::Kind::Number || problem != std::errc() || end != text.data() + text.size())
    unexpected("a whole number");
  ++at_;
  return number;
}

std::string SqlParser::written(std::size_t first_token) const {
  const std::size_t begin = tokens_[first_token].begin;
  return std::string(text_.substr(begin, tokens_[at_ - 1].end - begin));
}

void SqlParser::unexpected(std::string_view wanted) const {
  const SqlToken& token = now();
  // What Spark would understand here, and we do not.
  static const std::set<std::string> kSparks{"&",        "|",      "^",       "~",       "->",      "=>",
                                             ":",        "ESCAPE", "COLLATE", "SIMILAR", "UNPIVOT", "WINDOW",
                                             "OVERLAPS", "AT",     "QUALIFY", "UNKNOWN", "WITH"};
  if ((token.kind == SqlToken::Kind::Symbol || token.kind == SqlToken::Kind::Word) &&
      kSparks.contains(sql_upper(token.text)))
    unsupported(token);
  const std::string found = token.kind == SqlToken::Kind::End ? "the statement ends" : "'" + token.text + "' stands";
  throw SqlFailure("42601", found + " where " + std::string(wanted) + " is expected", token.begin);
}

void SqlParser::unsupported(const SqlToken& token, const std::string& what) const {
  if (token.kind == SqlToken::Kind::End) throw SqlFailure("42601", "the statement ends too early", token.begin);
  throw SqlFailure("0A000", (what.empty() ? "" : what + " ") + ("'" + token.text + "' is not supported"), token.begin);
}

SqlStatement SqlParser::statement() {
  SqlStatement out;
  while (take_symbol(";")) {
  }
  const SqlToken first = now();
  if (begins_query()) {
    out.kind = SqlStatement::Kind::Query;
    whole_query(out);
  } else if (take_symbol("$$")) {
    block(out);
  } else if (first.kind != SqlToken::Kind::End && first.kind != SqlToken::Kind::Word) {
    unexpected("a statement");
  } else if (take_word("CREATE")) {
    create(out);
  } else if (take_word("ALTER")) {
    alter(out);
  } else if (take_word("DROP")) {
    drop(out);
  } else if (take_word("INSERT")) {
    insert(out);
  } else if (take_word("SET")) {
    set(out);
  } else if (take_word("SHOW")) {
    show(out);
  } else if (take_word("DECLARE")) {
    declare(out);
  } else if (take_word("FETCH")) {
    fetch(out);
  } else if (take_word("CLOSE")) {
    out.kind = SqlStatement::Kind::Close;
    if (!take_word("ALL")) out.name = name("a cursor");
  } else if (word("BEGIN") || word("START") || word("COMMIT") || word("END") || word("ROLLBACK") || word("ABORT")) {
    out.kind = word("BEGIN") || word("START")      ? SqlStatement::Kind::Begin
               : word("ROLLBACK") || word("ABORT") ? SqlStatement::Kind::Rollback
                                                   : SqlStatement::Kind::Commit;
    ++at_;
    if (!take_word("WORK")) take_word("TRANSACTION");
  } else if (first.kind == SqlToken::Kind::Word) {
    unsupported(first);
  }
  if (!ends_statement()) unexpected("the end");
  while (take_symbol(";")) {
  }
  out.end = now().kind == SqlToken::Kind::End ? text_.size() : now().begin;
  out.query.datasets.assign(datasets_.begin(), datasets_.end());
  return out;
}

void SqlParser::whole_query(SqlStatement& out) {
  const std::size_t begin = at_;
  out.query.sql = query(nullptr, &out.query.limit);
  out.text = written(begin);
}

void SqlParser::create(SqlStatement& out) {
  if (take_word("OR")) {
    need_word("REPLACE");
    out.or_replace = true;
  }
  const bool temporary = take_word("TEMP") || take_word("TEMPORARY");
  if (take_word("VIEW")) {
    out.kind = temporary ? SqlStatement::Kind::CreateTempView : SqlStatement::Kind::CreateView;
    out.name = name("a name");
    need_word("AS");
    whole_query(out);
    return;
  }
  if (!word("TABLE")) unsupported(now());
  if (out.or_replace) unsupported(now(), "OR REPLACE");
  ++at_;
  out.kind = temporary ? SqlStatement::Kind::CreateTempTable : SqlStatement::Kind::CreateTable;
  create_table(out);
}

void SqlParser::create_table(SqlStatement& out) {
  if (take_word("IF")) {
    need_word("NOT");
    need_word("EXISTS");
    out.if_exists = true;
  }
  out.name = name("a name");
  if (symbol("(")) {
    if (out.kind == SqlStatement::Kind::CreateTempTable) unsupported(now(), "a list of columns of a temporary table,");
    return typed_columns(out);
  }
  if (take_word("WITH")) text_options(out);
  need_word("AS");
  if (symbol("(")) throw SqlFailure("42601", "the SELECT must not be wrapped in parentheses", now().begin);
  whole_query(out);
}

void SqlParser::typed_columns(SqlStatement& out) {
  out.kind = SqlStatement::Kind::CreateTyped;
  need_symbol("(");
  std::set<std::string> known;
  do {
    const SqlToken token = now();
    const std::string column = name("a column");
    if (!known.insert(sql_lower(column)).second)
      throw SqlFailure("42701", "the column '" + column + "' is there twice", token.begin);
    out.query.sql +=
        (out.query.sql.empty() ? "SELECT CAST(NULL AS " : ", CAST(NULL AS ") + type_name() + ") AS " + sql_name(column);
    if (word("PRIMARY")) {
      if (out.identity) throw SqlFailure("42601", "a table has one primary identity", now().begin);
      out.identity = identity_of(column);
    }
  } while (take_symbol(","));
  need_symbol(")");
  out.query.sql += " WHERE false";
  if (take_word("WITH")) text_options(out);
}

/// PRIMARY IDENTITY, already in front, and NAMESPACE behind it.
SqlStatement::Identity SqlParser::identity_of(const std::string& column) {
  need_word("PRIMARY");
  need_word("IDENTITY");
  std::string of = column;
  if (of.empty()) {
    need_symbol("(");
    of = name("a column");
    need_symbol(")");
  }
  need_word("NAMESPACE");
  if (now().kind != SqlToken::Kind::Text) unexpected("a namespace in quotes");
  return {of, tokens_[at_++].text};
}

void SqlParser::alter(SqlStatement& out) {
  if (!word("TABLE")) unsupported(now());
  ++at_;
  out.kind = SqlStatement::Kind::Identify;
  out.name = name("a table");
  if (!word("ADD")) unsupported(now());
  ++at_;
  if (!word("CONSTRAINT")) unsupported(now());
  ++at_;
  out.identity = identity_of("");
}

/// $$ BEGIN statements [EXCEPTION WHEN OTHER THEN statements] END $$, of which $$ is read.
///
/// What a step means is found out when its turn comes: it may need what those before it made.
void SqlParser::block(SqlStatement& out) {
  out.kind = SqlStatement::Kind::Block;
  need_word("BEGIN");
  take_symbol(";");
  out.steps = steps();
  if (take_word("EXCEPTION")) {
    need_word("WHEN");
    if (!take_word("OTHER")) need_word("OTHERS");
    need_word("THEN");
    out.handler = steps();
  }
  need_word("END");
  take_symbol(";");
  need_symbol("$$");
}

std::vector<SqlStatement::Step> SqlParser::steps() {
  std::vector<SqlStatement::Step> out;
  while (!word("EXCEPTION") && !word("END")) {
    const std::size_t begin = now().begin;
    // CASE ... END lies inside a step, so that only a semicolon ends one.
    while (!symbol(";") && now().kind != SqlToken::Kind::End && !symbol("$$")) ++at_;
    if (!symbol(";")) unexpected("';' behind each statement of a block");
    out.push_back({begin, now().begin});
    ++at_;
  }
  return out;
}

void SqlParser::text_options(SqlStatement& out) {
  need_symbol("(");
  do {
    const SqlToken option = now();
    const std::string key = option.kind == SqlToken::Kind::Text ? (++at_, option.text) : name("an option");
    static const std::set<std::string> kOptions{"schema", "rowvalidation", "label"};
    if (!kOptions.contains(sql_lower(key))) unsupported(option, "the option");
    need_symbol("=");
    const SqlToken value = now();
    if (value.kind != SqlToken::Kind::Text && value.kind != SqlToken::Kind::Word) unexpected("a text");
    ++at_;
    out.options[sql_lower(key)] = value.text;
  } while (take_symbol(","));
  need_symbol(")");
}

void SqlParser::drop(SqlStatement& out) {
  out.kind = SqlStatement::Kind::Drop;
  out.view = word("VIEW");
  if (!out.view && !word("TABLE")) unsupported(now());
  ++at_;
  if (take_word("IF")) {
    need_word("EXISTS");
    out.if_exists = true;
  }
  out.name = name("a name");
}

void SqlParser::insert(SqlStatement& out) {
  out.kind = SqlStatement::Kind::Insert;
  if (!word("INTO")) unsupported(now());
  ++at_;
  take_word("TABLE");
  out.name = name("a table");
  if (symbol("(")) {
    if (begins_query()) throw SqlFailure("42601", "the SELECT must not be wrapped in parentheses", now().begin);
    unsupported(now(), "a list of columns,");
  }
  if (!begins_query()) unexpected("SELECT");
  whole_query(out);
}

void SqlParser::set(SqlStatement& out) {
  out.kind = SqlStatement::Kind::Set;
  if (ahead(1).kind == SqlToken::Kind::Word && !ahead(1).is_word("TO")) {
    if (!take_word("SESSION")) take_word("LOCAL");
  }
  out.name = name("a setting");
  while (take_symbol(".")) out.name += "." + name("a setting");
  if (!take_symbol("=")) need_word("TO");
  std::size_t begin = at_;
  while (!ends_statement()) ++at_;
  if (at_ == begin) unexpected("a value");
  out.value = at_ - begin == 1 ? tokens_[begin].text : written(begin);
}

void SqlParser::show(SqlStatement& out) {
  if (word("TABLES")) {
    ++at_;
    out.kind = SqlStatement::Kind::ShowTables;
    return;
  }
  const SqlToken token = now();
  out.kind = SqlStatement::Kind::Show;
  out.name = name("TABLES or a setting");
  if (token.is_word("TRANSACTION")) {  // drivers ask for the isolation level in two words more
    while (!ends_statement()) out.name += "_" + name("a setting");
  }
  while (take_symbol(".")) out.name += "." + name("a setting");
  static const std::set<std::string> kOthers{"ALL", "DATABASES", "SCHEMAS", "VIEWS", "COLUMNS", "FUNCTIONS", "CREATE"};
  if (kOthers.contains(sql_upper(token.text))) unsupported(token);
}

void SqlParser::declare(SqlStatement& out) {
  out.kind = SqlStatement::Kind::Declare;
  out.name = name("a cursor");
  while (word("BINARY") || word("INSENSITIVE") || word("ASENSITIVE") || word("NO") || word("SCROLL")) {
    if (word("BINARY")) unsupported(now());
    if (word("SCROLL") && !tokens_[at_ - 1].is_word("NO")) unsupported(now());
    ++at_;
  }
  need_word("CURSOR");
  out.hold = word("WITH");
  if (take_word("WITH") || take_word("WITHOUT")) need_word("HOLD");
  need_word("FOR");
  if (!begins_query()) unexpected("SELECT");
  whole_query(out);
}

void SqlParser::fetch(SqlStatement& out) {
  out.kind = SqlStatement::Kind::Fetch;
  out.count = 1;
  for (const char* direction : {"PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "BACKWARD"})
    if (word(direction) && !ends_statement() && (ahead(1).kind != SqlToken::Kind::End)) unsupported(now());
  if (take_word("NEXT")) {
    out.count = 1;
  } else {
    const bool forward = take_word("FORWARD");
    if (take_word("ALL"))
      out.count.reset();
    else if (now().kind == SqlToken::Kind::Number)
      out.count = whole_number();
    else if (forward)
      out.count = 1;
  }
  if (!take_word("FROM")) take_word("IN");
  out.name = name("a cursor");
}

SqlStatement sql_statement(std::string_view sql, SqlRelations& relations, std::size_t begin) {
  try {
    return SqlParser(sql, relations, begin).statement();
  } catch (const DatabaseError& error) {
    throw engine_failure(error.what());
  }
}

SqlFailure engine_failure(const std::string& said) {
  const std::string first = said.substr(0, said.find('\n'));
  const auto begins = [&](std::string_view word) { return first.starts_with(word); };
  const std::string why = first.find(": ") == std::string::npos ? first : first.substr(first.find(": ") + 2);
  if (begins("Binder") || begins("Catalog")) return {"42804", why};
  if (begins("Parser") || begins("Syntax")) return {"42601", why};
  if (begins("Conversion") || begins("Out of Range") || begins("Invalid Input")) return {"22000", why};
  if (begins("INTERRUPT")) return {"57014", "the query was cancelled"};
  return {"58000", why};
}

}  // namespace emulator
