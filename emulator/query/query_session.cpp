#include "emulator/query/query_session.h"

#include <algorithm>

#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

constexpr std::int64_t kInsist = 20;  // ms until a statement that did not hear is told again

constexpr std::int64_t kBatchTimeout = 24LL * 3600 * 1000;

const SqlType kTextType{SqlType::Kind::Text, "VARCHAR", {}};

std::string column_names(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "c" : ", c") + std::to_string(i);
  return out;
}

/// Rows that are there already, or none.
class ReadyRows : public QueryResult {
 public:
  ReadyRows(std::string tag, std::vector<std::vector<Cell>> rows = {}) : tag_(std::move(tag)), rows_(std::move(rows)) {}
  bool next(std::vector<Cell>& row) override {
    if (next_ == rows_.size()) return false;
    row = rows_[next_++];
    return true;
  }
  std::string tag() const override { return tag_; }

 private:
  std::string tag_;
  std::vector<std::vector<Cell>> rows_;
  std::size_t next_ = 0;
};

std::unique_ptr<QueryResult> said(std::string tag) { return std::make_unique<ReadyRows>(std::move(tag)); }

}  // namespace

/// A statement that runs, for those who want it to end: a cancel request, or the clock.
struct QuerySession::Guard : std::enable_shared_from_this<Guard> {
  enum class Why { Runs, Cancelled, TimedOut };

  std::mutex mutex;
  SqlConnection* connection = nullptr;  // null once it is over
  std::atomic<Why> why{Why::Runs};

  void over() {
    const std::lock_guard lock(mutex);
    connection = nullptr;
  }
  bool stop(Why reason) {
    const std::lock_guard lock(mutex);
    if (connection == nullptr) return false;
    Why runs = Why::Runs;
    why.compare_exchange_strong(runs, reason);
    connection->interrupt();
    return true;
  }
  /// An interrupt between two steps of a statement is lost, so it is repeated until the statement is over.
  static void insist(const std::weak_ptr<Guard>& guard, Why reason, QueryCore core) {
    const auto held = guard.lock();
    if (!held || !held->stop(reason)) return;
    core.deadlines.at(core.platform.clock.now_ms() + kInsist, [guard, reason, core] { insist(guard, reason, core); });
  }
  void check() const {
    if (why == Why::Cancelled) throw SqlFailure("57014", "the query was cancelled");
    if (why == Why::TimedOut)
      throw SqlFailure("53400", "the statement took longer than a query may: statement timeout");
  }
  /// What an error of the engine means while somebody may have ended it.
  SqlFailure failure(const DatabaseError& error) const {
    try {
      check();
    } catch (const SqlFailure& stopped) {
      return stopped;
    }
    return engine_failure(error.what());
  }
};

/// A cursor's rows wait in a table of the session, as text; memory is the engine's.
struct QuerySession::Cursor {
  std::string table;
  std::vector<SqlColumn> columns;
  std::uint64_t next = 0;
  bool hold = false;
};

class QuerySession::Rows : public QueryResult {
 public:
  Rows(std::unique_ptr<SqlRows> rows, std::shared_ptr<Guard> guard, std::string word)
      : rows_(std::move(rows)), guard_(std::move(guard)), word_(std::move(word)) {}
  ~Rows() override { guard_->over(); }

  bool next(std::vector<Cell>& row) override {
    guard_->check();
    try {
      if (!rows_->next(row)) {
        guard_->over();
        return false;
      }
    } catch (const DatabaseError& error) {
      throw guard_->failure(error);
    }
    ++count_;
    return true;
  }
  std::string tag() const override { return word_ + " " + std::to_string(count_); }

 private:
  std::unique_ptr<SqlRows> rows_;
  std::shared_ptr<Guard> guard_;
  std::string word_;
  std::uint64_t count_ = 0;
};

QuerySession::QuerySession(QueryCore core, QueryMode mode) : core_(core), mode_(mode), connection_(core.engine) {}

QuerySession::~QuerySession() {
  if (guard_) guard_->over();
}

std::string QuerySession::setting(const std::string& name) const {
  const auto found = settings_.find(sql_lower(name));
  return found == settings_.end() ? std::string() : found->second;
}

