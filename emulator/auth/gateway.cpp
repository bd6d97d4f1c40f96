#include "emulator/auth/gateway.h"

#include <algorithm>

#include "emulator/control/glob.h"
#include "emulator/http/errors.h"
#include "emulator/http/uri.h"

namespace emulator {
namespace {

bool is_bearer(const std::string& header) {
  return header.size() > 7 && (header.starts_with("Bearer ") || header.starts_with("bearer "));
}

}  // namespace

bool is_denied(const Settings& settings, const std::string& method, const std::string& path) {
  return std::any_of(settings.deny.begin(), settings.deny.end(), [&](const Denial& denial) {
    return (denial.method == "*" || denial.method == method) && glob_match(denial.path, path);
  });
}

std::optional<Response> Gateway::refuse(const Request& request, Gate gate) const {
  if (gate == Gate::Open) return std::nullopt;
  const Identity& who = platform_.identity;

  const std::string authorization = request.header("authorization");
  if (authorization.empty()) return gateway_error("403010", "Oauth token is missing");
  if (!is_bearer(authorization) || !tokens_.valid(authorization.substr(7)))
    return gateway_error("401013", "Oauth token is not valid");

  const std::string key = request.header("x-api-key");
  if (key.empty()) return gateway_error("403000", "Api Key is required");
  if (key != who.client_id) return gateway_error("403003", "Api Key is invalid");

  const std::string organization = request.header("x-gw-ims-org-id");
  if (organization.empty()) return gateway_error("400003", "Missing header: x-gw-ims-org-id");
  if (!organization.ends_with("@AdobeOrg")) return gateway_error("403025", "Profile is not valid");
  if (organization != who.organization) return gateway_error("403027", "User region is missing");

  if (gate == Gate::Platform) {
    const std::string sandbox = request.header("x-sandbox-name");
    if (sandbox.empty()) return gateway_error("400003", "Missing header: x-sandbox-name");
    if (sandbox != who.sandbox)
      return problem(404, "SMS-2074-404", "Sandbox '" + sandbox + "' does not exist or is not visible to the caller");
  }
  return denied(request);
}

std::optional<Response> Gateway::denied(const Request& request) const {
  {
    const auto lock = platform_.objects.lock();
    if (!is_denied(platform_.settings, request.method, percent_decode(request.path))) return std::nullopt;
  }
  if (request.path.starts_with("/data/core/ups")) {
    const std::size_t slash = request.path.rfind('/');
    const Json resource =
        Json::array({{{"resource",
                       {{"uri", "/orgs/" + platform_.identity.organization + "/sandboxes/" +
                                    platform_.identity.sandbox + request.path.substr(slash)},
                        {"labels", Json::array()}}},
                      {"action", request.method == "GET" || request.method == "HEAD" ? "READ" : "WRITE"}}});
    return ups_error(403, "UPAPI-113752-403", "User is not authorized to perform the action: " + resource.dump());
  }
  return service_error(request.path, 403, "User is not authorized to perform this action");
}

}  // namespace emulator
