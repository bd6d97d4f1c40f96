#include "engine/store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <mutex>

#include "engine/base/json.h"
#include "engine/store/sqlite/sqlite_rows.h"
#include "engine/store/sqlite/sqlite_schema.h"

namespace audiencesync {
namespace {

std::string select(const char* columns, const char* rest) { return fmt::format("SELECT {} FROM {}", columns, rest); }

Error misuse(std::string message) { return Error(ErrorCode::Internal, std::move(message)); }

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<SqliteDatabase> database, OpenMode mode) : database_(std::move(database)), mode_(mode) {}

  Result<std::optional<SnapshotRecord>> current(const std::string& relation) const override {
    const std::scoped_lock lock(mutex_);
    return snapshot_of(relation);
  }

  Result<std::vector<BatchRecord>> batches(const std::string& relation) const override {
    return list<BatchRecord>(select(kBatchColumns, "batches WHERE relation = ? ORDER BY generation, batch"),
                             "read the batches of a relation", {relation}, read_batch);
  }

  Result<std::vector<QuarantineRecord>> quarantine(const std::string& relation) const override {
    return list<QuarantineRecord>(select(kQuarantineColumns, "quarantine WHERE relation = ? ORDER BY person"),
                                  "read the quarantine", {relation}, read_quarantine);
  }

  Result<Value> remembered(const std::string& uid, const std::string& key) const override {
    return value_of("SELECT value FROM remembered WHERE uid = ? AND key = ?", "read a remembered value", {uid, key});
  }

  Result<std::vector<ChangeRecord>> open_changes(const std::string& uid) const override {
    return list<ChangeRecord>(
        select(kChangeColumns,
               "changes JOIN runs ON runs.id = changes.run WHERE runs.uid = ? AND changes.closed IS NULL "
               "ORDER BY changes.id"),
        "read the open changes", {uid}, [this](const SqliteStatement& row) { return read_change(*database_, row); });
  }

  Result<std::optional<RunRecord>> last_run(const std::string& uid) const override {
    auto found = TRY(runs(uid, 1));
    if (found.empty()) return std::optional<RunRecord>{};
    return std::optional(std::move(found.front()));
  }

  Result<std::vector<RunRecord>> runs(const std::string& uid, std::size_t most) const override {
    return list<RunRecord>(select(kRunColumns, "runs WHERE uid = ? ORDER BY id DESC LIMIT ?"), "read the runs",
                           {uid, static_cast<std::int64_t>(most)},
                           [this](const SqliteStatement& row) { return read_run(*database_, row); });
  }

  Result<std::vector<std::string>> syncs() const override {
    return list<std::string>("SELECT DISTINCT uid FROM runs ORDER BY uid", "read the syncs", {},
                             [](const SqliteStatement& row) { return row.text(0); });
  }

  Result<std::vector<HeldPlan>> held_plans(const std::string& uid, std::size_t most) const override {
    return list<HeldPlan>(
        select(kHeldPlanColumns, "held_plans WHERE uid = ? AND state <> 'offered' ORDER BY id DESC LIMIT ?"),
        "read the held plans", {uid, static_cast<std::int64_t>(most)},
        [this](const SqliteStatement& row) { return read_held_plan(*database_, row); });
  }

  Result<std::vector<PastSnapshot>> past_snapshots(const std::string& relation, std::size_t most) const override {
    return list<PastSnapshot>(
        select(kPastSnapshotColumns,
               "snapshots JOIN intents ON intents.id = snapshots.intent JOIN changes ON changes.id = intents.change "
               "WHERE snapshots.relation = ? ORDER BY snapshots.id DESC LIMIT ?"),
        "read the past snapshots", {relation, static_cast<std::int64_t>(most)}, read_past_snapshot);
  }

  Result<std::vector<Suspension>> suspensions(const std::string& uid, std::size_t most) const override {
    return list<Suspension>(select(kSuspensionColumns, "suspensions WHERE uid = ? ORDER BY id DESC LIMIT ?"),
                            "read the suspensions", {uid, static_cast<std::int64_t>(most)}, read_suspension);
  }

