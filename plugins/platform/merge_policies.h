#pragma once

#include <string>
#include <vector>

#include "engine/http/client.h"

namespace audiencesync::platform {

enum class DefaultPolicy { No, Yes };

struct MergePolicy {
  std::string id;
  std::string name;
  DefaultPolicy is_default = DefaultPolicy::No;
};

/// Merge policies for people of the sandbox, sorted by id.
Result<std::vector<MergePolicy>> list_merge_policies(http::ReadClient& client);

}  // namespace audiencesync::platform
