#include "emulator/analytics/users.h"

#include <array>

namespace emulator {
namespace {

struct KnownUser {
  const char* id;
  const char* first;
  const char* last;
  const char* email;
  const char* type;
};

constexpr std::array kUsers{
    KnownUser{kTechnicalAccount, "Technical", "Account", "technical.account@techacct.adobe.com", "technical"},
    KnownUser{kSomebody, "Ada", "Example", "ada@example.com", "imsUser"}};

std::string full_name(const KnownUser& user) { return std::string(user.first) + " " + user.last; }

Json me(const Platform& platform, bool with_roles) {
  const KnownUser& user = kUsers[0];
  const std::string& organization = platform.identity.organization;
  Json shown = {{"userId", user.id},        {"name", full_name(user)}, {"displayName", full_name(user)},
                {"first_name", user.first}, {"last_name", user.last},  {"email", user.email},
                {"emailVerified", true},    {"countryCode", "US"},     {"organization", organization}};
  if (with_roles)
    shown["roles"] = Json::array(
        {{{"principal", user.id}, {"organization", organization}, {"named_role", "product_admin"}, {"target", "cja"}}});
  return shown;
}

Response users(const Request& request, Platform& platform) {
  const auto lock = platform.objects.lock();
  std::vector<Json> all;
  for (const KnownUser& user : kUsers)
    all.push_back({{"id", user.id},
                   {"imsOrgId", platform.identity.organization},
                   {"email", user.email},
                   {"firstName", user.first},
                   {"lastName", user.last},
                   {"fullName", full_name(user)},
                   {"type", user.type},
                   {"admin", user.id == std::string(kTechnicalAccount)}});
  return Response::json(
      200, analytics_page(request, platform.settings, std::move(all), [](const Json& user) { return user; }));
}

}  // namespace

Json analytics_user(const std::string& id) {
  for (const KnownUser& user : kUsers)
    if (id == user.id) return {{"imsUserId", user.id}, {"name", full_name(user)}};
  return nullptr;
}

std::string user_email(const std::string& id) {
  for (const KnownUser& user : kUsers)
    if (id == user.id) return user.email;
  return {};
}

Json owner_of_body(const Json& body) {
  const Json given = body.value("owner", Json());
  if (given.is_null()) return analytics_user(kTechnicalAccount);
  if (!given.is_object()) throw analytics_failure(400, "invalid_request", "owner must be an object");
  Json owner = analytics_user(given.value("imsUserId", ""));
  if (owner.is_null()) throw analytics_failure(401, "unauthorized", "The owner is not in the same organisation");
  return owner;
}

void add_user_routes(AnalyticsRoutes& routes, Platform& platform) {
  routes.add("GET", "/configuration/users/me", [&platform](const Request& request) {
    return Response::json(200, me(platform, word_list(request, "expansion").contains("admin")));
  });
  // Clients still call the second one by its older name.
  for (const char* path : {"/configuration/orgs/users", "/configuration/org/users"})
    routes.add("GET", path, [&platform](const Request& request) { return users(request, platform); });
}

}  // namespace emulator
