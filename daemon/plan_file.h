#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/base/value.h"

namespace audiencesync {

/// The plans of a file that `plan --out FILE.json` wrote, as Plan::to_value gives them.
struct PlanFile {
  std::map<std::string, Value> plans;  // by uid
  std::vector<std::string> manifests;  // their files, in the order of the plans
};

/// Errors: NotFound, Io; Usage for a file that holds no plan in JSON, a plan of another version, or one that does not
/// know its memberships and so binds nobody.
Result<PlanFile> read_plan_file(const Files& files, const Path& path);

}  // namespace audiencesync
