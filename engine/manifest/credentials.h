#pragma once

#include <string>
#include <string_view>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/base/secret.h"
#include "engine/manifest/environment.h"

namespace audiencesync {

/// Scopes of the platform's own template for server-to-server credentials.
inline constexpr std::string_view kDefaultScopes =
    "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext";

/// An OAuth server-to-server credential.
struct Credential {
  std::string client_id;
  Secret client_secret;
  std::string scopes{kDefaultScopes};  // comma separated
};

/// Finds the credential `name` of the settings, in this order:
///
/// 1. the file `$CREDENTIALS_DIRECTORY/<name>` (systemd LoadCredential= of a file), then
///    `$CREDENTIALS_DIRECTORY/audiencesync_<name>` (LoadCredential=audiencesync:FOLDER, one file each),
/// 2. the file `<settings_folder>/credentials/<name>`, readable by its owner only,
/// 3. the variables AUDIENCESYNC_<NAME>_CLIENT_ID, _CLIENT_SECRET and, optional, _SCOPES.
///
/// The files are JSON: {"client_id", "client_secret", "scopes"?}. The first place that has something decides: a
/// damaged one is an error, not a reason to look further. Errors: Authentication with the places looked at, Invalid,
/// Permission, Io; never with a part of the content.
Result<Credential> find_credential(const Files& files, const Environment& environment, const Path& settings_folder,
                                   std::string_view name);

/// A credential of Query Service that does not expire, as the platform's own file has it.
struct QueryCredential {
  Secret password;  // technical account, colon, credential
};

/// Finds it in the same places as the other one, except for variables. The file is the one that the platform gives:
/// JSON with "technicalAccountId" and "credential"; what else is in it does not matter. Errors: likewise.
Result<QueryCredential> find_query_credential(const Files& files, const Environment& environment,
                                              const Path& settings_folder, std::string_view name);

}  // namespace audiencesync
