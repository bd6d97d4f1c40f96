#pragma once

#include <optional>

#include "engine/http/client.h"
#include "engine/manifest/credentials.h"
#include "engine/manifest/settings.h"
#include "engine/sql/logins.h"

namespace audiencesync {

/// Logs in where the platform says, as the settings say: by the access token of the moment, or by a credential that
/// does not expire.
class QueryLogin final : public sql::Logins {
 public:
  /// The collaborators outlive it. The credential is looked for when it is needed, so that a sync which never asks
  /// Query Service needs none.
  QueryLogin(http::ReadClient& client, const Files& files, Environment environment, const Settings& settings,
             const Organization& organization);

  /// Errors: those of the platform's answer and of find_query_credential.
  Result<sql::Login> login() override;

 private:
  http::ReadClient& client_;
  const Files& files_;
  const Environment environment_;
  const Settings& settings_;
  const Organization& organization_;
};

}  // namespace audiencesync