std::optional<SqlRelation> QuerySession::find(const std::string& name, const SqlSnapshot& snapshot) {
  const std::string key = sql_lower(name);
  if (!snapshot.given()) {
    if (const auto temporary = temporary_.find(key); temporary != temporary_.end()) return temporary->second;
    std::string text;
    if (const auto view = views_.find(key); view != views_.end()) {
      text = view->second;
    } else {
      const auto lock = core_.platform.objects.lock();
      if (const Json* kept = core_.platform.objects.find("query_view", key)) text = (*kept)["sql"];
    }
    if (!text.empty()) {
      if (++view_depth_ > 20) throw SqlFailure("42P17", "the view '" + name + "' refers to itself");
      const SqlStatement statement = sql_statement(text, *this);
      --view_depth_;
      return SqlRelation{"(" + statement.query.sql + ")", describe(statement.query.sql), statement.query.datasets};
    }
  }
  const auto table = core_.tables.find(name);
  if (!table) return std::nullopt;
  const bool fallback = sql_lower(setting("resolve_fallback_snapshot_on_failure")) == "true";
  return core_.tables.read(*table, snapshot, fallback ? SnapshotFallback::ReadAll : SnapshotFallback::Refuse,
                           connection_);
}

std::optional<SqlRelation> QuerySession::history(const std::string& name) {
  const auto table = core_.tables.find(name);
  if (!table) return std::nullopt;
  SqlRelation relation = core_.tables.history(*table);
  relation.columns = describe("SELECT * FROM " + relation.sql);
  return relation;
}

std::vector<SqlColumn> QuerySession::describe(const std::string& query) { return connection_.describe(query); }

std::string QuerySession::now() const {
  std::string text = iso8601(core_.platform.clock.now_ms());
  std::replace(text.begin(), text.end(), 'T', ' ');
  text.pop_back();  // Z
  return text;
}

std::shared_ptr<QuerySession::Guard> QuerySession::begin() {
  auto guard = std::make_shared<Guard>();
  guard->connection = &connection_;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) throw SqlFailure("57P01", "the emulator stops");
    if (guard_) guard_->over();
    guard_ = guard;
  }
  std::int64_t timeout = kBatchTimeout;
  if (mode_ == QueryMode::Interactive) {
    const auto lock = core_.platform.objects.lock();
    timeout = core_.platform.settings.query_timeout.count();
  }
  const std::weak_ptr<Guard> weak = guard;
  core_.deadlines.at(core_.platform.clock.now_ms() + timeout,
                     [weak, core = core_] { Guard::insist(weak, Guard::Why::TimedOut, core); });
  return guard;
}

bool QuerySession::timed_out() const { return guard_ != nullptr && guard_->why == Guard::Why::TimedOut; }

void QuerySession::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  cancel();
}

void QuerySession::cancel() {
  std::shared_ptr<Guard> guard;
  {
    const std::lock_guard lock(mutex_);
    guard = guard_;
  }
  if (guard) Guard::insist(guard, Guard::Why::Cancelled, core_);
}

std::string QuerySession::as_text(const std::string& query, const std::vector<SqlColumn>& columns) const {
  const bool json = sql_lower(setting("auto_to_json")) == "true";
  std::string select;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string column = "c" + std::to_string(i);
    select += (i == 0 ? "" : ", ") + (json ? json_text(column, columns[i].type) : wire_text(column, columns[i].type)) +
              " AS " + column;
  }
  return "SELECT " + select + " FROM (" + query + ") AS r(" + column_names(columns.size()) + ")";
}

std::string QuerySession::capped(const SqlQuery& query) const {
  if (mode_ == QueryMode::Batch) return query.sql;
  std::uint64_t cap = 0;
  std::uint64_t most = 0;
  {
    const auto lock = core_.platform.objects.lock();
    cap = core_.platform.settings.query_row_cap;
    most = core_.platform.settings.query_limit_max;
  }
  if (query.limit) {
    if (*query.limit > most)
      throw SqlFailure("53400", "LIMIT " + std::to_string(*query.limit) + " is more than " + std::to_string(most) +
                                    ", the largest of an interactive query");
    return query.sql;
  }
  return "SELECT * FROM (" + query.sql + ") LIMIT " + std::to_string(cap);
}

