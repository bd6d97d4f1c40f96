#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/model/change.h"
#include "engine/model/finding.h"

namespace audiencesync {

/// What would be done for one sync, and why: the values a person reviews. Never rows, never person ids.
struct Plan {
  std::string sync;  // the manifest's name
  std::string uid;
  std::string file;          // of the manifest, as given
  std::string organization;  // ...@AdobeOrg
  std::string sandbox;
  Digest definition;   // of the manifest
  std::string source;  // export batches the memberships come from, "" while unknown
  std::optional<Time> source_created;
  Digest base;                  // snapshot the memberships are compared with, "" when there is none
  std::vector<Change> refresh;  // writes into our own staging that need no approval
  std::vector<Change> changes;  // in the order of their execution
  std::vector<Finding> findings;
  std::vector<AudienceDelta> audiences;  // what is and will be in each, also when nothing changes
  bool known = true;                     // false: the memberships are known after the export

  bool empty() const { return changes.empty(); }
  bool refused() const;
  /// Identifies what would be done: definition, source, base, versions and changes; no times, no findings.
  Digest digest() const;
  Value to_value() const;
};

}  // namespace audiencesync
