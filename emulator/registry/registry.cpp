#include "emulator/registry/registry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "emulator/http/errors.h"
#include "emulator/http/uri.h"
#include "emulator/registry/accept.h"
#include "emulator/registry/descriptors.h"
#include "emulator/registry/listing.h"
#include "emulator/registry/resources.h"
#include "emulator/registry/validation.h"

namespace emulator {
namespace {

constexpr const char* kBase = "/data/foundation/schemaregistry";
// Path segment and resource type. Field groups were called mixins, and both names still work.
constexpr std::array<std::pair<const char*, const char*>, 7> kResourceTypes{{{"schemas", "schemas"},
                                                                             {"fieldgroups", "mixins"},
                                                                             {"mixins", "mixins"},
                                                                             {"classes", "classes"},
                                                                             {"datatypes", "datatypes"},
                                                                             {"behaviors", "behaviors"},
                                                                             {"unions", "unions"}}};

HttpError no_resource(const std::string& id, const std::string& version) {
  return {registry_error(
      404, "XDM-1012-404", "Resource Not Found",
      "Requested resource " + id + (version.empty() ? "" : " with version " + version) + " is not found")};
}

HttpError refused_change(const std::string& detail) {
  return {registry_error(400, "XDM-1523-400", "Update not allowed", detail)};
}

/// What a client may not set: a body that carries it is taken without.
void drop_owned(Json& document) {
  for (const char* name :
       {"$id", "meta:altId", "version", "meta:resourceType", "meta:registryMetadata", "meta:containerId", "imsOrg",
        "meta:tenantNamespace", "meta:class", "meta:sandboxId", "meta:sandboxType"})
    document.erase(name);
}

/// Refreshes what follows from `allOf`.
void derive(Json& document, const std::string& type, const Lookup& lookup) {
  if (type != "schemas") return;
  Json extends = Json::array();
  const auto add = [&](const Json& id) {
    if (std::find(extends.begin(), extends.end(), id) == extends.end()) extends.push_back(id);
  };
  for (const Json& part : document["allOf"]) {
    if (!part.contains("$ref")) continue;
    const Json* target = lookup(part["$ref"].get<std::string>());
    add(part["$ref"]);
    if (target == nullptr || (*target)["meta:resourceType"] != "classes") continue;
    document["meta:class"] = part["$ref"];
    for (const Json& behaviour : target->value("meta:extends", Json::array())) add(behaviour);
  }
  document["meta:extends"] = std::move(extends);
}

enum class Strip { Titles, Texts };

/// Without titles, or without titles and descriptions, of the schema itself; fields of that name are fields.
Json without_text(Json node, Strip strip) {
  if (!node.is_object()) return node;
  node.erase("title");
  if (strip == Strip::Texts) node.erase("description");
  for (const auto& key : {"properties", "definitions"})
    if (node.contains(key) && node[key].is_object())
      for (auto& [name, field] : node[key].items()) field = without_text(field, strip);
  for (const auto& key : {"items", "additionalProperties"})
    if (node.contains(key)) node[key] = without_text(node[key], strip);
  return node;
}

/// Every field says what it is in the words of the data model, as the full forms do.
void add_field_types(Json& node) {
  if (!node.is_object()) return;
  if (node.contains("type") && !node.contains("meta:xdmType")) node["meta:xdmType"] = node["type"];
  if (node.contains("properties"))
    for (auto& [name, field] : node["properties"].items()) add_field_types(field);
  for (const char* inner : {"items", "additionalProperties"})
    if (node.contains(inner)) add_field_types(node[inner]);
}

Json rendered(const Json& document, const std::string& accept, const Lookup& lookup) {
  Json shown = document;
  if (accept.starts_with("xed-full")) {
    shown = merged_document(document, lookup);
    add_field_types(shown);
    // Merging drops the words of parts, not those of the document asked for.
    for (const char* name : {"title", "description"})
      if (document.contains(name)) shown[name] = document[name];
  }
  if (accept.ends_with("-notext")) return without_text(std::move(shown), Strip::Texts);
  if (accept.ends_with("-desc")) return without_text(std::move(shown), Strip::Titles);
  return shown;
}

bool tagged_for_union(const Json& document) {
  const Json tags = document.value("meta:immutableTags", Json::array());
  return std::find(tags.begin(), tags.end(), "union") != tags.end();
}

std::string next_version(const std::string& version) {
  const std::size_t dot = version.find('.');
  return version.substr(0, dot) + "." + std::to_string(std::stoul(version.substr(dot + 1)) + 1);
}

}  // namespace

Registry::Registry(Platform& platform) : platform_(platform) { seed_schemas(platform_); }

void Registry::add_routes(Router& router) {
  const std::string base = kBase;
  router.add("GET", base + "/stats", [this](const Request&) { return stats(); });
  for (const auto& [segment, type_name] : kResourceTypes) {
    const std::string type = type_name;
    for (const char* container : {"tenant", "global"}) {
      const std::string list_path = base + "/" + container + "/" + segment;
      router.add("GET", list_path, [this, type](const Request& request) { return list(request, type); });
      router.add("GET", list_path + "/{id...}", [this, type](const Request& request) { return get(request, type); });
    }
    if (type == "unions" || type == "behaviors") continue;
    const std::string own = base + "/tenant/" + segment;
    const std::string one = own + "/{id...}";
    router.add("POST", own, [this, type](const Request& request) { return create(request, type); });
    router.add("PATCH", one, [this, type](const Request& request) { return update(request, type); });
    router.add("PUT", one, [this, type](const Request& request) { return update(request, type); });
    router.add("DELETE", one, [this, type](const Request& request) { return remove(request, type); });
  }
  add_descriptor_routes(router, platform_, base);
}

Response Registry::stats() const {
  const auto lock = platform_.objects.lock();
  Json counts = Json::object();
  for (const char* type : {"schemas", "mixins", "datatypes", "classes", "unions"})
    counts[type] = resources_in(platform_, "tenant", type).size();
  Json usage = Json::object();
  for (const Json& schema : resources_in(platform_, "tenant", "schemas")) {
    Json& count = usage[schema["meta:class"].get<std::string>()];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  return Response::json(200, Json{{"imsOrg", platform_.identity.organization},
                                  {"tenantId", platform_.identity.tenant.substr(1)},
                                  {"counts", std::move(counts)},
                                  {"recentlyCreatedResources", Json::array()},
                                  {"recentlyUpdatedResources", Json::array()},
                                  {"classUsage", std::move(usage)}});
}

Response Registry::list(const Request& request, const std::string& type) const {
  const RegistryAccept accept = accept_for_list(request);
  const bool global = request.path.starts_with(std::string(kBase) + "/global/");
  const auto lock = platform_.objects.lock();
  std::vector<Json> items = resources_in(platform_, global ? "global" : "tenant", type);
  const std::int64_t visible = platform_.clock.now_ms() - platform_.settings.list_lag.count();
  std::erase_if(items, [&](const Json& document) {
    return document.contains("meta:registryMetadata") &&
           document["meta:registryMetadata"]["repo:createdDate"].get<std::int64_t>() > visible;
  });
  const RegistryPage page = list_page(std::move(items), request, platform_.settings.page_cap, Conditions::Single);

  Json results = Json::array();
  for (const Json& document : page.items) {
    if (accept.type.ends_with("-id"))
      results.push_back({{"$id", document["$id"]},
                         {"meta:altId", document["meta:altId"]},
                         {"title", document["title"]},
                         {"version", document["version"]}});
    else
      results.push_back(rendered(document, accept.type, lookup_in(platform_)));
  }
  Json next = nullptr;
  if (!page.next.is_null())
    next = {{"href", request.path + "?start=" +
                         percent_encode(page.next.is_string() ? page.next.get<std::string>() : page.next.dump()) +
                         "&orderby=" + percent_encode(page.order)}};
  return Response::json(
      200, Json{{"results", std::move(results)},
                {"_page", {{"orderby", page.order}, {"next", page.next}, {"count", page.items.size()}}},
                {"_links",
                 {{"next", std::move(next)}, {"global_schemas", {{"href", std::string(kBase) + "/global/schemas"}}}}}});
}

Response Registry::get(const Request& request, const std::string& type) const {
  const RegistryAccept accept = accept_for_lookup(request);
  const auto lock = platform_.objects.lock();
  const std::string& id = request.parameter("id");
  const bool global = request.path.starts_with(std::string(kBase) + "/global/");
  const std::optional<Json> found = find_resource(platform_, id);
  if (!found || (*found)["meta:resourceType"] != type || ((*found)["meta:containerId"] == "global") != global ||
      accept.version != "1")
    throw no_resource(id, accept.version.value_or(""));
  return Response::json(200, rendered(*found, accept.type, lookup_in(platform_)));
}

Json Registry::stored(const Request& request, const std::string& type) const {
  const std::string& id = request.parameter("id");
  const std::optional<Json> found = find_resource(platform_, id);
  if (!found || (*found)["meta:resourceType"] != type || (*found)["meta:containerId"] != "tenant")
    throw no_resource(id, "");
  return *found;
}

Response Registry::create(const Request& request, const std::string& type) {
  return create_from(Json::parse(request.body), type);
}

Response Registry::create_from(Json document, const std::string& type) {
  const auto lock = platform_.objects.lock();
  check_resource(platform_, type, document, {});
  drop_owned(document);
  const std::string id = "https://ns.adobe.com/" + platform_.identity.tenant.substr(1) + "/" + type + "/" +
                         platform_.new_id(type) + platform_.new_id(type);
  const std::int64_t now = platform_.clock.now_ms();
  document["$id"] = id;
  document["meta:altId"] = alt_id_of(id);
  document["meta:resourceType"] = type;
  document["version"] = "1.0";
  document["type"] = "object";
  document["meta:xdmType"] = "object";
  document["meta:extensible"] = type != "schemas";
  document["meta:abstract"] = type != "schemas";
  document["meta:containerId"] = "tenant";
  document["meta:sandboxId"] = derived_uuid(platform_.identity.seed, "sandbox", 1);
  document["meta:sandboxType"] = "production";
  document["meta:tenantNamespace"] = platform_.identity.tenant;
  document["imsOrg"] = platform_.identity.organization;
  document["meta:registryMetadata"] = {{"repo:createdDate", now},
                                       {"repo:lastModifiedDate", now},
                                       {"xdm:createdClientId", platform_.identity.client_id},
                                       {"eTag", derived_hex(platform_.identity.seed, id, 0)}};
  derive(document, type, lookup_in(platform_));
  platform_.objects.put(kResourceKind, id, document);
  return Response::json(201, document);
}

Response Registry::update(const Request& request, const std::string& type) {
  const Json body = Json::parse(request.body);
  const auto lock = platform_.objects.lock();
  const Json current = stored(request, type);
  if (request.method == "PUT") return Response::json(200, replace(current, body, type));
  if (!body.is_array()) throw refused_change("The body is not a JSON Patch array");
  Json changed;
  try {
    changed = current.patch(body);
  } catch (const Json::exception&) {
    // The library's message may quote values; the position of the operation would not help more than the rule.
    throw refused_change("The JSON Patch cannot be applied: an operation is malformed or its path does not exist");
  }
  return Response::json(200, replace(current, std::move(changed), type));
}

Json Registry::replace(const Json& current, Json changed, const std::string& type) {
  const auto id = current["$id"].get<std::string>();
  check_resource(platform_, type, changed, id);
  if (tagged_for_union(current) && !tagged_for_union(changed))
    throw refused_change("The tag union cannot be taken back from " + id);
  drop_owned(changed);
  for (const auto& [name, value] : current.items())
    if (!changed.contains(name) &&
        (name.starts_with("meta:") || name == "$id" || name == "version" || name == "imsOrg"))
      changed[name] = value;
  changed["type"] = "object";
  derive(changed, type, lookup_in(platform_));

  const Lookup before = lookup_in(platform_);
  const Lookup after = [&](const std::string& wanted) { return wanted == id ? &changed : before(wanted); };
  for (const Json& schema : resources_in(platform_, "tenant", "schemas")) {
    const auto schema_id = schema["$id"].get<std::string>();
    if (!tagged_for_union(schema) && !schema_has_data(schema_id)) continue;
    const auto where =
        breaking_change(merged_document(schema, before), merged_document(schema_id == id ? changed : schema, after));
    if (where) throw refused_change("The field '" + *where + "' of a schema in use can only be added to, not changed");
  }

  changed["version"] = next_version(current["version"].get<std::string>());
  changed["meta:registryMetadata"]["repo:lastModifiedDate"] = platform_.clock.now_ms();
  platform_.objects.put(kResourceKind, id, changed);
  return changed;
}

Response Registry::remove(const Request& request, const std::string& type) {
  const auto lock = platform_.objects.lock();
  const Json document = stored(request, type);
  const auto id = document["$id"].get<std::string>();
  if (type == "schemas" && (tagged_for_union(document) || schema_has_dataset(id)))
    throw refused_change("The schema " + id + " is in use and cannot be deleted");
  for (const auto& [other_id, other] : platform_.objects.all(kResourceKind)) {
    if (other_id == id || !other.contains("allOf")) continue;
    for (const Json& part : other["allOf"])
      if (part.contains("$ref") && part["$ref"] == id)
        throw refused_change("The resource " + id + " is in use by " + other_id);
  }
  if (type == "schemas") erase_descriptors(platform_, id);
  platform_.objects.erase(kResourceKind, id);
  return Response::empty(204);
}

}  // namespace emulator
