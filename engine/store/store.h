#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/model/change.h"

namespace audiencesync {

/// One pass of the engine over one sync. A run without an end was interrupted and is continued under its own id.
struct RunRecord {
  std::int64_t id = 0;
  std::string uid;    // of the sync
  Digest definition;  // of the manifest it began with
  Value manifest;     // that manifest, canonical: a run keeps the one it began with
  Time started{};     // server time
  std::optional<Time> ended;
  std::string verdict;  // to_string(Verdict), "" while open
  Value summary;        // counts and figures for `status` and history, no person ids
};

/// A change that was begun. While it is open nothing else is planned for its sync.
struct ChangeRecord {
  std::int64_t id = 0;
  std::int64_t run = 0;
  Change change;
};

/// A call that was meant (open) or answered (closed).
struct Intent {
  std::int64_t id = 0;
  std::int64_t change = 0;
  std::string step;             // "batch", "part-0003", unique within its change
  std::int64_t number = 0;      // of the sequence the step asked for, 0 when it asked for none
  Time opened{};                // server time
  std::optional<Value> result;  // closed
  bool fresh = true;            // made by this very call: nothing can have been sent for it yet
};

/// A snapshot that the platform has proven, or will once its intent closes.
struct SnapshotRecord {
  std::string relation;
  Digest content;  // names the file
  std::string dataset;
  std::int64_t generation = 0;
  std::string batch;         // that proved it
  Digest definition;         // of the relation it was computed under
  std::string source;        // export batches
  std::uint64_t people = 0;  // in at least one audience (states of the first version: at least so many)
  Time proven{};
  Digest delta = {};    // names the file that leads back to the snapshot current before; "" when none is kept
  bool erased = false;  // people who were forgotten are not in that file: it leads back to what was proven but for them
};

/// A snapshot that was current once, or is.
struct PastSnapshot {
  std::int64_t id = 0;   // rises with time
  std::int64_t run = 0;  // that proved it
  SnapshotRecord record;
  std::int64_t previous = 0;  // id of the one that record.delta leads back to, 0 for the nothing before the first
};

/// Somebody's word that a sync must not change its target for now.
struct Suspension {
  std::int64_t id = 0;
  std::string uid;
  Time since{};
  std::optional<Time> until;  // it ends by itself then
  std::string by;             // a user's name
  std::string reason;
  std::int64_t run = 0;         // of the rollback that suspended the sync, 0 for a command of its own
  std::optional<Time> resumed;  // it was lifted
  std::string resumed_by;
  std::string resumed_reason;

  bool holds(Time now) const { return !resumed && (!until || now < *until); }
};

/// A batch that we completed in a target dataset.
struct BatchRecord {
  std::string batch;
  std::string dataset;
  std::string relation;
  std::int64_t generation = 0;
  std::uint64_t records = 0;
  Time proven{};
  /// Everyone was written again from this generation on: the relation no longer depends on batches of earlier ones.
  /// 0 for an ordinary difference, and where an earlier version wrote the state.
  std::int64_t supersedes_below = 0;
  bool superseded = false;  // read only: a later commit said so
};

/// A person whose record the platform rejected. The id is personal data: it stays in this store only.
struct QuarantineRecord {
  std::string relation;
  std::string person;
  std::string reason;  // the platform's words, without the id
  std::string batch;
  Time since{};
  bool given_up = false;  // somebody decided that they stay as they are: nobody is warned any more
};

/// What reading a target dataset back has shown.
struct Adoption {
  SnapshotRecord snapshot;           // becomes current
  std::vector<BatchRecord> batches;  // join the ledger; those it has already stay as they are
  std::string sequence;              // of the relation's generations
  std::int64_t generation = 0;       // the highest seen anywhere: the sequence goes on after it
  std::string uid;
  std::map<std::string, Value> remember;  // by key, of that sync
};

enum class HoldState {
  Offered,   // was shown by a dry run: nothing is held for it, but it can be approved
  Held,      // waits for an approval
  Approved,  // the next apply executes exactly this
  Rejected,
  Lapsed,  // nobody approved it in time
  Stale,   // its definition, its base or what was observed has changed
  Applied,
};

const char* to_string(HoldState state);

/// A plan that waits for an approval, or was refused by a guard, with the export it was made from.
struct HeldPlan {
  std::int64_t id = 0;
  std::string uid;
  Digest digest;
  Digest definition;
  std::string source;  // export batches: no refresh replaces them while this is held
  Value plan;          // Plan::to_value
  Time since{};
  Time until{};  // lapses then
  HoldState state = HoldState::Held;
  std::optional<Time> decided;
  std::string by;      // who decided: a user's name, "" for the program itself
  std::string reason;  // as given, or why it went stale