  Result<std::vector<HeldPlan>> plans_to_approve(const std::string& digest_prefix) const override {
    return list<HeldPlan>(select(kHeldPlanColumns,
                                 "held_plans WHERE substr(digest, 1, ?) = ? AND state IN ('offered', 'held', "
                                 "'approved') ORDER BY id"),
                          "read the plans to approve", {static_cast<std::int64_t>(digest_prefix.size()), digest_prefix},
                          [this](const SqliteStatement& row) { return read_held_plan(*database_, row); });
  }

  Result<HeldPlan> hold_plan(const HeldPlan& plan) override {
    return write<HeldPlan>("hold a plan", [&]() -> Result<HeldPlan> {
      TRY(database_->run("DELETE FROM held_plans WHERE uid = ? AND state = 'offered'", "drop an offered plan",
                         {plan.uid}));
      if (plan.state != HoldState::Offered) TRY(release_live(plan.uid, "a newer plan is held", plan.since));
      TRY(
          database_->run("INSERT INTO held_plans (uid, digest, definition, source, plan, since, until, state) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                         "hold a plan",
                         {plan.uid, plan.digest, plan.definition, plan.source, to_json(plan.plan),
                          to_epoch_ms(plan.since), to_epoch_ms(plan.until), std::string_view(to_string(plan.state))}));
      HeldPlan held = plan;
      held.id = database_->last_insert_id();
      return held;
    });
  }

  Result<void> decide_plan(std::int64_t plan, HoldState state, const std::string& by, const std::string& reason,
                           Time now) override {
    return write<void>("decide a held plan", [&]() -> Result<void> {
      if (state == HoldState::Approved) TRY(make_way_for(plan, now));
      const auto decided = TRY(database_->run(
          "UPDATE held_plans SET state = ?, decided = ?, decided_by = CASE WHEN ? = '' THEN "
          "decided_by ELSE ? END, reason = CASE WHEN ? = '' THEN reason ELSE ? END "
          "WHERE id = ? AND state IN ('offered', 'held', 'approved')",
          "decide a held plan", {std::string_view(to_string(state)), to_epoch_ms(now), by, by, reason, reason, plan}));
      if (decided == 1) return {};
      return misuse(fmt::format("cannot decide held plan {}: there is no such plan, or it is no longer held", plan));
    });
  }

  Result<RunRecord> begin_run(const std::string& uid, const Digest& definition, const Value& manifest,
                              Time now) override {
    return write<RunRecord>("begin a run", [&]() -> Result<RunRecord> {
      auto open = TRY(database_->query(select(kRunColumns, "runs WHERE uid = ? AND ended IS NULL").c_str(),
                                       "read the open run", {uid}));
      if (TRY(open.step())) return read_run(*database_, open);
      TRY(database_->run("INSERT INTO runs (uid, definition, manifest, started) VALUES (?, ?, ?, ?)", "begin a run",
                         {uid, definition, to_json(manifest), to_epoch_ms(now)}));
      RunRecord run;
      run.id = database_->last_insert_id();
      run.uid = uid;
      run.definition = definition;
      run.manifest = manifest;
      run.started = now;
      return run;
    });
  }

  Result<void> end_run(std::int64_t run, const std::string& verdict, const Value& summary, Time now) override {
    return write<void>("end a run", [&]() -> Result<void> {
      const auto ended =
          TRY(database_->run("UPDATE runs SET ended = ?, verdict = ?, summary = ? "
                             "WHERE id = ? AND ended IS NULL",
                             "end a run", {to_epoch_ms(now), verdict, to_json(summary), run}));
      if (ended == 1) return {};
      return misuse(fmt::format("cannot end run {}: there is no such run, or it has ended", run));
    });
  }