std::vector<SqlColumn> QuerySession::columns(const SqlStatement& statement) {
  const auto texts = [](std::initializer_list<const char*> names) {
    std::vector<SqlColumn> out;
    for (const char* name : names) out.push_back({name, kTextType});
    return out;
  };
  switch (statement.kind) {
    case SqlStatement::Kind::Query:
      try {
        return describe(statement.query.sql);
      } catch (const DatabaseError& error) {
        throw engine_failure(error.what());
      }
    case SqlStatement::Kind::ShowTables:
      return texts({"name", "dataSetId", "dataSet", "description", "resolved"});
    case SqlStatement::Kind::Show:
      return {{sql_lower(statement.name), kTextType}};
    case SqlStatement::Kind::CreateTable:
      return texts({"Created Table DataSet Id"});
    case SqlStatement::Kind::Fetch: {
      const auto cursor = cursors_.find(sql_lower(statement.name));
      if (cursor == cursors_.end()) throw SqlFailure("34000", "there is no cursor '" + statement.name + "'");
      return cursor->second->columns;
    }
    default:
      return {};
  }
}

std::unique_ptr<QueryResult> QuerySession::execute(const SqlStatement& statement, const std::string& query_id) {
  using What = SqlStatement::Kind;
  switch (statement.kind) {
    case What::Empty:
      return said("");
    case What::Query:
      return select(statement);
    case What::ShowTables:
      return show_tables();
    case What::Show: {
      std::string value = setting(statement.name);
      if (sql_lower(statement.name) == "server_version") value = "0.1.0";
      if (sql_lower(statement.name) == "transaction_isolation_level") value = "read committed";
      return std::make_unique<ReadyRows>("SHOW", std::vector<std::vector<Cell>>{{value}});
    }
    case What::Set:
      settings_[sql_lower(statement.name)] = statement.value;
      return said("SET");
    case What::Begin:
      in_transaction_ = true;
      return said("BEGIN");
    case What::Commit:
    case What::Rollback:
      end_transaction();
      return said(statement.kind == What::Commit ? "COMMIT" : "ROLLBACK");
    case What::CreateTable:
      return create_table(statement, query_id);
    case What::CreateTempTable:
      return create_temporary(statement);
    case What::CreateView:
    case What::CreateTempView:
      return create_view(statement);
    case What::Drop:
      return drop(statement);
    case What::Insert:
      return insert(statement, query_id);
    case What::Declare:
      return declare(statement);
    case What::Fetch:
      return fetch(statement);
    case What::Close:
      if (statement.name.empty())
        close_cursors();
      else
        close_cursor(statement.name);
      return said("CLOSE CURSOR");
    case What::CreateTyped:
      return create_typed(statement);
    case What::Identify:
      return identify(statement);
    case What::Block:
      break;  // execute_block
  }
  throw SqlFailure("0A000", "the statement is not supported");
}

std::unique_ptr<QueryResult> QuerySession::select(const SqlStatement& statement) {
  const auto guard = begin();
  try {
    const std::string query = as_text(capped(statement.query), describe(statement.query.sql));
    return std::make_unique<Rows>(connection_.open(query), guard, "SELECT");
  } catch (const DatabaseError& error) {
    guard->over();
    throw guard->failure(error);
  }
}

std::unique_ptr<QueryResult> QuerySession::show_tables() {
  std::vector<std::vector<Cell>> rows;
  for (const LakeTable& one : core_.tables.all())
    rows.push_back({one.table, one.dataset, one.name, one.description, "true"});
  return std::make_unique<ReadyRows>("SHOW", std::move(rows));
}

void QuerySession::need_entitlement() const {
  const auto lock = core_.platform.objects.lock();
  if (!core_.platform.settings.query_batch)
    throw SqlFailure("42501",
                     "CREATE TABLE AS SELECT and INSERT INTO are batch queries: the organisation has no "
                     "entitlement for them (Data Distiller)");
}

