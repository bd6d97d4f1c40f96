#pragma once

#include "engine/store/sqlite/sqlite_database.h"
#include "engine/store/store.h"

namespace audiencesync {

// Rows as records. Each function reads the current row of a statement over the columns named beside it; text that is
// not what this version wrote is Corrupt with the path of `database`.

inline constexpr const char* kRunColumns = "id, uid, definition, manifest, started, ended, verdict, summary";
Result<RunRecord> read_run(const SqliteDatabase& database, const SqliteStatement& row);

inline constexpr const char* kChangeColumns = "changes.id, changes.run, changes.change";
Result<ChangeRecord> read_change(const SqliteDatabase& database, const SqliteStatement& row);

inline constexpr const char* kIntentColumns = "id, change, step, number, opened, closed, result";
Result<Intent> read_intent(const SqliteDatabase& database, const SqliteStatement& row);

inline constexpr const char* kSnapshotColumns =
    "relation, content, dataset, generation, batch, definition, source, people, proven, delta, erased";
SnapshotRecord read_snapshot(const SqliteStatement& row);

inline constexpr const char* kPastSnapshotColumns =
    "snapshots.relation, snapshots.content, snapshots.dataset, snapshots.generation, snapshots.batch, "
    "snapshots.definition, snapshots.source, snapshots.people, snapshots.proven, snapshots.delta, snapshots.erased, "
    "snapshots.id, changes.run, snapshots.previous";
PastSnapshot read_past_snapshot(const SqliteStatement& row);

inline constexpr const char* kSuspensionColumns =
    "id, uid, since, until, by, reason, run, resumed, resumed_by, resumed_reason";
Suspension read_suspension(const SqliteStatement& row);

inline constexpr const char* kBatchColumns =
    "batch, dataset, relation, generation, records, proven, superseded, supersedes_below";
BatchRecord read_batch(const SqliteStatement& row);

inline constexpr const char* kQuarantineColumns = "relation, person, reason, batch, since, given_up";
QuarantineRecord read_quarantine(const SqliteStatement& row);

inline constexpr const char* kHeldPlanColumns =
    "id, uid, digest, definition, source, plan, since, until, state, decided, decided_by, reason";
Result<HeldPlan> read_held_plan(const SqliteDatabase& database, const SqliteStatement& row);

inline constexpr const char* kAuditColumns = "id, at, uid, user, command, answer, ended, code";
AuditRecord read_audit(const SqliteStatement& row);

/// JSON of a column; `what` names the record for the error, the text itself is never repeated.
Result<Value> read_json(const SqliteDatabase& database, const std::string& text, std::string_view what);

}  // namespace audiencesync