  Result<ChangeRecord> open_change(std::int64_t run, const Change& change, Time now) override {
    return write<ChangeRecord>("open a change", [&]() -> Result<ChangeRecord> {
      const auto opened =
          TRY(database_->run("INSERT INTO changes (run, change, opened) "
                             "SELECT id, ?, ? FROM runs WHERE id = ? AND ended IS NULL",
                             "open a change", {to_json(change.to_value()), to_epoch_ms(now), run}));
      if (opened != 1) return misuse(fmt::format("cannot open a change of run {}: the run is not open", run));
      return ChangeRecord{database_->last_insert_id(), run, change};
    });
  }

  Result<void> close_change(std::int64_t change, const std::string& state, const Value& note, Time now) override {
    if (state != "done" && state != "failed" && state != "abandoned") {
      return misuse(fmt::format("cannot close change {} as '{}'", change, state));
    }
    return write<void>("close a change", [&]() -> Result<void> {
      const auto closed =
          TRY(database_->run("UPDATE changes SET closed = ?, state = ?, note = ? "
                             "WHERE id = ? AND closed IS NULL",
                             "close a change", {to_epoch_ms(now), state, to_json(note), change}));
      if (closed != 1) {
        return misuse(fmt::format("cannot close change {}: there is no such change, or it is closed", change));
      }
      TRY(database_->run("UPDATE intents SET closed = ?, result = 'null' WHERE change = ? AND closed IS NULL",
                         "close the intents of a change", {to_epoch_ms(now), change}));
      return {};
    });
  }

  Result<Intent> open_intent(std::int64_t change, const std::string& step, const std::string& sequence,
                             Time now) override {
    return write<Intent>("open an intent", [&]() -> Result<Intent> {
      auto stored = TRY(database_->query(select(kIntentColumns, "intents WHERE change = ? AND step = ?").c_str(),
                                         "read an intent", {change, step}));
      if (TRY(stored.step())) return read_intent(*database_, stored);
      Intent intent;
      intent.change = change;
      intent.step = step;
      intent.opened = now;
      if (!sequence.empty()) intent.number = TRY(next_number(sequence));
      const auto opened =
          TRY(database_->run("INSERT INTO intents (change, step, number, opened) "
                             "SELECT id, ?, ?, ? FROM changes WHERE id = ? AND closed IS NULL",
                             "open an intent", {step, intent.number, to_epoch_ms(now), change}));
      if (opened != 1) {
        return misuse(fmt::format("cannot open step '{}' of change {}: the change is not open", step, change));
      }
      intent.id = database_->last_insert_id();
      return intent;
    });
  }

  Result<void> close_intent(std::int64_t intent, const Value& result, Time now) override {
    return write<void>("close an intent", [&]() -> Result<void> { return close(intent, result, now); });
  }

  Result<void> raise_sequence(const std::string& sequence, std::int64_t least) override {
    return write<void>("raise a sequence", [&] { return raise(sequence, least); });
  }

  Result<void> commit(std::int64_t intent, const SnapshotRecord& snapshot, const BatchRecord& batch,
                      const std::vector<QuarantineRecord>& quarantine, Time now) override {
    return write<void>("commit a snapshot", [&]() -> Result<void> {
      const Value result =
          Value::Object{{"batch", batch.batch}, {"content", snapshot.content}, {"generation", snapshot.generation}};
      TRY(close(intent, result, now));
      TRY(make_current(intent, snapshot));
      if (!batch.batch.empty()) TRY(add_to_ledger(batch));
      return write_quarantine(snapshot.relation, quarantine);
    });
  }

  Result<void> adopt(std::int64_t intent, const Adoption& adoption, Time now) override {
    return write<void>("adopt what a dataset holds", [&]() -> Result<void> {
      TRY(close(intent,
                Value::Object{{"content", adoption.snapshot.content}, {"generation", adoption.snapshot.generation}},
                now));
      // When only its file was lost, the record of the current one is as true as before.
      const auto current = TRY(snapshot_of(adoption.snapshot.relation));
      const bool same = current && current->content == adoption.snapshot.content &&
                        current->dataset == adoption.snapshot.dataset &&
                        current->generation == adoption.snapshot.generation;
      if (!same) TRY(make_current(intent, adoption.snapshot));
      for (const auto& batch : adoption.batches) TRY(add_if_unknown(batch));
      TRY(raise(adoption.sequence, adoption.generation));
      for (const auto& [key, value] : adoption.remember) TRY(keep(adoption.uid, key, value));
      return {};
    });
  }