std::unique_ptr<QueryResult> QuerySession::create_table(const SqlStatement& statement, const std::string& query_id) {
  need_entitlement();
  const auto option = [&](const char* name) {
    const auto found = statement.options.find(name);
    return found == statement.options.end() ? std::string() : found->second;
  };
  if (core_.tables.find(statement.name) || temporary_.contains(sql_lower(statement.name))) {
    if (statement.if_exists) return said("CREATE TABLE AS");
    throw SqlFailure("42P07", "the table '" + statement.name + "' exists already");
  }
  if (!option("label").empty())
    throw SqlFailure("0A000", "the option 'label' is not supported: nothing is profile-enabled here");
  const std::string schema = option("schema");
  made_dataset_ = core_.writer.create(statement.name, schema, option("description"), statement.query.sql, connection_);
  const auto table = core_.tables.find(statement.name);
  if (!table) throw SqlFailure("58000", "the dataset " + made_dataset_ + " has no table name yet");
  const auto guard = begin();
  try {
    core_.writer.append(*table, {statement.query.sql, query_id, !schema.empty() && option("rowvalidation") != "false"},
                        connection_);
  } catch (const SqlFailure&) {
    guard->over();
    core_.writer.drop(*table);
    guard->check();
    throw;
  }
  guard->over();
  return std::make_unique<ReadyRows>("CREATE TABLE AS", std::vector<std::vector<Cell>>{{made_dataset_}});
}

std::unique_ptr<QueryResult> QuerySession::create_typed(const SqlStatement& statement) {
  if (core_.tables.find(statement.name) || temporary_.contains(sql_lower(statement.name))) {
    if (statement.if_exists) return said("CREATE TABLE");
    throw SqlFailure("42P07", "the table '" + statement.name + "' exists already");
  }
  for (const auto& [option, value] : statement.options)
    if (option != "rowvalidation")
      throw SqlFailure("0A000", "the option '" + option + "' is not supported for a table with a list of columns");
  core_.writer.create(statement.name, "", "", statement.query.sql, connection_);
  const auto table = core_.tables.find(statement.name);
  if (!table || !statement.identity) return said("CREATE TABLE");
  try {
    core_.writer.identify(*table, statement.identity->column, statement.identity->space, connection_);
  } catch (const SqlFailure&) {
    core_.writer.drop(*table);
    throw;
  }
  return said("CREATE TABLE");
}

std::unique_ptr<QueryResult> QuerySession::identify(const SqlStatement& statement) {
  const auto table = core_.tables.find(statement.name);
  if (!table) throw SqlFailure("42P01", "there is no table '" + statement.name + "'");
  core_.writer.identify(*table, statement.identity->column, statement.identity->space, connection_);
  return said("ALTER TABLE");
}

std::unique_ptr<QueryResult> QuerySession::insert(const SqlStatement& statement, const std::string& query_id) {
  if (temporary_.contains(sql_lower(statement.name)))
    throw SqlFailure("0A000", "INSERT into the temporary table '" + statement.name + "' is not supported");
  need_entitlement();
  const auto table = core_.tables.find(statement.name);
  if (!table) throw SqlFailure("42P01", "there is no table '" + statement.name + "'");
  const auto guard = begin();
  try {
    const std::uint64_t rows = core_.writer.append(*table, {statement.query.sql, query_id, true}, connection_);
    guard->over();
    return said("INSERT 0 " + std::to_string(rows));
  } catch (const SqlFailure&) {
    guard->over();
    guard->check();
    throw;
  }
}

std::unique_ptr<QueryResult> QuerySession::create_temporary(const SqlStatement& statement) {
  const std::string key = sql_lower(statement.name);
  if (temporary_.contains(key)) {
    if (statement.if_exists) return said("CREATE TABLE AS");
    throw SqlFailure("42P07", "the table '" + statement.name + "' exists already");
  }
  const std::string table = "session_table_" + std::to_string(++made_);
  const auto guard = begin();
  try {
    connection_.run("CREATE TEMP TABLE " + table + " AS " + statement.query.sql);
    std::vector<Cell> count;
    connection_.open("SELECT CAST(count(*) AS VARCHAR) FROM temp." + table)->next(count);
    guard->over();
    temporary_[key] = {"temp." + table, describe("SELECT * FROM temp." + table), {}};
    return said("SELECT " + count.front().value_or("0"));
  } catch (const DatabaseError& error) {
    guard->over();
    throw guard->failure(error);
  }
}

