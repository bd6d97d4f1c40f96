#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulator/data/worker.h"
#include "emulator/query/lake_writer.h"
#include "emulator/query/sql_translator.h"

namespace emulator {

/// What all sessions share. Outlives them.
struct QueryCore {
  Platform& platform;
  SqlEngine& engine;
  LakeTables& tables;
  LakeWriter& writer;
  Worker& deadlines;
};

/// The rows a statement gives, all cells text, and what it says at its end.
class QueryResult {
 public:
  virtual ~QueryResult() = default;
  /// False after the last row. Throws SqlFailure.
  virtual bool next(std::vector<Cell>& row) = 0;
  /// "SELECT 3": complete once `next` said false.
  virtual std::string tag() const = 0;
};

/// How a session's statements run.
enum class QueryMode {
  Interactive,  // rows are cut and time is limited
  Batch         // all rows, and a day; this is how REST runs them
};

/// One session of Query Service: its settings, temporary tables, views and cursors. Used by one thread at a time, but
/// for `cancel`.
class QuerySession : private SqlRelations {
 public:
  QuerySession(QueryCore core, QueryMode mode);
  ~QuerySession() override;

  /// Understands the statement of `sql` that begins at that byte. Throws SqlFailure.
  SqlStatement parse(std::string_view sql, std::size_t begin = 0) { return sql_statement(sql, *this, begin); }
  /// Columns of what it will give; empty for a statement without rows. Throws SqlFailure.
  std::vector<SqlColumn> columns(const SqlStatement& statement);
  /// Runs a block: its statements one after the other, what is done stays done. `sql` is what `parse` was given.
  std::unique_ptr<QueryResult> execute_block(const SqlStatement& statement, std::string_view sql,
                                             const std::string& query_id);
  /// Runs any other. At most one result is open at a time. Throws SqlFailure.
  std::unique_ptr<QueryResult> execute(const SqlStatement& statement, const std::string& query_id);

  /// Ends the statement that runs, with 57014. Any thread; without effect when none runs.
  void cancel();
  /// The same for ever: what begins later is refused with 57P01.
  void end();
  /// The dataset made by the last CREATE TABLE AS.
  const std::string& made_dataset() const { return made_dataset_; }
  std::string setting(const std::string& name) const;
  /// Whether the session thinks it is in a transaction, of which there are none.
  bool in_transaction() const { return in_transaction_; }
  /// Whether the last statement took longer than it may.
  bool timed_out() const;

 private:
  struct Guard;
  struct Cursor;
  class Rows;

  std::optional<SqlRelation> find(const std::string& name, const SqlSnapshot& snapshot) override;
  std::optional<SqlRelation> history(const std::string& name) override;
  std::vector<SqlColumn> describe(const std::string& query) override;
  std::string now() const override;

  std::shared_ptr<Guard> begin();
  std::string as_text(const std::string& query, const std::vector<SqlColumn>& columns) const;
  std::string capped(const SqlQuery& query) const;
  std::unique_ptr<QueryResult> select(const SqlStatement& statement);
  std::unique_ptr<QueryResult> show_tables();
  std::unique_ptr<QueryResult> create_table(const SqlStatement& statement, const std::string& query_id);
  std::unique_ptr<QueryResult> create_temporary(const SqlStatement& statement);
  std::unique_ptr<QueryResult> create_view(const SqlStatement& statement);
  std::unique_ptr<QueryResult> drop(const SqlStatement& statement);
  std::unique_ptr<QueryResult> create_typed(const SqlStatement& statement);
  std::unique_ptr<QueryResult> identify(const SqlStatement& statement);
  std::unique_ptr<QueryResult> insert(const SqlStatement& statement, const std::string& query_id);
  std::unique_ptr<QueryResult> declare(const SqlStatement& statement);
  std::unique_ptr<QueryResult> fetch(const SqlStatement& statement);
  void close_cursor(const std::string& name);
  void close_cursors();
  void end_transaction();
  void need_entitlement() const;

  QueryCore core_;
  QueryMode mode_;
  SqlConnection connection_;
  std::map<std::string, std::string> settings_;   // by lower-case name
  std::map<std::string, SqlRelation> temporary_;  // tables, by lower-case name
  std::map<std::string, std::string> views_;      // temporary ones: the dialect's text
  std::map<std::string, std::unique_ptr<Cursor>> cursors_;
  std::shared_ptr<Guard> guard_;  // of the statement that runs; behind `mutex_` for `cancel`
  std::mutex mutex_;
  std::string made_dataset_;
  std::uint64_t made_ = 0;  // names of the engine's tables
  int view_depth_ = 0;
  bool in_transaction_ = false;
  bool ended_ = false;  // behind `mutex_`
};

}  // namespace emulator