  bool live() const { return state == HoldState::Held || state == HoldState::Approved; }
};

/// A command that somebody sent to the daemon.
struct AuditRecord {
  std::int64_t id = 0;
  Time at{};             // of the machine's clock
  std::int64_t uid = 0;  // of the user, as the kernel knows it
  std::string user;      // its name then
  std::string command;   // without anything that may be a person's id
  std::string answer;    // "admitted" or "refused"
  std::optional<Time> ended;
  std::optional<int> code;  // exit code; none while it works, or when the daemon ended first
};

/// Read-only view for observing stages.
class Records {
 public:
  virtual ~Records() = default;
  /// The snapshot last proven to be in the target dataset.
  virtual Result<std::optional<SnapshotRecord>> current(const std::string& relation) const = 0;
  virtual Result<std::vector<BatchRecord>> batches(const std::string& relation) const = 0;
  virtual Result<std::vector<QuarantineRecord>> quarantine(const std::string& relation) const = 0;
  /// The value kept under a key of a sync: pinned audience ids, dataset ids we created. Null when there is none.
  virtual Result<Value> remembered(const std::string& uid, const std::string& key) const = 0;
  virtual Result<std::vector<ChangeRecord>> open_changes(const std::string& uid) const = 0;
  virtual Result<std::optional<RunRecord>> last_run(const std::string& uid) const = 0;
  virtual Result<std::vector<RunRecord>> runs(const std::string& uid, std::size_t most) const = 0;
  virtual Result<std::vector<std::string>> syncs() const = 0;  // uids that ever ran, sorted
  /// Newest first, whatever became of them, but not what was only offered; at most the first is live.
  virtual Result<std::vector<HeldPlan>> held_plans(const std::string& uid, std::size_t most) const = 0;
  /// Snapshots of a relation that are or were current, newest first; the first is the current one.
  virtual Result<std::vector<PastSnapshot>> past_snapshots(const std::string& relation, std::size_t most) const = 0;
  /// Suspensions of a sync, newest first, lifted and ended ones too; only the first can hold.
  virtual Result<std::vector<Suspension>> suspensions(const std::string& uid, std::size_t most) const = 0;
  /// Plans of any sync that can be approved or are, and whose digest begins like this; by id.
  virtual Result<std::vector<HeldPlan>> plans_to_approve(const std::string& digest_prefix) const = 0;
};

/// The intent log and the run store. Every mutating call is one durable transaction: on return it is on the disk.
///
/// One writer at a time (the state lock sees to that). Errors: NoSpace, Io, Corrupt with the path of the database;
/// a database of a newer version is Unsupported. Times are server time. Thread-safe.
class Store : public Records {
 public:
  /// The open run of that sync if there is one, else a new one. `manifest` is stored with a new run only.
  virtual Result<RunRecord> begin_run(const std::string& uid, const Digest& definition, const Value& manifest,
                                      Time now) = 0;
  virtual Result<void> end_run(std::int64_t run, const std::string& verdict, const Value& summary, Time now) = 0;

  virtual Result<ChangeRecord> open_change(std::int64_t run, const Change& change, Time now) = 0;
  /// `state`: "done", "failed", "abandoned". Its open intents are closed with it.
  virtual Result<void> close_change(std::int64_t change, const std::string& state, const Value& note, Time now) = 0;

  /// The intent of that step: as stored (fresh = false), or made now (fresh = true). A non-empty `sequence` gives a new
  /// intent the sequence's next number in the same transaction; numbers are never used again.
  virtual Result<Intent> open_intent(std::int64_t change, const std::string& step, const std::string& sequence,
                                     Time now) = 0;
  virtual Result<void> close_intent(std::int64_t intent, const Value& result, Time now) = 0;
  /// Lifts a sequence so that its next number is greater than `least`.
  virtual Result<void> raise_sequence(const std::string& sequence, std::int64_t least) = 0;

  /// One transaction: the intent is closed, the snapshot becomes current, its batch joins the ledger, the quarantine of
  /// the relation becomes exactly `quarantine`.
  virtual Result<void> commit(std::int64_t intent, const SnapshotRecord& snapshot, const BatchRecord& batch,
                              const std::vector<QuarantineRecord>& quarantine, Time now) = 0;

  /// One transaction: the intent is closed and everything of the adoption is true.
  virtual Result<void> adopt(std::int64_t intent, const Adoption& adoption, Time now) = 0;
  /// Snapshots up to this id (of past_snapshots) lose their deltas: the history is shorter from now on.
  virtual Result<void> drop_deltas(const std::string& relation, std::int64_t through) = 0;
  /// People were erased from deltas: each is known by its new digest from now on, and as one that was changed.
  virtual Result<void> replace_deltas(const std::string& relation, const std::map<Digest, Digest>& deltas) = 0;

  /// Suspends a sync, in the place of a suspension that holds.
  virtual Result<Suspension> suspend(const Suspension& suspension) = 0;
  /// Lifts the suspension with this id; nothing happens when it was lifted before.
  virtual Result<void> resume(std::int64_t suspension, const std::string& by, const std::string& reason, Time now) = 0;

  /// The quarantine of a relation becomes exactly this.
  virtual Result<void> replace_quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) = 0;

  /// Holds a plan, or offers it (`plan.state`). In the same transaction another one of the sync in that place goes: a
  /// live one becomes stale, an offered one is dropped.
  virtual Result<HeldPlan> hold_plan(const HeldPlan& plan) = 0;
  /// Approving a plan that was only offered holds it, in the place of another one that is live.
  /// Errors: Internal when the plan is neither live nor offered.
  virtual Result<void> decide_plan(std::int64_t plan, HoldState state, const std::string& by, const std::string& reason,
                                   Time now) = 0;

  virtual Result<void> remember(const std::string& uid, const std::string& key,
                                const Value& value) = 0;  // null: forget

  /// Writes a command down and gives its id. Of older ones as many stay as `kMostAudited`, for `kAuditedFor`.
  virtual Result<std::int64_t> begin_audit(const AuditRecord& record) = 0;
  /// How it ended. Nothing happens when it was dropped meanwhile.
  virtual Result<void> end_audit(std::int64_t id, int code, Time now) = 0;
  /// Newest first.
  virtual Result<std::vector<AuditRecord>> audit(std::size_t most) const = 0;

  static constexpr std::int64_t kMostAudited = 10'000;
  static constexpr Duration kAuditedFor = std::chrono::hours(24 * 400);
};

}  // namespace audiencesync
