#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/sync_records.h"
#include "engine/base/person_id.h"

namespace audiencesync {

/// What the export says about one person. Statuses by audience id, lower case.
struct PersonInExport {
  bool found = false;
  std::map<AudienceId, std::string> statuses;
};

/// What the proven snapshot says about one person: found with an empty set is a tombstone.
struct PersonInSnapshot {
  bool found = false;
  std::vector<AudienceId> audiences;
};

/// Everything that decides about the memberships of one person.
struct PersonFacts {
  PersonId person;          // as given
  PersonId normalized;      // by identity.normalize
  std::string normalize;    // that rule, as the manifest writes it
  std::string unusable;     // why such an id is never written, "" when it can be
  std::string quarantined;  // the platform's reason, "" when the person is not in quarantine
  bool forgotten = false;   // kept out on request
  std::string batches;      // of the export that was looked at, comma-separated; "" when there is none
  std::optional<PersonInExport> exported;
  std::string not_read;                      // why the export was not looked at
  std::optional<PersonInSnapshot> snapshot;  // nullopt: nothing is proven yet
};

enum class PersonVerdict {
  In,      // exported and proven
  Enters,  // exported, not proven yet
  Leaves,  // proven, no longer exported
  Out,
  InAsProven,  // the export was not looked at
  OutAsProven,
};

/// Why a person is, or is not, in one audience.
struct AudienceExplanation {
  AudienceId id;  // "" while the name was never resolved
  std::string name;
  std::string status;  // in the export, "" when it names no such membership
  bool proven = false;
  PersonVerdict verdict = PersonVerdict::Out;
  std::string why;  // one sentence
};

/// Decides about each declared audience, and each other that the person is in as proven. Pure.
std::vector<AudienceExplanation> explain_audiences(const SyncRecords& records, const PersonFacts& facts, Time now);

/// 80 columns; the id appears masked only.
std::string explanation_text(const SyncRecords& records, const PersonFacts& facts, Time now);
Value explanation_value(const SyncRecords& records, const PersonFacts& facts, Time now);

}  // namespace audiencesync
