#include "daemon/platform_calls.h"

#include <fmt/format.h>

#include "engine/http/curl/curl_transport.h"

namespace audiencesync {

http::RetryPolicy retry_policy(const Adapters& adapters, const Settings& settings) {
  if (adapters.retry) return *adapters.retry;
  http::RetryPolicy policy;
  policy.attempts = static_cast<int>(settings.retry.attempts);
  policy.base = settings.retry.first;
  policy.ceiling = settings.retry.most;
  policy.total = settings.retry.within;
  return policy;
}

OrganizationTransport::OrganizationTransport(const Adapters& adapters, const Organization& organization)
    : shared_(adapters.transport) {
  if (organization.ca_file.empty()) return;
  http::CurlOptions options;
  options.ca_file = organization.ca_file;
  own_ = std::make_unique<http::CurlTransport>(options);
}

Result<void> check_ca_file(const Files& files, const Settings& settings, const Organization& organization) {
  if (organization.ca_file.empty()) return {};
  const auto text = files.read(organization.ca_file);
  const bool certificates = text.ok() && text->find("-----BEGIN") != std::string::npos;
  if (certificates) return {};
  return Error(ErrorCode::Invalid,
               fmt::format("{}: ca_file '{}' of the organisation {}; write the path of a file with certificates (PEM)",
                           organization.place.text().empty() ? settings.file : organization.place.text(),
                           organization.ca_file.string(),
                           text.ok() ? "holds no certificate" : "cannot be read (" + text.error().text() + ")"));
}

}  // namespace audiencesync
