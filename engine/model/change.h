#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/model/resource.h"

namespace audiencesync {

enum class Action { Create, Update, Delete, Run, Ingest, Person };

const char* to_string(Action action);
std::optional<Action> action_from(std::string_view text);

/// One step of a plan.
struct Change {
  ResourceKey key;
  Action action = Action::Create;
  Fields after;                         // the fields to write; Refs are resolved before a stage sees them
  std::string reason;                   // one sentence for the plan
  std::string expected_version;         // of the object when it was observed, "" when it did not exist
  std::optional<Bulk> bulk;             // for Ingest
  std::vector<std::string> steps = {};  // for Person: the click-list

  Value to_value() const;
  static Result<Change> from_value(const Value& value);
};

/// What proves that a change is real: ids and counts read back from the platform.
struct Proof {
  std::string version;  // of the object, read back
  std::string batch;    // for an ingest
  std::int64_t generation = 0;
  std::uint64_t records = 0;
  std::vector<std::string> quarantined;  // fingerprints, never person ids

  Value to_value() const;
};

struct Applied {
  Outputs outputs;
  Proof proof;
};

}  // namespace audiencesync
