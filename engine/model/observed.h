#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/model/finding.h"
#include "engine/model/resource.h"

namespace audiencesync {

/// What a stage saw of its slice of the platform.
struct Observed {
  std::vector<Resource> resources;  // those that exist, any order
  Outputs outputs;                  // for later stages, as far as known
  std::vector<Finding> findings;
  /// Facts to keep for later runs once this one may write: pinned audience ids. Null forgets.
  std::map<std::string, Value> remember;
};

}  // namespace audiencesync
