#include <algorithm>

#include "emulator/analytics/audit_log.h"
#include "emulator/analytics/tags.h"
#include "emulator/analytics/users.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr const char* kSharesPath = "/componentmetadata/shares";

HttpError bad_share(const std::string& why) { return analytics_failure(400, "invalid_parameters", why); }

Json share_list(const Request& request) {
  Json body = json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"));
  if (!body.is_array()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON array");
  return body;
}

const AssetSort& shareable(const Platform& platform, const std::string& type, const std::string& id) {
  const AssetSort* sort = asset_sort(type);
  if (sort == nullptr) throw bad_share("componentType '" + type + "' is not possible");
  known_asset(platform, *sort, id);
  return *sort;
}

void audit_share(Platform& platform, const AssetSort& sort, const std::string& id, const char* action) {
  record_audit(platform, {action, sort.audit, id, known_asset(platform, sort, id)["name"], {}});
}

/// The shares a body gives become the only ones of each component.
Response replace_shares(Platform& platform, const Request& request) {
  const Json body = share_list(request);
  const auto lock = platform.objects.lock();
  for (const Json& item : body) {
    shareable(platform, item.value("componentType", ""), item.value("componentId", ""));
    for (const Json& share : item.value("shares", Json::array())) {
      const std::string kind = share.value("shareToType", "user");
      const std::string user = share.value("shareToImsId", "");
      if (kind != "user" && kind != "group" && kind != "all")
        throw bad_share("shareToType '" + kind + "' is not possible");
      if (kind == "user" && analytics_user(user).is_null()) throw bad_share("Unable to find user '" + user + "'");
    }
  }
  Json answer = Json::array();
  for (const Json& item : body) {
    const std::string type = item["componentType"];
    const std::string id = item["componentId"];
    const AssetSort& sort = shareable(platform, type, id);
    for (const Json& old : shares_of(platform, type, id)) platform.objects.erase(kShareKind, old["shareId"].dump());
    const Json wanted = item.value("shares", Json::array());
    for (const Json& share : wanted) {
      const std::uint64_t number = platform.objects.next(kShareKind);
      const std::string user = share.value("shareToImsId", "");
      const Json known = analytics_user(user);
      platform.objects.put(kShareKind, std::to_string(number),
                           {{"shareId", number},
                            {"imsOrgId", platform.identity.organization},
                            {"shareToId", share.value("shareToId", 0)},
                            {"shareToImsId", user},
                            {"shareToType", share.value("shareToType", "user")},
                            {"shareFromImsId", kTechnicalAccount},
                            {"componentType", type},
                            {"componentId", id},
                            {"shareToDisplayName", known.is_null() ? "" : known["name"].get<std::string>()},
                            {"shareToLogin", user_email(user)},
                            {"accessLevel", share.value("accessLevel", "view")}});
    }
    audit_share(platform, sort, id, wanted.empty() ? "UNSHARE" : "SHARE");
    answer.push_back({{"componentType", type}, {"componentId", id}, {"shares", shares_of(platform, type, id)}});
  }
  // Described as one object, although several may be asked for.
  return Response::json(200, answer.size() == 1 ? answer[0] : answer);
}

std::vector<Json> all_shares(const Platform& platform) {
  std::vector<Json> all;
  for (const auto& [id, one] : platform.objects.all(kShareKind)) all.push_back(one);
  std::sort(all.begin(), all.end(), [](const Json& a, const Json& b) { return a["shareId"] < b["shareId"]; });
  return all;
}

Response one_share(Platform& platform, const Request& request, bool remove) {
  const auto lock = platform.objects.lock();
  const std::string id = request.parameter("id");
  const Json* found = platform.objects.find(kShareKind, id);
  if (found == nullptr) throw analytics_failure(404, "resource_not_found", "Unable to find share " + id);
  if (!remove) return Response::json(200, *found);
  const Json share = *found;
  platform.objects.erase(kShareKind, id);
  const std::string component = share["componentId"];
  if (const AssetSort* sort = asset_sort(share["componentType"].get<std::string>()))
    if (platform.objects.find(sort->kind, component) != nullptr) audit_share(platform, *sort, component, "UNSHARE");
  return Response::json(200, {{"status", {{"success", true}}}});
}

Response search_shares(Platform& platform, const Request& request) {
  const Json body = asset_body(request);
  const std::string type = body.value("componentType", "");
  const Json ids = body.value("componentIds", Json::array());
  if (type.empty() || !ids.is_array()) throw bad_share("componentType and componentIds are required");
  const auto lock = platform.objects.lock();
  std::vector<Json> found;
  for (const Json& id : ids)
    found.push_back(
        {{"componentType", type}, {"componentId", id}, {"shares", shares_of(platform, type, id.get<std::string>())}});
  return Response::json(
      200, analytics_page(request, platform.settings, std::move(found), [](const Json& one) { return one; }));
}

Response shared_to_me(Platform& platform, const Request& request) {
  const std::string type = request.query_value("componentType").value_or("");
  if (type.empty()) throw bad_share("componentType is required");
  const auto lock = platform.objects.lock();
  Json ids = Json::array();
  for (const Json& share : all_shares(platform))
    if (share["componentType"] == type && (share["shareToType"] == "all" || share["shareToImsId"] == kTechnicalAccount))
      ids.push_back(share["componentId"]);
  return Response::json(200, ids);
}

Response asset_counts(Platform& platform, const Request& request) {
  const std::string user = request.parameter("user");
  if (analytics_user(user).is_null()) throw analytics_failure(404, "resource_not_found", "Unable to find user " + user);
  const auto lock = platform.objects.lock();
  Json counts = Json::array();
  for (const AssetSort& sort : asset_sorts()) {
    const auto& all = platform.objects.all(sort.kind);
    counts.push_back(
        {{"componentType", sort.component}, {"count", std::count_if(all.begin(), all.end(), [&](const auto& one) {
                                               return !one.second.value("isDeleted", false) &&
                                                      one.second["owner"].value("imsUserId", "") == user;
                                             })}});
  }
  return Response::json(200, counts);
}

Response transfer_assets(Platform& platform, const Request& request) {
  const std::string user = request.parameter("user");
  const Json owner = analytics_user(user);
  if (owner.is_null()) throw analytics_failure(404, "resource_not_found", "Unable to find user " + user);
  const Json body = share_list(request);
  const auto lock = platform.objects.lock();
  Json errors = Json::array();
  std::size_t asked = 0;
  for (const Json& item : body) {
    const std::string type = item.value("componentType", "");
    const AssetSort* sort = asset_sort(type);
    for (const Json& id : item.value("componentIds", Json::array())) {
      ++asked;
      const Json* asset = sort == nullptr ? nullptr : platform.objects.find(sort->kind, id);
      if (asset == nullptr) {
        errors.push_back({{"componentType", type}, {"componentId", id}, {"errorMessage", "It does not exist"}});
        continue;
      }
      Json changed = *asset;
      changed["owner"] = owner;
      record_audit(platform, {"TRANSFER", sort->audit, id, changed["name"], {}});
      platform.objects.put(sort->kind, id, std::move(changed));
    }
  }
  std::string status = "status_success";
  if (!errors.empty()) status = errors.size() < asked ? "status_partial_success" : "status_all_failed";
  return Response::json(200, {{"errors", errors}, {"status", status}});
}

}  // namespace

