#include "engine/store/sqlite/sqlite_rows.h"

#include <fmt/format.h>

#include "engine/base/json.h"

namespace audiencesync {

Result<Value> read_json(const SqliteDatabase& database, const std::string& text, std::string_view what) {
  auto value = parse_json(text);
  if (!value.ok()) return corrupt_state(database.file(), fmt::format("{} is not JSON", what));
  return value;
}

Result<RunRecord> read_run(const SqliteDatabase& database, const SqliteStatement& row) {
  RunRecord run;
  run.id = row.integer(0);
  run.uid = row.text(1);
  run.definition = row.text(2);
  run.manifest = TRY(read_json(database, row.text(3), fmt::format("the manifest of run {}", run.id)));
  run.started = from_epoch_ms(row.integer(4));
  if (!row.is_null(5)) run.ended = from_epoch_ms(row.integer(5));
  run.verdict = row.text(6);
  run.summary = TRY(read_json(database, row.text(7), fmt::format("the summary of run {}", run.id)));
  return run;
}

Result<ChangeRecord> read_change(const SqliteDatabase& database, const SqliteStatement& row) {
  ChangeRecord record;
  record.id = row.integer(0);
  record.run = row.integer(1);
  const auto what = fmt::format("change {}", record.id);
  const auto value = TRY(read_json(database, row.text(2), what));
  auto change = Change::from_value(value);
  if (!change.ok()) return corrupt_state(database.file(), what + ": " + change.error().message());
  record.change = std::move(change).take();
  return record;
}

Result<Intent> read_intent(const SqliteDatabase& database, const SqliteStatement& row) {
  Intent intent;
  intent.id = row.integer(0);
  intent.change = row.integer(1);
  intent.step = row.text(2);
  intent.number = row.integer(3);
  intent.opened = from_epoch_ms(row.integer(4));
  if (!row.is_null(5)) intent.result = TRY(read_json(database, row.text(6), fmt::format("intent {}", intent.id)));
  intent.fresh = false;
  return intent;
}

SnapshotRecord read_snapshot(const SqliteStatement& row) {
  SnapshotRecord snapshot;
  snapshot.relation = row.text(0);
  snapshot.content = row.text(1);
  snapshot.dataset = row.text(2);
  snapshot.generation = row.integer(3);
  snapshot.batch = row.text(4);
  snapshot.definition = row.text(5);
  snapshot.source = row.text(6);
  snapshot.people = static_cast<std::uint64_t>(row.integer(7));
  snapshot.proven = from_epoch_ms(row.integer(8));
  snapshot.delta = row.text(9);
  snapshot.erased = row.integer(10) != 0;
  return snapshot;
}

PastSnapshot read_past_snapshot(const SqliteStatement& row) {
  PastSnapshot past;
  past.record = read_snapshot(row);
  past.id = row.integer(11);
  past.run = row.integer(12);
  past.previous = row.integer(13);
  return past;
}

Suspension read_suspension(const SqliteStatement& row) {
  Suspension suspension;
  suspension.id = row.integer(0);
  suspension.uid = row.text(1);
  suspension.since = from_epoch_ms(row.integer(2));
  if (!row.is_null(3)) suspension.until = from_epoch_ms(row.integer(3));
  suspension.by = row.text(4);
  suspension.reason = row.text(5);
  suspension.run = row.integer(6);
  if (!row.is_null(7)) suspension.resumed = from_epoch_ms(row.integer(7));
  suspension.resumed_by = row.text(8);
  suspension.resumed_reason = row.text(9);
  return suspension;
}

BatchRecord read_batch(const SqliteStatement& row) {
  BatchRecord batch;
  batch.batch = row.text(0);
  batch.dataset = row.text(1);
  batch.relation = row.text(2);
  batch.generation = row.integer(3);
  batch.records = static_cast<std::uint64_t>(row.integer(4));
  batch.proven = from_epoch_ms(row.integer(5));
  batch.superseded = row.integer(6) != 0;
  batch.supersedes_below = row.integer(7);
  return batch;
}

namespace {

std::optional<HoldState> hold_state_from(const std::string& text) {
  for (const auto state : {HoldState::Offered, HoldState::Held, HoldState::Approved, HoldState::Rejected,
                           HoldState::Lapsed, HoldState::Stale, HoldState::Applied}) {
    if (text == to_string(state)) return state;
  }
  return std::nullopt;
}

}  // namespace

Result<HeldPlan> read_held_plan(const SqliteDatabase& database, const SqliteStatement& row) {
  HeldPlan held;
  held.id = row.integer(0);
  held.uid = row.text(1);
  held.digest = row.text(2);
  held.definition = row.text(3);
  held.source = row.text(4);
  held.plan = TRY(read_json(database, row.text(5), fmt::format("held plan {}", held.id)));
  held.since = from_epoch_ms(row.integer(6));
  held.until = from_epoch_ms(row.integer(7));
  const auto state = hold_state_from(row.text(8));
  if (!state) return corrupt_state(database.file(), fmt::format("held plan {} has an unknown state", held.id));
  held.state = *state;
  if (!row.is_null(9)) held.decided = from_epoch_ms(row.integer(9));
  held.by = row.text(10);
  held.reason = row.text(11);
  return held;
}

QuarantineRecord read_quarantine(const SqliteStatement& row) {
  QuarantineRecord person;
  person.relation = row.text(0);
  person.person = row.text(1);
  person.reason = row.text(2);
  person.batch = row.text(3);
  person.since = from_epoch_ms(row.integer(4));
  person.given_up = row.integer(5) != 0;
  return person;
}

AuditRecord read_audit(const SqliteStatement& row) {
  AuditRecord record;
  record.id = row.integer(0);
  record.at = from_epoch_ms(row.integer(1));
  record.uid = row.integer(2);
  record.user = row.text(3);
  record.command = row.text(4);
  record.answer = row.text(5);
  if (!row.is_null(6)) record.ended = from_epoch_ms(row.integer(6));
  if (!row.is_null(7)) record.code = static_cast<int>(row.integer(7));
  return record;
}

}  // namespace audiencesync
