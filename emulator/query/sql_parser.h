#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/query/sql_tokens.h"
#include "emulator/query/sql_translator.h"

namespace emulator {

/// An expression in the engine's SQL, and its type where a path told it.
struct SqlExpression {
  std::string sql;
  std::optional<SqlType> type;
  std::string name;  // the column it becomes without an alias
  /// Of an aggregate: the rows it takes, all when empty, and what it is when there are none.
  std::string only = {};
  std::string otherwise = {};
};

/// The names an expression may use.
struct SqlScope {
  struct Source {
    std::string alias;
    std::vector<SqlColumn> columns;
  };
  std::vector<Source> sources;
  std::set<std::string> merged;   // lower case: columns of USING, one although two sources have them
  std::set<std::string> aliases;  // lower case: of the select list
  std::string from;               // what the sources are read from; empty for none
  const SqlScope* outer = nullptr;
};

/// Arguments of a function call, for its translation.
struct SqlCall {
  std::string name;  // lower case
  std::size_t begin = 0;
  std::vector<SqlExpression> arguments;
  std::vector<std::string> names;  // of struct members
};

/// Recursive descent over the tokens; emits the engine's SQL while it reads.
class SqlParser {
 public:
  SqlParser(std::string_view sql, SqlRelations& relations, std::size_t begin);

  SqlStatement statement();

  /// The type of an expression: known from its path, or asked of the engine; Other when it has none by itself.
  SqlType type_of(const SqlExpression& expression, const SqlScope& scope);
  SqlRelations& relations() { return relations_; }

 private:
  // Tokens.
  const SqlToken& now() const { return tokens_[at_]; }
  const SqlToken& ahead(std::size_t by) const { return tokens_[std::min(at_ + by, tokens_.size() - 1)]; }
  bool word(std::string_view upper) const { return now().is_word(upper); }
  bool symbol(std::string_view text) const { return now().is_symbol(text); }
  bool take_word(std::string_view upper);
  bool take_symbol(std::string_view text);
  void need_word(std::string_view upper);
  void need_symbol(std::string_view text);
  std::string name(std::string_view what);
  std::uint64_t whole_number();
  bool ends_statement() const { return now().kind == SqlToken::Kind::End || symbol(";"); }
  std::string written(std::size_t first_token) const;
  [[noreturn]] void unexpected(std::string_view wanted) const;
  [[noreturn]] void unsupported(const SqlToken& token, const std::string& what = "") const;

  // Statements.
  void create(SqlStatement& out);
  void create_table(SqlStatement& out);
  void drop(SqlStatement& out);
  void insert(SqlStatement& out);
  void set(SqlStatement& out);
  void show(SqlStatement& out);
  void declare(SqlStatement& out);
  void fetch(SqlStatement& out);
  void whole_query(SqlStatement& out);
  void typed_columns(SqlStatement& out);
  SqlStatement::Identity identity_of(const std::string& column);
  void alter(SqlStatement& out);
  void block(SqlStatement& out);
  std::vector<SqlStatement::Step> steps();
  void text_options(SqlStatement& out);

  // Queries.
  std::string query(const SqlScope* outer, std::optional<std::uint64_t>* limit = nullptr);
  void common_tables(const SqlScope* outer);
  std::string with_shared(std::size_t from) const;
  std::vector<SqlColumn> describe(const std::string& query);
  std::string set_operations(const SqlScope* outer, int least, SqlScope& scope);
  std::string query_term(const SqlScope* outer, SqlScope& scope);
  std::string select(const SqlScope* outer, SqlScope& scope);
  std::string values(const SqlScope* outer);
  std::string select_list(SqlScope& scope);
  std::string select_item(SqlScope& scope, bool& generated);
  std::string generator(const std::string& function, const SqlExpression& value, const SqlType& type, std::size_t place,
                        std::vector<std::string>& names);
  std::string order_by(SqlScope& scope);
  bool begins_query() const;
  std::size_t from_position() const;
  void from(SqlScope& scope);
  void from_item(SqlScope& scope, const SqlScope* outer);
  void joins(SqlScope& scope, const SqlScope* outer);
  void lateral_view(SqlScope& scope);
  SqlSnapshot snapshot();
  std::string snapshot_end();
  std::optional<std::string> alias();
  void add_source(SqlScope& scope, const std::string& sql, std::vector<SqlColumn> columns, const std::string& fallback);

  // Expressions, from the loosest operator to the tightest.
  SqlExpression expression(const SqlScope& scope);
  SqlExpression conjunction(const SqlScope& scope);
  SqlExpression negation(const SqlScope& scope);
  SqlExpression predicate(const SqlScope& scope);
  SqlExpression predicate_tail(const SqlScope& scope, SqlExpression left, const std::string& negated);
  SqlExpression sum(const SqlScope& scope);
  SqlExpression product(const SqlScope& scope);
  SqlExpression unary(const SqlScope& scope);
  SqlExpression postfix(const SqlScope& scope);
  SqlExpression primary(const SqlScope& scope);
  SqlExpression case_expression(const SqlScope& scope);
  SqlExpression cast_call(const SqlScope& scope);
  SqlExpression cast(SqlExpression value, const SqlScope& scope);
  SqlExpression trim_call(const SqlScope& scope);
  SqlExpression number_literal();
  SqlExpression call(const SqlScope& scope);
  std::string window(const SqlScope& scope);
  std::string frame();
  SqlExpression path(const SqlScope& scope);
  SqlExpression reach(SqlExpression base, const std::string& member, std::size_t place, const SqlScope& scope);
  std::optional<SqlExpression> column(const SqlScope& scope, const std::vector<SqlToken>& parts, std::size_t& used);
  std::string type_name();
  std::string list_of(const SqlScope& scope);

  std::string_view text_;
  SqlRelations& relations_;
  std::vector<SqlToken> tokens_;
  std::size_t at_ = 0;
  std::map<std::string, SqlRelation> common_;  // by lower-case name
  std::vector<std::string> shared_;            // what those of WITH are in the engine's SQL, in their order
  int common_number_ = 0;
  std::set<std::string> datasets_;
  int depth_ = 0;
};

/// The engine's SQL of a function call; nullopt when Spark has no such function that we know.
/// Throws SqlFailure for arguments it cannot have.
std::optional<SqlExpression> sql_call(SqlParser& parser, const SqlScope& scope, const SqlCall& call);
/// Whether there is a function of that name.
bool is_sql_function(const std::string& lower_case_name);
/// Whether a name may stand before OVER or take DISTINCT.
bool is_sql_aggregate(const std::string& lower_case_name);

}  // namespace emulator