void add_share_routes(AnalyticsRoutes& routes, Platform& platform) {
  const std::string base = kSharesPath;
  routes.add("GET", base, [&platform](const Request& request) {
    const std::string user = request.query_value("userid").value_or(request.query_value("userId").value_or(""));
    const auto lock = platform.objects.lock();
    std::vector<Json> found = all_shares(platform);
    std::erase_if(found, [&](const Json& share) { return !user.empty() && share["shareToImsId"] != user; });
    return Response::json(200, analytics_list(request, found));
  });
  routes.add("PUT", base, [&platform](const Request& r) { return replace_shares(platform, r); });
  routes.add("POST", base + "/component/search", [&platform](const Request& r) { return search_shares(platform, r); });
  routes.add("GET", base + "/sharedto/me", [&platform](const Request& r) { return shared_to_me(platform, r); });
  routes.add("GET", base + "/{id}", [&platform](const Request& r) { return one_share(platform, r, false); });
  routes.add("DELETE", base + "/{id}", [&platform](const Request& r) { return one_share(platform, r, true); });
  routes.add("GET", "/componentmetadata/assets/{user}/counts",
             [&platform](const Request& r) { return asset_counts(platform, r); });
  routes.add("PUT", "/componentmetadata/assets/{user}/transfer",
             [&platform](const Request& r) { return transfer_assets(platform, r); });
}

}  // namespace emulator
