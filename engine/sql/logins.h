#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/base/secret.h"

namespace audiencesync::sql {

/// Everything that opens a session of Query Service.
struct Login {
  std::string host;     // the certificate must be made out to it
  std::string address;  // IP address to connect to instead of looking `host` up; "": look it up
  std::uint16_t port = 0;
  std::string database;  // sandbox:all
  std::string user;
  Secret password;  // an access token, or a credential that does not expire
};

/// Where a session gets what it logs in with. Asked before each connection, because a token is good for a day only.
class Logins {
 public:
  virtual ~Logins() = default;
  virtual Result<Login> login() = 0;
};

}  // namespace audiencesync::sql
