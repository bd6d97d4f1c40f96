#pragma once

#include <string>

#include "daemon/sync_records.h"

namespace audiencesync {

/// How a sync stands, in the order in which it is decided.
enum class Condition {
  Interrupted,  // a run has no end: it works right now, or was interrupted
  Suspended,    // apply refuses until it is resumed
  Paused,       // the daemon has no manifest of it any more
  NeverRan,
  WaitsForApproval,  // a plan is held
  Approved,          // the next apply executes it
  WaitsForPerson,    // all of ours is done
  InSync,
  Drifted,  // the last run found changes and made none
  NotFinished,
  Refused,
  Failed,
};

Condition condition_of(const SyncRecords& records, Time now);
/// The word of the JSON form, constant: "in_sync".
const char* word_of(Condition condition);

/// What waits for a person, and since when it has been waiting in one go.
struct Waiting {
  std::string what;  // "connection/dataset: the dataset is in no connection"
  Time since{};
};
std::vector<Waiting> waiting_for_person(const SyncRecords& records);
/// The steps a run waits for, by name: `connection/dataset, data-view/components`; "" when it waits for none.
std::string waiting_steps(const RunRecord& run);

/// What the newest run that asked said about reports; "" when none did.
std::string last_report(const SyncRecords& records);

/// End of the newest run that converged: the last success that was proven.
std::optional<Time> last_success(const SyncRecords& records);

/// 80 columns; ends with a line break.
std::string status_text(const SyncRecords& records, Time now);
Value status_value(const SyncRecords& records, Time now);

}  // namespace audiencesync
