#include "emulator/query/query_session.h"
#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

using BlockVariables = std::map<std::string, Cell>;  // by lower-case name, at sign included

class BlockDone : public QueryResult {
 public:
  bool next(std::vector<Cell>&) override { return false; }
  std::string tag() const override { return "BLOCK"; }
};

/// The text with the values of variables in their places, as texts.
std::string with_variables(const std::string& sql, const std::vector<SqlToken>& words, const BlockVariables& variables,
                           std::size_t begin) {
  std::string out;
  std::size_t done = begin;
  for (const SqlToken& word : words) {
    if (word.kind != SqlToken::Kind::Variable || word.begin < begin) continue;
    const auto known = variables.find(sql_lower(word.text));
    if (known == variables.end())
      throw SqlFailure("42704", "the variable " + word.text + " has no value; SET it before", word.begin);
    out += sql.substr(done, word.begin - done);
    done = word.end;
    if (!known->second) {
      out += "NULL";
      continue;
    }
    out += '\'';
    for (const char c : *known->second) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    out += '\'';
  }
  return out + sql.substr(done);
}

}  // namespace

std::unique_ptr<QueryResult> QuerySession::execute_block(const SqlStatement& statement, std::string_view sql,
                                                         const std::string& query_id) {
  BlockVariables variables;
  const auto run = [&](const SqlStatement::Step& step) {
    const std::string text(sql.substr(step.begin, step.end - step.begin));
    try {
      const auto words = sql_tokens(text);
      // SET @name = SELECT ...
      const bool sets = words[0].is_word("SET") && words[1].kind == SqlToken::Kind::Variable;
      if (sets && !words[2].is_symbol("="))
        throw SqlFailure("42601", "'=' is expected behind " + words[1].text, words[2].begin);
      const std::string whole = with_variables(text, words, variables, sets ? words[2].end : 0);
      const SqlStatement one = parse(whole);
      if (one.kind == SqlStatement::Kind::Block) throw SqlFailure("0A000", "'$$' is not supported inside a block", 0);
      if (sets && one.kind != SqlStatement::Kind::Query)
        throw SqlFailure("42601", "a SELECT is expected behind " + words[1].text + " =", words[2].begin);
      const auto result = execute(one, query_id);
      std::vector<Cell> row;
      const bool any = result->next(row);
      if (sets) variables[sql_lower(words[1].text)] = any && !row.empty() ? row.front() : Cell();
      while (any && result->next(row)) {
      }
    } catch (const SqlFailure& failure) {
      // Places inside a step whose variables were replaced are no places of the text; where it begins is.
      throw SqlFailure(failure.state, failure.what(), step.begin);
    }
  };
  try {
    for (const auto& step : statement.steps) run(step);
  } catch (const SqlFailure& failure) {
    if (!statement.handler || failure.state == "57014" || failure.state == "57P01") throw;
    for (const auto& step : *statement.handler) run(step);
  }
  return std::make_unique<BlockDone>();
}

}  // namespace emulator
