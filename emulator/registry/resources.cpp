#include "emulator/registry/resources.h"

#include <algorithm>
#include <set>

#include "emulator/http/uri.h"
#include "emulator/registry/descriptors.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

// Deeper than any schema the platform accepts; a document that refers to itself stops here.
constexpr int kDeepest = 40;
constexpr std::string_view kNamespace = "https://ns.adobe.com/";

Json resolve(const Json& node, const Json& document, const Lookup& lookup, int depth);

/// Adds what `more` says to `base`: fields unite, everything else is overwritten.
void merge_node(Json& base, const Json& more) {
  for (const auto& [key, value] : more.items()) {
    if (key == "properties" && base.contains(key)) {
      for (const auto& [name, field] : value.items()) {
        if (base[key].contains(name))
          merge_node(base[key][name], field);
        else
          base[key][name] = field;
      }
    } else if (key == "required" && base.contains(key)) {
      for (const Json& name : value)
        if (std::find(base[key].begin(), base[key].end(), name) == base[key].end()) base[key].push_back(name);
    } else {
      base[key] = value;
    }
  }
}

/// Of a referenced document only its shape goes into the one that refers to it.
Json shape_of(Json node) {
  for (auto item = node.begin(); item != node.end();) {
    const bool identity = item.key() == "$id" || item.key() == "version" || item.key() == "imsOrg" ||
                          (item.key().starts_with("meta:") && item.key() != "meta:xdmType");
    item = identity ? node.erase(item) : std::next(item);
  }
  return node;
}

Json resolve_reference(const std::string& reference, const Json& document, const Lookup& lookup, int depth) {
  if (reference.starts_with("#")) {
    const Json::json_pointer pointer(reference.substr(1));
    return document.contains(pointer) ? resolve(document[pointer], document, lookup, depth) : Json::object();
  }
  const Json* other = lookup(reference);
  return other == nullptr ? Json::object() : shape_of(resolve(*other, *other, lookup, depth));
}

Json resolve(const Json& node, const Json& document, const Lookup& lookup, int depth) {
  if (depth > kDeepest || !node.is_object()) return node;
  Json result = Json::object();
  const auto absorb = [&](Json part) {
    // Titles of parts are not the title of the whole.
    part.erase("title");
    part.erase("description");
    merge_node(result, part);
  };
  if (node.contains("$ref") && node["$ref"].is_string())
    absorb(resolve_reference(node["$ref"].get<std::string>(), document, lookup, depth + 1));
  if (node.contains("allOf"))
    for (const Json& part : node["allOf"]) absorb(resolve(part, document, lookup, depth + 1));

  Json own = Json::object();
  for (const auto& [key, value] : node.items()) {
    if (key == "$ref" || key == "allOf" || key == "definitions") continue;
    if (key == "properties" && value.is_object()) {
      own[key] = Json::object();
      for (const auto& [name, field] : value.items()) own[key][name] = resolve(field, document, lookup, depth + 1);
    } else if (key == "items" || key == "additionalProperties") {
      own[key] = resolve(value, document, lookup, depth + 1);
    } else {
      own[key] = value;
    }
  }
  merge_node(result, own);
  return result;
}

Json union_of(const Platform& platform, const std::string& class_id, const std::vector<Json>& members) {
  Json parts = Json::array();
  std::set<std::string> seen;
  const auto add = [&](const std::string& id) {
    if (seen.insert(id).second) parts.push_back({{"$ref", id}});
  };
  add(class_id);
  add("https://ns.adobe.com/xdm/context/identitymap");
  if (class_id == kProfileClass) add("https://ns.adobe.com/xdm/context/profile-segmentation");
  for (const Json& member : members)
    for (const Json& part : member["allOf"])
      if (part.contains("$ref")) add(part["$ref"].get<std::string>());
  const std::string id = class_id + "__union";
  const auto of_class = standard_resources().find(class_id);
  return {{"$id", id},
          {"meta:altId", alt_id_of(id)},
          {"meta:resourceType", "unions"},
          {"version", "1.0"},
          {"title", of_class == standard_resources().end() ? id : of_class->second["title"].get<std::string>()},
          {"type", "object"},
          {"meta:class", class_id},
          {"meta:extends", Json(seen)},
          {"meta:containerId", "tenant"},
          {"imsOrg", platform.identity.organization},
          {"allOf", std::move(parts)}};
}

}  // namespace

std::string alt_id_of(const std::string& id) {
  std::string alt = id.starts_with(kNamespace) ? "_" + id.substr(kNamespace.size()) : id;
  std::replace(alt.begin(), alt.end(), '/', '.');
  return alt;
}

Lookup lookup_in(const Platform& platform) {
  return [&platform](const std::string& id) -> const Json* {
    if (const Json* own = platform.objects.find(kResourceKind, id)) return own;
    const auto standard = standard_resources().find(id);
    return standard == standard_resources().end() ? nullptr : &standard->second;
  };
}

std::optional<Json> find_resource(const Platform& platform, const std::string& id_or_alt_id) {
  if (const Json* found = lookup_in(platform)(id_or_alt_id)) return *found;
  for (const auto& [id, document] : platform.objects.all(kResourceKind))
    if (document["meta:altId"] == id_or_alt_id) return document;
  for (const auto& [id, document] : standard_resources())
    if (document["meta:altId"] == id_or_alt_id) return document;
  for (Json& document : unions(platform))
    if (document["$id"] == id_or_alt_id || document["meta:altId"] == id_or_alt_id) return std::move(document);
  return std::nullopt;
}

