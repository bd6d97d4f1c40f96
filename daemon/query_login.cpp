#include "daemon/query_login.h"

#include "plugins/platform/query_connection.h"

namespace audiencesync {

QueryLogin::QueryLogin(http::ReadClient& client, const Files& files, Environment environment, const Settings& settings,
                       const Organization& organization)
    : client_(client),
      files_(files),
      environment_(std::move(environment)),
      settings_(settings),
      organization_(organization) {}

Result<sql::Login> QueryLogin::login() {
  const auto& access = organization_.query_service;
  sql::Login login;
  // Before the platform is asked: what is wrong with the settings is said without it.
  if (!access.credential.empty()) {
    auto credential = TRY(find_query_credential(files_, environment_, settings_.folder, access.credential));
    login.password = std::move(credential.password);
  }
  auto found = TRY(platform::query_connection(client_));
  login.host = std::move(found.host);
  login.address = access.address;
  login.port = access.port == 0 ? found.port : static_cast<std::uint16_t>(access.port);
  login.database = std::move(found.database);
  login.user = access.credential.empty() ? std::move(found.user) : organization_.organization_id;
  if (access.credential.empty()) login.password = std::move(found.token);
  return login;
}

}  // namespace audiencesync
