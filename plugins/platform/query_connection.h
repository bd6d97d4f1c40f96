#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/base/secret.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// Where Query Service listens for this organisation and sandbox, and who may come in.
struct QueryConnection {
  std::string host;
  std::uint16_t port = 0;
  std::string database;
  std::string user;
  Secret token;  // the access token of this call, good as a password as long as it is valid
};

/// Asks for the connection parameters. Errors: those of the client, and Corrupt for an answer that names no host, or
/// one that is none: what follows sends the token there.
Result<QueryConnection> query_connection(http::ReadClient& client);

}  // namespace audiencesync::platform