std::vector<Json> resources_in(const Platform& platform, const std::string& container, const std::string& type) {
  if (type == "unions") return container == "tenant" ? unions(platform) : std::vector<Json>();
  std::vector<Json> found;
  const auto& documents = container == "tenant" ? platform.objects.all(kResourceKind) : standard_resources();
  for (const auto& [id, document] : documents)
    if (document["meta:resourceType"] == type) found.push_back(document);
  return found;
}

std::vector<Json> unions(const Platform& platform) {
  std::map<std::string, std::vector<Json>> members;
  for (const auto& [id, document] : platform.objects.all(kResourceKind)) {
    if (document["meta:resourceType"] != "schemas" || !document.contains("meta:immutableTags")) continue;
    const Json& tags = document["meta:immutableTags"];
    if (std::find(tags.begin(), tags.end(), "union") != tags.end())
      members[document["meta:class"].get<std::string>()].push_back(document);
  }
  std::vector<Json> result;
  for (const auto& [class_id, schemas] : members) result.push_back(union_of(platform, class_id, schemas));
  return result;
}

Json merged_document(const Json& document, const Lookup& lookup) { return resolve(document, document, lookup, 0); }

const Json* field_at(const Json& merged, const std::string& slash_path) {
  const Json* node = &merged;
  for (const std::string& name : path_segments(slash_path)) {
    if (!node->contains("properties") || !(*node)["properties"].contains(name)) return nullptr;
    node = &(*node)["properties"][name];
  }
  return node == &merged ? nullptr : node;
}

std::optional<Json> resolved_schema(const Platform& platform, const std::string& id_or_alt_id) {
  const std::optional<Json> document = find_resource(platform, id_or_alt_id);
  if (!document) return std::nullopt;
  const auto type = (*document)["meta:resourceType"].get<std::string>();
  if (type != "schemas" && type != "unions") return std::nullopt;
  const Json merged = merged_document(*document, lookup_in(platform));
  const auto id = (*document)["$id"].get<std::string>();
  return Json{{"type", "object"},
              {"title", (*document)["title"]},
              {"properties", merged.value("properties", Json::object())},
              {"required", merged.value("required", Json::array())},
              {"primaryIdentity", primary_identity(platform, id)}};
}

void seed_schemas(Platform& platform) {
  const auto lock = platform.objects.lock();
  if (!platform.objects.all(kResourceKind).empty()) return;
  const std::string base = std::string(kNamespace) + platform.identity.tenant.substr(1);
  const std::string group = base + "/mixins/" + platform.new_id("mixins") + platform.new_id("mixins");
  const std::string schema = base + "/schemas/" + platform.new_id("schemas") + platform.new_id("schemas");
  const std::int64_t now = platform.clock.now_ms();
  const auto common = [&](const std::string& id, const char* type, const char* title) {
    return Json{{"$id", id},
                {"meta:altId", alt_id_of(id)},
                {"meta:resourceType", type},
                {"version", "1.0"},
                {"title", title},
                {"type", "object"},
                {"meta:xdmType", "object"},
                {"meta:containerId", "tenant"},
                {"meta:tenantNamespace", platform.identity.tenant},
                {"imsOrg", platform.identity.organization},
                {"meta:registryMetadata", {{"repo:createdDate", now}, {"repo:lastModifiedDate", now}}}};
  };
  const Json text{{"type", "string"}, {"meta:xdmType", "string"}};
  const Json fields{
      {"identification",
       {{"type", "object"},
        {"properties",
         {{"core", {{"type", "object"}, {"properties", {{"email", text}, {"ecid", text}, {"phoneNumber", text}}}}}}}}},
      {"loyalty", {{"type", "object"}, {"properties", {{"tier", text}}}}}};
  Json mixin = common(group, "mixins", "Identification and Loyalty");
  mixin["meta:intendedToExtend"] = Json::array({kProfileClass});
  mixin["definitions"] = {
      {"customFields",
       {{"type", "object"},
        {"properties", {{platform.identity.tenant, {{"type", "object"}, {"properties", fields}}}}}}}};
  mixin["allOf"] = Json::array({{{"$ref", "#/definitions/customFields"}, {"type", "object"}}});
  platform.objects.put(kResourceKind, group, std::move(mixin));

  Json document = common(schema, "schemas", "Customer Profiles");
  const Json refs = Json::array({kProfileClass, "https://ns.adobe.com/xdm/context/profile-person-details",
                                 "https://ns.adobe.com/xdm/context/identitymap", group});
  document["allOf"] = Json::array();
  for (const Json& ref : refs) document["allOf"].push_back({{"$ref", ref}});
  document["meta:extends"] = refs;
  document["meta:class"] = kProfileClass;
  document["meta:immutableTags"] = Json::array({"union"});
  platform.objects.put(kResourceKind, schema, std::move(document));

  std::string property = platform.identity.identity_field;
  std::replace(property.begin(), property.end(), '.', '/');
  store_descriptor(platform, {{"@type", "xdm:descriptorIdentity"},
                              {"xdm:sourceSchema", schema},
                              {"xdm:sourceVersion", 1},
                              {"xdm:sourceProperty", "/" + property},
                              {"xdm:namespace", "Email"},
                              {"xdm:property", "xdm:code"},
                              {"xdm:isPrimary", true}});
}

}  // namespace emulator