  Result<void> drop_deltas(const std::string& relation, std::int64_t through) override {
    return write<void>("shorten the history", [&]() -> Result<void> {
      TRY(database_->run("UPDATE snapshots SET delta = '' WHERE relation = ? AND id <= ? AND delta <> ''",
                         "shorten the history", {relation, through}));
      return {};
    });
  }

  Result<void> replace_deltas(const std::string& relation, const std::map<Digest, Digest>& deltas) override {
    return write<void>("replace deltas", [&]() -> Result<void> {
      for (const auto& [before, after] : deltas) {
        TRY(database_->run("UPDATE snapshots SET delta = ?, erased = 1 WHERE relation = ? AND delta = ?",
                           "replace a delta", {after, relation, before}));
      }
      return {};
    });
  }

  Result<Suspension> suspend(const Suspension& suspension) override {
    return write<Suspension>("suspend a sync", [&]() -> Result<Suspension> {
      TRY(
          database_->run("UPDATE suspensions SET resumed = ?, resumed_by = ?, resumed_reason = 'suspended anew' "
                         "WHERE uid = ? AND resumed IS NULL",
                         "replace a suspension", {to_epoch_ms(suspension.since), suspension.by, suspension.uid}));
      const auto until = suspension.until ? SqliteParameter(to_epoch_ms(*suspension.until)) : SqliteParameter(nullptr);
      TRY(database_->run(
          "INSERT INTO suspensions (uid, since, until, by, reason, run) VALUES (?, ?, ?, ?, ?, ?)", "suspend a sync",
          {suspension.uid, to_epoch_ms(suspension.since), until, suspension.by, suspension.reason, suspension.run}));
      auto stored = suspension;
      stored.id = database_->last_insert_id();
      return stored;
    });
  }

  Result<void> resume(std::int64_t suspension, const std::string& by, const std::string& reason, Time now) override {
    return write<void>("resume a sync", [&]() -> Result<void> {
      TRY(
          database_->run("UPDATE suspensions SET resumed = ?, resumed_by = ?, resumed_reason = ? "
                         "WHERE id = ? AND resumed IS NULL",
                         "resume a sync", {to_epoch_ms(now), by, reason, suspension}));
      return {};
    });
  }

  Result<void> remember(const std::string& uid, const std::string& key, const Value& value) override {
    return write<void>("remember a value", [&] { return keep(uid, key, value); });
  }

  Result<std::int64_t> begin_audit(const AuditRecord& record) override {
    return write<std::int64_t>("write a command down", [&]() -> Result<std::int64_t> {
      TRY(database_->run("INSERT INTO audit (at, uid, user, command, answer) VALUES (?, ?, ?, ?, ?)",
                         "write a command down",
                         {to_epoch_ms(record.at), record.uid, record.user, record.command, record.answer}));
      const auto id = database_->last_insert_id();
      TRY(database_->run("DELETE FROM audit WHERE id <= ? OR at < ?", "drop old commands",
                         {id - kMostAudited, to_epoch_ms(record.at - kAuditedFor)}));
      return id;
    });
  }

  Result<void> end_audit(std::int64_t id, int code, Time now) override {
    return write<void>("write down how a command ended", [&]() -> Result<void> {
      TRY(database_->run("UPDATE audit SET ended = ?, code = ? WHERE id = ?", "write down how a command ended",
                         {to_epoch_ms(now), std::int64_t{code}, id}));
      return {};
    });
  }

  Result<std::vector<AuditRecord>> audit(std::size_t most) const override {
    return list<AuditRecord>(select(kAuditColumns, "audit ORDER BY id DESC LIMIT ?"), "read the commands",
                             {static_cast<std::int64_t>(most)}, read_audit);
  }