std::unique_ptr<QueryResult> QuerySession::create_view(const SqlStatement& statement) {
  const std::string key = sql_lower(statement.name);
  const auto lock = core_.platform.objects.lock();
  const bool known = core_.platform.objects.find("query_view", key) != nullptr || views_.contains(key) ||
                     temporary_.contains(key) || core_.tables.find(statement.name);
  if (known && !statement.or_replace) throw SqlFailure("42P07", "'" + statement.name + "' exists already");
  if (statement.kind == SqlStatement::Kind::CreateTempView)
    views_[key] = statement.text;
  else
    core_.platform.objects.put("query_view", key, {{"sql", statement.text}});
  return said("CREATE VIEW");
}

std::unique_ptr<QueryResult> QuerySession::drop(const SqlStatement& statement) {
  const std::string key = sql_lower(statement.name);
  const std::string done = statement.view ? "DROP VIEW" : "DROP TABLE";
  if (statement.view) {
    if (views_.erase(key) > 0) return said(done);
    const auto lock = core_.platform.objects.lock();
    if (core_.platform.objects.find("query_view", key) != nullptr) {
      core_.platform.objects.erase("query_view", key);
      return said(done);
    }
  } else if (const auto temporary = temporary_.find(key); temporary != temporary_.end()) {
    connection_.run("DROP TABLE " + temporary->second.sql);
    temporary_.erase(temporary);
    return said(done);
  } else if (const auto table = core_.tables.find(statement.name)) {
    core_.writer.drop(*table);
    return said(done);
  }
  if (statement.if_exists) return said(done);
  throw SqlFailure("42P01",
                   std::string("there is no ") + (statement.view ? "view" : "table") + " '" + statement.name + "'");
}

std::unique_ptr<QueryResult> QuerySession::declare(const SqlStatement& statement) {
  const std::string key = sql_lower(statement.name);
  if (cursors_.contains(key)) throw SqlFailure("42P03", "the cursor '" + statement.name + "' exists already");
  auto cursor = std::make_unique<Cursor>();
  cursor->hold = statement.hold;
  cursor->table = "session_cursor_" + std::to_string(++made_);
  bool cut = true;
  {
    const auto lock = core_.platform.objects.lock();
    cut = core_.platform.settings.query_cursors_capped;
  }
  const auto guard = begin();
  try {
    cursor->columns = describe(statement.query.sql);
    connection_.run("CREATE TEMP TABLE " + cursor->table + " AS " +
                    as_text(cut ? capped(statement.query) : statement.query.sql, cursor->columns));
    guard->over();
  } catch (const DatabaseError& error) {
    guard->over();
    throw guard->failure(error);
  }
  cursors_[key] = std::move(cursor);
  return said("DECLARE CURSOR");
}

void QuerySession::close_cursor(const std::string& name) {
  const auto found = cursors_.find(sql_lower(name));
  if (found == cursors_.end()) throw SqlFailure("34000", "there is no cursor '" + name + "'");
  connection_.run("DROP TABLE temp." + found->second->table);
  cursors_.erase(found);
}

void QuerySession::close_cursors() {
  while (!cursors_.empty()) close_cursor(cursors_.begin()->first);
}

/// Cursors end with it, those WITH HOLD do not.
void QuerySession::end_transaction() {
  in_transaction_ = false;
  std::vector<std::string> over;
  for (const auto& [name, cursor] : cursors_)
    if (!cursor->hold) over.push_back(name);
  for (const std::string& name : over) close_cursor(name);
}

std::unique_ptr<QueryResult> QuerySession::fetch(const SqlStatement& statement) {
  const auto found = cursors_.find(sql_lower(statement.name));
  if (found == cursors_.end()) throw SqlFailure("34000", "there is no cursor '" + statement.name + "'");
  Cursor& cursor = *found->second;
  const auto guard = begin();
  try {
    std::string rows = "SELECT " + column_names(cursor.columns.size()) + " FROM temp." + cursor.table +
                       " WHERE rowid >= " + std::to_string(cursor.next);
    if (statement.count) rows += " AND rowid < " + std::to_string(cursor.next + *statement.count);
    cursor.next = statement.count ? cursor.next + *statement.count : UINT64_C(1) << 60U;
    return std::make_unique<Rows>(connection_.open(rows + " ORDER BY rowid"), guard, "FETCH");
  } catch (const DatabaseError& error) {
    guard->over();
    throw guard->failure(error);
  }
}

}  // namespace emulator
