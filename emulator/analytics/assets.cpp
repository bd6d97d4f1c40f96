#include "emulator/analytics/assets.h"

#include <algorithm>

#include "emulator/analytics/audit_log.h"
#include "emulator/analytics/components.h"
#include "emulator/analytics/users.h"
#include "emulator/auth/gateway.h"
#include "emulator/data/errors.h"

namespace emulator {

const std::vector<AssetSort>& asset_sorts() {
  static const std::vector<AssetSort> kSorts{{kSegmentKind, "segment", "FILTER"},
                                             {kCalculatedMetricKind, "calculatedMetric", "CALCULATED_METRIC"},
                                             {kDateRangeKind, "dateRange", "DATE_RANGE"},
                                             {kProjectKind, "project", "PROJECT"},
                                             {kDataViewKind, "dataView", "DATA_VIEW"}};
  return kSorts;
}

const AssetSort* asset_sort(const std::string& component) {
  for (const AssetSort& sort : asset_sorts())
    if (component == sort.component) return &sort;
  return nullptr;
}

bool component_exists(const Platform& platform, const std::string& type, const std::string& id) {
  if (const AssetSort* sort = asset_sort(type)) return platform.objects.find(sort->kind, id) != nullptr;
  if (type != "dimension" && type != "metric") return false;
  const ComponentKind kind = type == "dimension" ? ComponentKind::Dimension : ComponentKind::Metric;
  const auto& views = platform.objects.all(kDataViewKind);
  return std::any_of(views.begin(), views.end(),
                     [&](const auto& view) { return find_component(view.second, kind, id).has_value(); });
}

Json tags_of(const Platform& platform, const std::string& type, const std::string& id) {
  Json tags = Json::array();
  for (const auto& [key, tag] : platform.objects.all(kTagKind))
    for (const Json& one : tag["components"])
      if (one["componentType"] == type && one["componentId"] == id)
        tags.push_back({{"id", tag["id"]}, {"name", tag["name"]}, {"description", tag["description"]}});
  return tags;
}

void set_tags(Platform& platform, const std::string& type, const std::string& id, const Json& tags) {
  const Json component = {{"componentType", type}, {"componentId", id}};
  if (!tags.is_array()) throw analytics_failure(400, "invalid_parameters", "tags must be a list");
  std::vector<std::string> wanted;
  for (const Json& tag : tags) {
    const Json number = tag.value("id", Json());
    if (number.is_number_integer() && number != 0) {
      if (platform.objects.find(kTagKind, number.dump()) == nullptr)
        throw analytics_failure(404, "resource_not_found", "Unable to find tag " + number.dump());
      wanted.push_back(number.dump());
      continue;
    }
    const std::string name = tag.value("name", "");
    if (name.empty()) throw analytics_failure(400, "invalid_parameters", "A tag needs an id or a name");
    std::string key;
    for (const auto& [other, known] : platform.objects.all(kTagKind))
      if (known["name"] == name) key = other;
    if (key.empty()) {
      const std::uint64_t next = platform.objects.next(kTagKind);
      key = std::to_string(next);
      platform.objects.put(
          kTagKind, key,
          {{"id", next}, {"name", name}, {"description", tag.value("description", "")}, {"components", Json::array()}});
    }
    wanted.push_back(key);
  }
  const std::map<std::string, Json> before = platform.objects.all(kTagKind);
  for (const auto& [key, known] : before) {
    Json tag = known;
    Json& components = tag["components"];
    const auto place = std::find(components.begin(), components.end(), component);
    const bool has = place != components.end();
    const bool shall = std::find(wanted.begin(), wanted.end(), key) != wanted.end();
    if (has == shall) continue;
    if (shall)
      components.push_back(component);
    else
      components.erase(place);
    platform.objects.put(kTagKind, key, std::move(tag));
  }
}

Json shares_of(const Platform& platform, const std::string& type, const std::string& id) {
  Json shares = Json::array();
  for (const auto& [key, share] : platform.objects.all(kShareKind))
    if (share["componentType"] == type && share["componentId"] == id) shares.push_back(share);
  return shares;
}

Json asset_body(const Request& request) {
  Json body = json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"));
  if (!body.is_object()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON object");
  return body;
}

std::string data_id_of(const Json& body) { return body.value("dataId", body.value("rsid", "")); }

std::string data_view_name(const Platform& platform, const std::string& id) {
  const Json* view = platform.objects.find(kDataViewKind, id);
  return view == nullptr ? "" : view->value("name", "");
}

Json create_asset(Platform& platform, const AssetSort& sort, const std::string& id, Json asset, const Json& body) {
  const std::string now = analytics_time(platform.clock.now_ms());
  asset.update({{"id", id},
                {"owner", owner_of_body(body)},
                {"isDeleted", false},
                {"createdDate", now},
                {"modifiedDate", now},
                {"modifiedBy", kTechnicalAccount},
                {"_emulator", {{"created_ms", platform.clock.now_ms()}}}});
  platform.objects.put(sort.kind, id, asset);
  const Json tags = body.value("tags", Json());
  if (tags.is_array() && !tags.empty()) set_tags(platform, sort.component, id, tags);
  record_audit(platform, {"CREATE", sort.audit, id, asset["name"], {}});
  return asset;
}

void change_asset(Platform& platform, const AssetSort& sort, Json& asset) {
  asset["modifiedDate"] = analytics_time(platform.clock.now_ms());
  asset["modifiedBy"] = kTechnicalAccount;
  platform.objects.put(sort.kind, asset["id"], asset);
  record_audit(platform, {"EDIT", sort.audit, asset["id"], asset["name"], {}});
}

void hide_asset(Platform& platform, const AssetSort& sort, const std::string& id) {
  Json asset = known_asset(platform, sort, id);
  if (asset.value("isDeleted", false)) return;
  asset["isDeleted"] = true;
  const std::string name = asset["name"];
  platform.objects.put(sort.kind, id, std::move(asset));
  record_audit(platform, {"DELETE", sort.audit, id, name, {}});
}

const Json& known_asset(const Platform& platform, const AssetSort& sort, const std::string& id) {
  const Json* asset = platform.objects.find(sort.kind, id);
  if (asset == nullptr)
    throw analytics_failure(404, "resource_not_found", "Unable to find " + std::string(sort.component) + " " + id);
  return *asset;
}

bool asset_listed(const Platform& platform, const Request& request, const std::string& path, const Json& asset) {
  const std::string id = asset["id"];
  const std::int64_t made = asset["_emulator"].value("created_ms", std::int64_t{0});
  if (made + platform.settings.list_lag.count() > platform.clock.now_ms() && platform.settings.list_lag.count() > 0)
    return false;
  const auto types = word_list(request, "includeType");
  if (asset.value("isDeleted", false) && !types.contains("deleted") && !types.contains("all")) return false;
  const auto is_one_of = [&](const char* parameter, const std::string& value) {
    const auto words = word_list(request, parameter);
    return words.empty() || words.contains(value);
  };
  if (!is_one_of("filterByIds", id) || !is_one_of("dataIds", asset.value("dataId", ""))) return false;
  if (!is_one_of("ownerId", asset["owner"].value("imsUserId", ""))) return false;
  for (const char* name : {"favorite", "approved"})
    if (request.query_value(name).value_or("") == "true" && !asset.value(name, false)) return false;
  return !is_denied(platform.settings, "GET", path + "/" + id);
}

std::vector<Json> listed_assets(const Platform& platform, const Request& request, const std::string& path,
                                const StaleCopy::Objects& objects) {
  std::vector<Json> found;
  for (const auto& [id, asset] : objects)
    if (asset_listed(platform, request, path, asset)) found.push_back(asset);
  return found;
}

Response asset_page(const Request& request, const Platform& platform, std::vector<Json> found,
                    const std::function<Json(const Json&)>& shown) {
  Request paged = request;
  std::string flag = request.query_value("pagination").value_or("true");
  std::transform(flag.begin(), flag.end(), flag.begin(), [](unsigned char c) { return std::tolower(c); });
  if (flag == "false") {
    std::erase_if(paged.query, [](const auto& one) { return one.first == "limit" || one.first == "page"; });
    paged.query.emplace_back("limit", std::to_string(std::clamp<std::size_t>(found.size(), 1, 1000)));
  }
  return Response::json(200, analytics_page(paged, platform.settings, std::move(found), shown));
}

Json whole_asset(const Platform& platform, const AssetSort& sort, const Json& asset) {
  Json whole = asset;
  whole["tags"] = tags_of(platform, sort.component, asset["id"]);
  whole["shares"] = shares_of(platform, sort.component, asset["id"]);
  whole["dataName"] = data_view_name(platform, asset.value("dataId", ""));
  whole["ownerFullName"] = asset["owner"].value("name", "");
  whole["modified"] = asset["modifiedDate"];
  whole["created"] = asset["createdDate"];
  whole["internal"] = false;
  return whole;
}

}  // namespace emulator
