#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/model/change.h"
#include "engine/model/finding.h"
#include "engine/model/sample.h"

namespace audiencesync {

/// How one stage stands, for the line it has in the plan.
struct StageState {
  std::string stage;
  std::string state;  // "in sync", "2 changes", "skipped: ...", "cannot check: ...", "verified", "known after export"
};

/// What applying the plan takes.
struct Cost {
  std::uint64_t records = 0;       // rows to upload
  std::uint64_t bytes = 0;         // of them, as uploaded before compression on the wire
  std::uint64_t write_calls = 0;   // to the platform, at least
  std::uint64_t batches = 0;       // that the rows are sent in
  std::uint64_t ingest_hours = 0;  // that sending them takes at least, because so much may be ingested in an hour
  double quota_share = 0;          // of what may be ingested in an hour (settings: limits.ingest_per_hour)
  // When Customer Journey Analytics shows it, counted from the end of the apply (platform documentation: lake to CJA).
  Duration visible_from{0};
  Duration visible_until{0};
};

/// What holding a plan means for it: no refresh replaces it until it is approved, rejected or lapses.
struct Hold {
  Time since{};
  Time until{};
  std::string approved_by;  // "" while nobody approved it
  std::string reason;       // given with the approval
};

/// The aim of a plan that goes back: who was in what when a past run had ended.
struct Rollback {
  std::int64_t run = 0;
  std::string reason;

  Value to_value() const { return Value::Object{{"run", run}, {"reason", reason}}; }
  /// nullopt when `plan` (Plan::to_value) does not go back.
  static std::optional<Rollback> of(const Value& plan);
};

/// What would be done for one sync, and why: the values a person reviews. Never rows, never person ids.
struct Plan {
  std::string sync;  // the manifest's name
  std::string uid;
  std::string file;          // of the manifest, as given
  std::string commit;        // of the manifest, "" when it is not from git
  std::string organization;  // ...@AdobeOrg
  std::string sandbox;
  Digest definition;   // of the manifest
  std::string source;  // export batches the memberships come from, "" while unknown
  std::optional<Time> source_created;
  Digest base;                  // snapshot the memberships are compared with, "" when there is none
  std::vector<Change> refresh;  // writes into our own staging that need no approval
  std::vector<Change> changes;  // in the order of their execution
  std::vector<Finding> findings;
  std::vector<StageState> stages;                            // all of them, in order
  std::vector<AudienceDelta> audiences;                      // what is and will be in each, also when nothing changes
  bool known = true;                                         // false: the memberships are known after the export
  std::map<AudienceId, std::vector<std::uint64_t>> history;  // people after each of the last runs, oldest first
  std::vector<Sample> samples;
  Cost cost;
  std::optional<Hold> hold;
  std::optional<Rollback> rollback;

  bool empty() const { return changes.empty(); }
  /// Nothing of it can be executed by us: every change is a person action.
  bool only_for_people() const;
  std::size_t person_actions() const;
  /// True when something stops it that no confirmation lifts: a refusal or a guard.
  bool refused() const;
  /// True when a guard tripped and nothing else refuses: `approve` lets exactly this plan through.
  bool guarded() const;
  /// The severest finding; Note when there is none.
  Severity severest() const;
  /// Identifies what would be done: definition, source, base, versions and changes. No times, no findings, no history;
  /// and no person actions, for what a person has done meanwhile takes nothing back of what was approved.
  Digest digest() const;
  /// The published form (`audiencesync schema plan`); byte-equal for equal plans.
  Value to_value() const;
};

/// True when everything `plan` would do was part of the plan that `approved` holds (a to_value of it): of the same
/// definition and source, each change the same. What was "known after apply" then may be known now, and what has been
/// done meanwhile may be missing.
bool covers(const Value& approved, const Plan& plan);

}  // namespace audiencesync
