#include "engine/store/sqlite/sqlite_schema.h"

#include <fmt/format.h>

#include <array>

namespace audiencesync {
namespace {

constexpr std::int64_t kApplicationId = 0x41536E63;  // marks the file as ours, whatever its name

using Migration = Result<void> (*)(SqliteDatabase&);

// Values in JSON columns are canonical JSON; times are milliseconds since 1970 of the platform's clock.
Result<void> create_first_tables(SqliteDatabase& database) {
  return database.run_script(R"(
    CREATE TABLE runs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uid TEXT NOT NULL,
      definition TEXT NOT NULL,
      manifest TEXT NOT NULL,
      started INTEGER NOT NULL,
      ended INTEGER,
      verdict TEXT NOT NULL DEFAULT '',
      summary TEXT NOT NULL DEFAULT 'null'
    ) STRICT;
    CREATE INDEX runs_of_sync ON runs (uid, id);
    CREATE UNIQUE INDEX one_open_run ON runs (uid) WHERE ended IS NULL;

    CREATE TABLE changes (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      run INTEGER NOT NULL REFERENCES runs (id),
      change TEXT NOT NULL,
      opened INTEGER NOT NULL,
      closed INTEGER,
      state TEXT NOT NULL DEFAULT 'open',
      note TEXT NOT NULL DEFAULT 'null'
    ) STRICT;
    CREATE INDEX open_changes ON changes (run, id) WHERE closed IS NULL;

    CREATE TABLE intents (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      change INTEGER NOT NULL REFERENCES changes (id),
      step TEXT NOT NULL,
      number INTEGER NOT NULL,
      opened INTEGER NOT NULL,
      closed INTEGER,
      result TEXT,
      UNIQUE (change, step)
    ) STRICT;

    CREATE TABLE sequences (
      name TEXT PRIMARY KEY,
      last INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE snapshots (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      relation TEXT NOT NULL,
      content TEXT NOT NULL,
      dataset TEXT NOT NULL,
      generation INTEGER NOT NULL,
      batch TEXT NOT NULL,
      definition TEXT NOT NULL,
      source TEXT NOT NULL,
      people INTEGER NOT NULL,
      proven INTEGER NOT NULL,
      intent INTEGER NOT NULL UNIQUE REFERENCES intents (id)
    ) STRICT;
    CREATE TABLE current_snapshots (
      relation TEXT PRIMARY KEY,
      snapshot INTEGER NOT NULL REFERENCES snapshots (id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE batches (
      batch TEXT PRIMARY KEY,
      dataset TEXT NOT NULL,
      relation TEXT NOT NULL,
      generation INTEGER NOT NULL,
      records INTEGER NOT NULL,
      proven INTEGER NOT NULL,
      superseded INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX batches_of_relation ON batches (relation, generation, batch);

    CREATE TABLE quarantine (
      relation TEXT NOT NULL,
      person TEXT NOT NULL,
      reason TEXT NOT NULL,
      batch TEXT NOT NULL,
      since INTEGER NOT NULL,
      PRIMARY KEY (relation, person)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE remembered (
      uid TEXT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (uid, key)
    ) STRICT, WITHOUT ROWID;
  )",
                             "create the first tables");
}

Result<void> create_held_plans(SqliteDatabase& database) {
  return database.run_script(R"(
    CREATE TABLE held_plans (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uid TEXT NOT NULL,
      digest TEXT NOT NULL,
      definition TEXT NOT NULL,
      source TEXT NOT NULL,
      plan TEXT NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER NOT NULL,
      state TEXT NOT NULL DEFAULT 'held',
      decided INTEGER,
      decided_by TEXT NOT NULL DEFAULT '',
      reason TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX held_plans_of_sync ON held_plans (uid, id);
    CREATE UNIQUE INDEX one_live_plan ON held_plans (uid) WHERE state IN ('held', 'approved');
  )",
                             "create the table of held plans");
}

Result<void> allow_giving_up(SqliteDatabase& database) {
  return database.run_script("ALTER TABLE quarantine ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0;",
                             "add to the quarantine whom nobody waits for");
}

Result<void> create_history(SqliteDatabase& database) {
  return database.run_script(R"(
    ALTER TABLE snapshots ADD COLUMN delta TEXT NOT NULL DEFAULT '';
    ALTER TABLE snapshots ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX snapshots_of_relation ON snapshots (relation, id);

    CREATE TABLE suspensions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uid TEXT NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER,
      by TEXT NOT NULL,
      reason TEXT NOT NULL,
      run INTEGER NOT NULL DEFAULT 0,
      resumed INTEGER,
      resumed_by TEXT NOT NULL DEFAULT '',
      resumed_reason TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX suspensions_of_sync ON suspensions (uid, id);
  )",
                             "create the tables of the history");
}

Result<void> create_audit(SqliteDatabase& database) {
  return database.run_script(R"(
    CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      uid INTEGER NOT NULL,
      user TEXT NOT NULL,
      command TEXT NOT NULL,
      answer TEXT NOT NULL,
      ended INTEGER,
      code INTEGER
    ) STRICT;
    CREATE INDEX audit_by_time ON audit (at);
  )",
                             "create the table of commands");
}

// Since when a batch counts was known only of the newest full generation.
Result<void> keep_full_generations(SqliteDatabase& database) {
  return database.run_script("ALTER TABLE batches ADD COLUMN supersedes_below INTEGER NOT NULL DEFAULT 0;",
                             "add to the batches what each made superfluous");
}

// One row for each version ever released; rows are appended, never changed. Row n leads from version n to n + 1.
constexpr std::array<Migration, 6> kMigrations{&create_first_tables, &create_held_plans, &allow_giving_up,
                                               &create_history,      &create_audit,      &keep_full_generations};

Error wrong_version(const Path& file, std::int64_t version, std::string_view way_out) {
  return Error(ErrorCode::Unsupported, fmt::format("{}: the state has version {} and this program knows {}; {}",
                                                   file.string(), version, schema_version(), way_out));
}

Result<void> check_pages(SqliteDatabase& database) {
  auto check = TRY(database.query("PRAGMA quick_check(1)", "check the state"));
  const bool found = TRY(check.step());
  if (found && check.text(0) == "ok") return {};
  return corrupt_state(database.file(), "a page does not pass its check");
}

Result<void> check_owner(SqliteDatabase& database, std::int64_t version) {
  const auto owner = TRY(database.number("PRAGMA application_id", "read the owner of the state"));
  if (owner == kApplicationId) return {};
  const auto tables = TRY(database.number("SELECT count(*) FROM sqlite_schema", "read the tables of the state"));
  if (version == 0 && tables == 0) return {};  // just made
  return corrupt_state(database.file(), "it holds tables of another program");
}

Result<void> migrate(SqliteDatabase& database, std::size_t from) {
  const auto doing = fmt::format("migrate the state from version {}", from);
  auto transaction = TRY(SqliteTransaction::begin(database, doing));
  TRY(kMigrations[from](database));
  TRY(database.run_script(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str(), doing));
  TRY(database.run_script(fmt::format("PRAGMA user_version = {}", from + 1).c_str(), doing));
  return transaction.commit(doing);
}

}  // namespace

std::int64_t schema_version() { return static_cast<std::int64_t>(kMigrations.size()); }

Result<void> migrate_to(SqliteDatabase& database, std::int64_t version) {
  const auto from = TRY(database.number("PRAGMA user_version", "read the version of the state"));
  for (auto at = from; at < version; ++at) TRY(migrate(database, static_cast<std::size_t>(at)));
  return {};
}

Result<void> prepare_schema(SqliteDatabase& database, OpenMode mode) {
  const auto version = TRY(database.number("PRAGMA user_version", "read the version of the state"));
  TRY(check_owner(database, version));
  if (version > schema_version()) {
    return wrong_version(database.file(), version, "use the version of audiencesync that wrote it, or a newer one");
  }
  if (version < 0) return corrupt_state(database.file(), "its version is negative");
  if (mode == OpenMode::ReadOnly) {
    if (version == schema_version()) return {};
    if (version == 0) {
      return Error(ErrorCode::NotFound,
                   fmt::format("{}: there is no state yet; nothing has been applied", database.file().string()));
    }
    return wrong_version(database.file(), version, "the next apply brings it up to date");
  }
  TRY(check_pages(database));
  return migrate_to(database, schema_version());
}

}  // namespace audiencesync
