#pragma once

#include <string>
#include <vector>

#include "engine/http/client.h"

namespace audiencesync::platform {

struct IdentityNamespace {
  std::string id;
  std::string code;  // as the registry wants it: Email
  std::string name;
  std::string type;    // lower case
  std::string status;  // upper case: ACTIVE; "" when the platform does not say
};

/// Identity namespaces of the organisation, standard and own.
Result<std::vector<IdentityNamespace>> list_identity_namespaces(http::ReadClient& client);

}  // namespace audiencesync::platform
