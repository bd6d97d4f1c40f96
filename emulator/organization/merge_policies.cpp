#include "emulator/organization/merge_policies.h"

#include <algorithm>
#include <charconv>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr const char* kPolicyKind = "merge_policy";
constexpr const char* kPolicyPath = "/data/core/ups/config/mergePolicies";

void seed_policy(Platform& platform, const std::string& name, const std::string& graph, bool is_default) {
  const std::string id = platform.new_uuid(kPolicyKind);
  const std::int64_t now = platform.clock.now_ms();
  platform.objects.put(kPolicyKind, id,
                       {{"id", id},
                        {"name", name},
                        {"imsOrgId", platform.identity.organization},
                        {"sandbox",
                         {{"sandboxId", derived_uuid(platform.identity.seed, "sandbox", 1)},
                          {"sandboxName", platform.identity.sandbox},
                          {"type", "production"},
                          {"default", true}}},
                        {"schema", {{"name", "_xdm.context.profile"}}},
                        {"version", 1},
                        {"identityGraph", {{"type", graph}}},
                        {"attributeMerge", {{"type", "timestampOrdered"}}},
                        {"isActiveOnEdge", is_default},
                        {"default", is_default},
                        {"updateEpoch", now / 1000}});
}

bool policy_passes(const Json& policy, const Request& request) {
  if (const auto schema = request.query_value("schema.name"); schema && policy["schema"]["name"] != *schema)
    return false;
  const auto is_default = request.query_value("default");
  return !is_default || policy["default"] == (*is_default == "true");
}

Response list_policies(Platform& platform, const Request& request) {
  const auto number = [&](const char* name, std::size_t otherwise) -> std::optional<std::size_t> {
    const auto text = request.query_value(name);
    if (!text) return otherwise;
    std::size_t value = 0;
    const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (problem != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return value;
  };
  const auto lock = platform.objects.lock();
  const auto start = number("start", 0);
  auto limit = number("limit", 20);
  if (!start || !limit || *limit == 0)
    return ups_error(400, "UPMPAPI-100010-400", "start and limit must be whole numbers, limit above 0");
  limit = std::min<std::size_t>(*limit, platform.settings.page_cap);

  std::vector<const Json*> chosen;
  for (const auto& [id, policy] : platform.objects.all(kPolicyKind))
    if (policy_passes(policy, request)) chosen.push_back(&policy);
  Json children = Json::array();
  for (std::size_t i = *start; i < chosen.size() && children.size() < *limit; ++i) children.push_back(*chosen[i]);
  Json page{{"count", children.size()}};
  if (*start + children.size() < chosen.size()) page["next"] = std::to_string(*start + children.size());
  return Response::json(200, Json{{"_page", std::move(page)}, {"children", std::move(children)}});
}

}  // namespace

void seed_merge_policies(Platform& platform) {
  const auto lock = platform.objects.lock();
  if (!platform.objects.all(kPolicyKind).empty()) return;
  seed_policy(platform, "Default Timebased", "pdg", true);
  seed_policy(platform, "Without identity graph", "none", false);
}

void add_merge_policy_routes(Router& router, Platform& platform) {
  router.add("GET", kPolicyPath, [&platform](const Request& request) { return list_policies(platform, request); });
  router.add("GET", std::string(kPolicyPath) + "/{id}", [&platform](const Request& request) {
    const auto lock = platform.objects.lock();
    const Json* found = platform.objects.find(kPolicyKind, request.parameter("id"));
    if (found == nullptr)
      return ups_error(404, "UPMPAPI-100001-404", "there is no merge policy " + request.parameter("id"));
    return Response::json(200, *found);
  });
}

}  // namespace emulator
