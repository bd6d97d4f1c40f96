#include "emulator/analytics/tags.h"

#include <algorithm>

#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr const char* kTagsPath = "/componentmetadata/tags";

HttpError bad_tags(const std::string& why) { return analytics_failure(400, "invalid_parameters", why); }

Json list_body(const Request& request) {
  Json body = json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"));
  if (!body.is_array()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON array");
  return body;
}

std::string required(const Request& request, const char* name) {
  const std::string value = request.query_value(name).value_or("");
  if (value.empty()) throw bad_tags(std::string(name) + " is required");
  return value;
}

std::vector<Json> by_number(const Platform& platform, const char* kind, const char* number) {
  std::vector<Json> all;
  for (const auto& [id, one] : platform.objects.all(kind)) all.push_back(one);
  std::sort(all.begin(), all.end(), [&](const Json& a, const Json& b) { return a[number] < b[number]; });
  return all;
}

void check_component(const Platform& platform, const std::string& type, const std::string& id) {
  if (!component_exists(platform, type, id))
    throw analytics_failure(404, "resource_not_found", "Unable to find " + type + " " + id);
}

Response create_tags(Platform& platform, const Request& request) {
  const Json body = list_body(request);
  const auto lock = platform.objects.lock();
  for (const Json& tag : body) {
    if (tag.value("name", "").empty()) throw bad_tags("A tag needs a name");
    for (const Json& one : tag.value("components", Json::array()))
      check_component(platform, one.value("componentType", ""), one.value("componentId", ""));
  }
  Json made = Json::array();
  for (const Json& tag : body) {
    // Nothing here looks for one of that name: whoever repeats the call has two.
    const std::uint64_t id = platform.objects.next(kTagKind);
    Json kept = {{"id", id},
                 {"name", tag["name"]},
                 {"description", tag.value("description", "")},
                 {"components", Json::array()}};
    for (const Json& one : tag.value("components", Json::array()))
      kept["components"].push_back({{"componentType", one["componentType"]}, {"componentId", one["componentId"]}});
    platform.objects.put(kTagKind, std::to_string(id), kept);
    kept["status"] = {{"success", true}};
    made.push_back(std::move(kept));
  }
  return Response::json(200, made);
}

Response set_tag_items(Platform& platform, const Request& request) {
  const Json body = list_body(request);
  const auto lock = platform.objects.lock();
  for (const Json& item : body)
    check_component(platform, item.value("componentType", ""), item.value("componentId", ""));
  Json answer = Json::array();
  for (const Json& item : body) {
    const std::string type = item["componentType"];
    const std::string id = item["componentId"];
    set_tags(platform, type, id, item.value("tags", Json::array()));
    answer.push_back({{"componentType", type}, {"componentId", id}, {"tags", tags_of(platform, type, id)}});
  }
  return Response::json(200, answer);
}

Response untag(Platform& platform, const Request& request) {
  const std::string type = required(request, "componentType");
  required(request, "componentIds");
  const auto lock = platform.objects.lock();
  Json answer = Json::array();
  for (const std::string& id : word_list(request, "componentIds")) {
    check_component(platform, type, id);
    set_tags(platform, type, id, Json::array());
    answer.push_back({{"status", {{"success", true}}}});
  }
  return Response::json(200, answer);
}

Response tags_by_name(Platform& platform, const Request& request) {
  required(request, "tagNames");
  const std::string type = required(request, "componentType");
  const auto names = word_list(request, "tagNames");
  const auto lock = platform.objects.lock();
  Json ids = Json::array();
  for (const Json& tag : by_number(platform, kTagKind, "id"))
    if (names.contains(tag["name"]))
      for (const Json& one : tag["components"])
        if (one["componentType"] == type && std::find(ids.begin(), ids.end(), one["componentId"]) == ids.end())
          ids.push_back(one["componentId"]);
  return Response::json(200, ids);
}

Response one_tag(Platform& platform, const Request& request, bool remove) {
  const auto lock = platform.objects.lock();
  const std::string id = request.parameter("id");
  const Json* tag = platform.objects.find(kTagKind, id);
  if (tag == nullptr) throw analytics_failure(404, "resource_not_found", "Unable to find tag " + id);
  if (!remove) return Response::json(200, *tag);
  platform.objects.erase(kTagKind, id);
  return Response::json(200, Json::array({{{"status", {{"success", true}}}}}));
}

/// What a search body names, each component with what `of` says of it.
Response searched(Platform& platform, const Request& request, const char* member,
                  const std::function<Json(const std::string& type, const std::string& id)>& of) {
  const Json body = asset_body(request);
  const std::string type = body.value("componentType", "");
  const Json ids = body.value("componentIds", Json::array());
  if (type.empty() || !ids.is_array()) throw bad_tags("componentType and componentIds are required");
  const auto lock = platform.objects.lock();
  std::vector<Json> found;
  for (const Json& id : ids)
    found.push_back({{"componentType", type}, {"componentId", id}, {member, of(type, id.get<std::string>())}});
  return Response::json(
      200, analytics_page(request, platform.settings, std::move(found), [](const Json& one) { return one; }));
}

}  // namespace

void add_tag_routes(AnalyticsRoutes& routes, Platform& platform) {
  const std::string base = kTagsPath;
  routes.add("GET", base, [&platform](const Request& request) {
    const auto lock = platform.objects.lock();
    return Response::json(200, analytics_list(request, by_number(platform, kTagKind, "id")));
  });
  routes.add("POST", base, [&platform](const Request& r) { return create_tags(platform, r); });
  routes.add("DELETE", base, [&platform](const Request& r) { return untag(platform, r); });
  routes.add("PUT", base + "/tagitems", [&platform](const Request& r) { return set_tag_items(platform, r); });
  routes.add("GET", base + "/tagnames", [&platform](const Request& r) { return tags_by_name(platform, r); });
  routes.add("GET", base + "/search", [&platform](const Request& request) {
    const std::string type = required(request, "componentType");
    const std::string id = required(request, "componentId");
    const auto lock = platform.objects.lock();
    return Response::json(200, tags_of(platform, type, id));
  });
  routes.add("POST", base + "/component/search", [&platform](const Request& request) {
    return searched(platform, request, "tags",
                    [&](const std::string& type, const std::string& id) { return tags_of(platform, type, id); });
  });
  routes.add("GET", base + "/{id}", [&platform](const Request& r) { return one_tag(platform, r, false); });
  routes.add("DELETE", base + "/{id}", [&platform](const Request& r) { return one_tag(platform, r, true); });
}

}  // namespace emulator