  Result<void> replace_quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) override {
    return write<void>("replace the quarantine", [&] { return write_quarantine(relation, people); });
  }

 private:
  /// Runs `body` as one durable transaction; nothing of it stays when it fails.
  template <class T, class Body>
  Result<T> write(const char* doing, Body body) {
    if (mode_ == OpenMode::ReadOnly) {
      return misuse(fmt::format("{}: cannot {}: the state was opened for reading", database_->file().string(), doing));
    }
    const std::scoped_lock lock(mutex_);
    auto transaction = TRY(SqliteTransaction::begin(*database_, doing));
    Result<T> result = body();
    if (!result.ok()) return result;
    TRY(transaction.commit(doing));
    return result;
  }

  template <class T, class Read>
  Result<std::vector<T>> list(const std::string& sql, const char* doing, SqliteParameters parameters, Read read) const {
    const std::scoped_lock lock(mutex_);
    auto rows = TRY(database_->query(sql.c_str(), doing, parameters));
    std::vector<T> out;
    while (TRY(rows.step())) {
      Result<T> record = read(rows);
      if (!record.ok()) return std::move(record).error();
      out.push_back(std::move(record).take());
    }
    return out;
  }

  Result<Value> value_of(const char* sql, const char* doing, SqliteParameters parameters) const {
    const std::scoped_lock lock(mutex_);
    auto row = TRY(database_->query(sql, doing, parameters));
    if (!TRY(row.step())) return Value();
    return read_json(*database_, row.text(0), "a stored value");
  }

  // From here on the caller holds the mutex and, for writes, a transaction.

  Result<std::optional<SnapshotRecord>> snapshot_of(const std::string& relation) const {
    const auto sql =
        select(kSnapshotColumns, "snapshots WHERE id = (SELECT snapshot FROM current_snapshots WHERE relation = ?)");
    auto row = TRY(database_->query(sql.c_str(), "read the current snapshot", {relation}));
    if (!TRY(row.step())) return std::optional<SnapshotRecord>{};
    return std::optional(read_snapshot(row));
  }

  Result<void> release_live(const std::string& uid, std::string_view why, Time now) {
    TRY(
        database_->run("UPDATE held_plans SET state = 'stale', decided = ?, reason = ? "
                       "WHERE uid = ? AND state IN ('held', 'approved')",
                       "release a plan", {to_epoch_ms(now), why, uid}));
    return {};
  }

  Result<void> make_way_for(std::int64_t plan, Time now) {
    TRY(
        database_->run("UPDATE held_plans SET state = 'stale', decided = ?, reason = 'another plan was approved' "
                       "WHERE uid = (SELECT uid FROM held_plans WHERE id = ?) AND id <> ? "
                       "AND state IN ('held', 'approved')",
                       "release a plan", {to_epoch_ms(now), plan, plan}));
    return {};
  }

  Result<void> raise(const std::string& sequence, std::int64_t least) {
    TRY(
        database_->run("INSERT INTO sequences (name, last) VALUES (?, max(?, 0)) "
                       "ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last)",
                       "raise a sequence", {sequence, least}));
    return {};
  }

  Result<void> keep(const std::string& uid, const std::string& key, const Value& value) {
    if (value.is_null()) {
      TRY(database_->run("DELETE FROM remembered WHERE uid = ? AND key = ?", "forget a value", {uid, key}));
    } else {
      TRY(database_->run("INSERT OR REPLACE INTO remembered (uid, key, value) VALUES (?, ?, ?)", "remember a value",
                         {uid, key, to_json(value)}));
    }
    return {};
  }

  Result<std::int64_t> next_number(const std::string& sequence) {
    auto row =
        TRY(database_->query("INSERT INTO sequences (name, last) VALUES (?, 1) "
                             "ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last",
                             "take the next number of a sequence", {sequence}));
    TRY(row.step());
    const auto number = row.integer(0);
    TRY(row.step());  // to its end, or the statement would still be running when the transaction commits
    return number;
  }

  Result<void> close(std::int64_t intent, const Value& result, Time now) {
    const auto closed = TRY(database_->run("UPDATE intents SET closed = ?, result = ? WHERE id = ? AND closed IS NULL",
                                           "close an intent", {to_epoch_ms(now), to_json(result), intent}));
    if (closed == 1) return {};
    return misuse(fmt::format("cannot close intent {}: there is no such intent, or it is closed", intent));
  }

  Result<void> make_current(std::int64_t intent, const SnapshotRecord& snapshot) {
    // The delta was made from what is current until this very statement.
    TRY(database_->run(
        fmt::format("INSERT INTO snapshots ({}, intent, previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "coalesce((SELECT snapshot FROM current_snapshots WHERE relation = ?), 0))",
                    kSnapshotColumns)
            .c_str(),
        "store a snapshot",
        {snapshot.relation, snapshot.content, snapshot.dataset, snapshot.generation, snapshot.batch,
         snapshot.definition, snapshot.source, static_cast<std::int64_t>(snapshot.people), to_epoch_ms(snapshot.proven),
         snapshot.delta, std::int64_t{snapshot.erased ? 1 : 0}, intent, snapshot.relation}));
    TRY(database_->run("INSERT OR REPLACE INTO current_snapshots (relation, snapshot) VALUES (?, ?)",
                       "make a snapshot current", {snapshot.relation, database_->last_insert_id()}));
    return {};
  }

  Result<void> add_to_ledger(const BatchRecord& batch) {
    TRY(database_->run(
        fmt::format("INSERT OR REPLACE INTO batches ({}) VALUES (?, ?, ?, ?, ?, ?, 0, ?)", kBatchColumns).c_str(),
        "add a batch to the ledger",
        {batch.batch, batch.dataset, batch.relation, batch.generation, static_cast<std::int64_t>(batch.records),
         to_epoch_ms(batch.proven), batch.supersedes_below}));
    TRY(database_->run("UPDATE batches SET superseded = 1 WHERE relation = ? AND generation < ?",
                       "mark superseded batches", {batch.relation, batch.supersedes_below}));
    return {};
  }

  // What is known of a batch already says more than the dataset can: whether it still counts.
  Result<void> add_if_unknown(const BatchRecord& batch) {
    TRY(database_->run(
        fmt::format("INSERT OR IGNORE INTO batches ({}) VALUES (?, ?, ?, ?, ?, ?, 0, ?)", kBatchColumns).c_str(),
        "add a batch to the ledger",
        {batch.batch, batch.dataset, batch.relation, batch.generation, static_cast<std::int64_t>(batch.records),
         to_epoch_ms(batch.proven), batch.supersedes_below}));
    return {};
  }

  Result<void> write_quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) {
    TRY(database_->run("DELETE FROM quarantine WHERE relation = ?", "clear the quarantine", {relation}));
    const auto sql =
        fmt::format("INSERT OR REPLACE INTO quarantine ({}) VALUES (?, ?, ?, ?, ?, ?)", kQuarantineColumns);
    for (const auto& person : people) {
      TRY(database_->run(sql.c_str(), "store the quarantine",
                         {relation, person.person, person.reason, person.batch, to_epoch_ms(person.since),
                          std::int64_t{person.given_up}}));
    }
    return {};
  }

  mutable std::mutex mutex_;
  std::unique_ptr<SqliteDatabase> database_;
  OpenMode mode_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const Path& file, OpenMode mode) {
  if (mode == OpenMode::ReadWrite) TRY(PosixFiles().make_folder(file.parent_path()));
  auto database = TRY(SqliteDatabase::open(file, mode));
  TRY(prepare_schema(*database, mode));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(database), mode));
}

Result<void> copy_sqlite_store(const Path& from, const Path& to) {
  auto database = TRY(SqliteDatabase::open(from, OpenMode::ReadOnly));
  // Of the file itself nothing can be written all the same; the copy is another one.
  TRY(database->run_script("PRAGMA query_only = OFF", "copy the state"));
  TRY(database->run("VACUUM INTO ?1", "copy the state", {to.string()}));
  return {};
}

}  // namespace audiencesync
