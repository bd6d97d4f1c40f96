#include "emulator/auth/tokens.h"

#include <optional>

#include "emulator/http/errors.h"
#include "emulator/http/uri.h"

namespace emulator {

void Tokens::add_routes(Router& router) {
  router.add("POST", "/ims/token/v3", [this](const Request& request) { return issue(request); },
             {.body = BodyMode::Memory, .gate = Gate::Open});
}

bool Tokens::valid(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = expiry_ms_.find(token);
  return found != expiry_ms_.end() && found->second > platform_.clock.now_ms();
}

Response Tokens::issue(const Request& request) {
  if (!request.header("content-type").starts_with("application/x-www-form-urlencoded"))
    return token_error(400, "invalid_request", "the request is not form encoded");
  // Some clients put a field or two into the query; the service takes both.
  auto fields = parse_form(request.body);
  fields.insert(fields.end(), request.query.begin(), request.query.end());
  const auto field = [&](std::string_view name) -> std::optional<std::string> {
    for (const auto& [key, value] : fields)
      if (key == name) return value;
    return std::nullopt;
  };

  const auto grant = field("grant_type");
  if (!grant) return token_error(400, "invalid_request", "grant_type is missing");
  if (*grant != "client_credentials") return token_error(400, "unsupported_grant_type", "unsupported grant_type");
  const auto client = field("client_id");
  if (!client || *client != platform_.identity.client_id)
    return token_error(400, "invalid_client", "invalid client_id parameter");
  const auto secret = field("client_secret");
  if (!secret || *secret != platform_.identity.client_secret)
    return token_error(400, "invalid_client", "invalid client_secret parameter");
  const auto scope = field("scope");
  if (!scope || (("," + *scope + ",").find(",openid,") == std::string::npos))
    return token_error(400, "invalid_scope", "scope must contain openid");

  std::int64_t lifetime = 0;
  std::uint64_t number = 0;
  {
    const auto lock = platform_.objects.lock();
    lifetime = platform_.settings.token_lifetime.count();
    number = platform_.objects.next("token");
  }
  const std::string token = derived_hex(platform_.identity.seed, "token", number) +
                            derived_hex(platform_.identity.seed, "token tail", number);
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = platform_.clock.now_ms();
    std::erase_if(expiry_ms_, [now](const auto& entry) { return entry.second <= now; });
    expiry_ms_[token] = now + lifetime * 1000;
  }
  return Response::json(200, Json{{"access_token", token}, {"token_type", "bearer"}, {"expires_in", lifetime}});
}

}  // namespace emulator
