#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/finding.h"
#include "engine/model/resource.h"
#include "engine/model/sample.h"

namespace audiencesync {

/// What a person must know to do what only a person can do: why, and the clicks in their order.
struct Guide {
  std::string reason;              // one sentence, for the plan
  std::vector<std::string> steps;  // the click-list, with the ids and values to enter
};

/// What a stage saw of its slice of the platform.
struct Observed {
  std::vector<Resource> resources;           // those that exist, any order
  std::map<ResourceKey, Guide> guides = {};  // for changes that are person actions
  /// Fields that a desired resource is to have beside those the manifest gives: known only by looking.
  std::map<ResourceKey, Fields> wanted = {};
  /// Why nothing was compared, for the plan: "skipped: ...", "cannot check: needs ...". Then there are no changes.
  std::optional<std::string> unchecked = {};
  std::string state = {};  // how this slice stands, for the plan: "verified"; empty: the engine's own words
  Outputs outputs = {};    // for later stages, as far as known
  std::vector<Finding> findings = {};
  /// Changed people, where no row of theirs comes to this machine; else the engine reads its own changeset.
  std::vector<Sample> samples = {};
  /// Facts to keep for later runs once this one may write: pinned audience ids. Null forgets.
  std::map<std::string, Value> remember = {};
};

}  // namespace audiencesync
