#pragma once

#include <vector>

#include "engine/model/finding.h"
#include "engine/model/resource.h"

namespace audiencesync {

/// What a stage saw of its slice of the platform.
struct Observed {
  std::vector<Resource> resources;  // those that exist, any order
  Outputs outputs;                  // for later stages, as far as known
  std::vector<Finding> findings;
};

}  // namespace audiencesync
