#pragma once

#include <string>
#include <vector>

#include "engine/http/client.h"

namespace audiencesync::platform {

struct Sandbox {
  std::string name;
  std::string state;  // lower case: active, creating, deleting, ...
  std::string type;
};

/// Sandboxes that the credential may use.
Result<std::vector<Sandbox>> list_sandboxes(http::ReadClient& client);

}  // namespace audiencesync::platform
