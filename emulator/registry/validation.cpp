#include "emulator/registry/validation.h"

#include <algorithm>
#include <array>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

HttpError bad_resource(const std::string& detail) {
  return {registry_error(400, "XDM-1521-400", "Resource validation failed", detail)};
}

bool is_custom_name(const std::string& name) {
  return !name.empty() && name.front() != '_' &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
             std::string::npos;
}

void check_field(const Json& field, const std::string& path, const Lookup& lookup);

void check_fields(const Json& properties, const std::string& path, const Lookup& lookup) {
  if (!properties.is_object()) throw bad_resource("properties of '" + path + "' is not an object");
  for (const auto& [name, field] : properties.items()) {
    const std::string inner = path.empty() ? name : path + "." + name;
    if (!is_custom_name(name))
      throw bad_resource("The property name '" + inner +
                         "' is not allowed: letters, digits, '-' and '_', no '_' in front");
    check_field(field, inner, lookup);
  }
}

void check_field(const Json& field, const std::string& path, const Lookup& lookup) {
  static constexpr std::array<std::string_view, 6> kTypes{"string", "number", "integer", "boolean", "object", "array"};
  if (!field.is_object()) throw bad_resource("The property '" + path + "' is not an object");
  if (field.contains("$ref")) {
    if (!field["$ref"].is_string() ||
        (!field["$ref"].get_ref<const std::string&>().starts_with("#") && lookup(field["$ref"]) == nullptr))
      throw bad_resource("The property '" + path + "' refers to " + field["$ref"].dump() + ", which does not exist");
    return;
  }
  const Json type = field.value("type", Json());
  if (!type.is_string() || std::find(kTypes.begin(), kTypes.end(), type.get_ref<const std::string&>()) == kTypes.end())
    throw bad_resource("The property '" + path + "' has no valid type: " + type.dump());
  if (type == "array") {
    if (!field.contains("items")) throw bad_resource("The array '" + path + "' has no items");
    check_field(field["items"], path + "[]", lookup);
  }
  if (type == "object") {
    if (!field.contains("properties") && !field.contains("additionalProperties") && !field.contains("allOf"))
      throw bad_resource("The object '" + path + "' has neither properties nor additionalProperties");
    if (field.contains("properties")) check_fields(field["properties"], path, lookup);
    if (field.contains("additionalProperties")) check_field(field["additionalProperties"], path + "{}", lookup);
  }
}

/// Top-level custom fields: all of them below the tenant's own root.
void check_tenant_fields(const Platform& platform, const Json& properties, const Lookup& lookup) {
  if (!properties.is_object()) throw bad_resource("properties is not an object");
  const std::string& tenant = platform.identity.tenant;
  for (const auto& [name, field] : properties.items()) {
    if (name != tenant)
      throw bad_resource("The custom field '" + name + "' must lie below the tenant namespace '" + tenant + "'");
    if (!field.is_object() || field.value("type", Json()) != "object" || !field.contains("properties"))
      throw bad_resource("The tenant namespace '" + tenant + "' must be an object with properties");
    check_fields(field["properties"], tenant, lookup);
  }
}

void check_title(const Platform& platform, const std::string& type, const Json& document, const std::string& own_id) {
  if (!document.contains("title") || !document["title"].is_string() ||
      document["title"].get_ref<const std::string&>().empty())
    throw bad_resource("The attribute title is required and must be a string");
  for (const Json& other : resources_in(platform, "tenant", type))
    if (other["$id"] != own_id && other["title"] == document["title"])
      throw HttpError{registry_error(400, "XDM-3005-400", "Title must be unique",
                                     "Title must be unique. An object " + other["$id"].get<std::string>() +
                                         " already exists with the same title")};
}

/// Every other document `allOf` names must exist; answers their ids.
std::vector<std::string> references(const Json& document, const Lookup& lookup) {
  std::vector<std::string> ids;
  if (!document.contains("allOf")) return ids;
  if (!document["allOf"].is_array()) throw bad_resource("allOf is not an array");
  for (const Json& part : document["allOf"]) {
    if (!part.is_object()) throw bad_resource("allOf holds " + part.dump() + ", which is not an object");
    if (!part.contains("$ref")) continue;
    if (!part["$ref"].is_string()) throw bad_resource("allOf holds a $ref that is not a string");
    const auto id = part["$ref"].get<std::string>();
    if (id.starts_with("#")) {
      if (!document.contains(Json::json_pointer(id.substr(1))))
        throw bad_resource("The reference " + id + " leads nowhere");
      continue;
    }
    if (lookup(id) == nullptr) throw bad_resource("The referenced resource " + id + " does not exist");
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) throw bad_resource("allOf refers to " + id + " twice");
    ids.push_back(id);
  }
  return ids;
}

void check_schema(const std::vector<std::string>& parts, const Lookup& lookup) {
  std::string class_id;
  for (const std::string& id : parts) {
    if ((*lookup(id))["meta:resourceType"] != "classes") continue;
    if (!class_id.empty()) throw bad_resource("A schema has one class, not " + class_id + " and " + id);
    class_id = id;
  }
  if (class_id.empty()) throw bad_resource("A schema must refer to a class in allOf");
  for (const std::string& id : parts) {
    const Json& part = *lookup(id);
    if (id == class_id) continue;
    if (part["meta:resourceType"] != "mixins") throw bad_resource(id + " is neither a class nor a field group");
    const Json classes = part.value("meta:intendedToExtend", Json::array());
    if (std::find(classes.begin(), classes.end(), class_id) == classes.end())
      throw bad_resource("The field group " + id + " is not intended to extend the class " + class_id);
  }
}

void check_field_group(const Json& document, const Lookup& lookup) {
  const Json classes = document.value("meta:intendedToExtend", Json());
  if (!classes.is_array() || classes.empty()) throw bad_resource("meta:intendedToExtend must name at least one class");
  for (const Json& id : classes)
    if (!id.is_string() || lookup(id.get<std::string>()) == nullptr)
      throw bad_resource("meta:intendedToExtend names " + id.dump() + ", which does not exist");
}

bool compare_fields(const Json& before, const Json& after, const std::string& path, std::string& where) {
  where = path;
  if (before.value("type", "") != after.value("type", "") || before.value("format", "") != after.value("format", ""))
    return false;
  for (const char* inner : {"items", "additionalProperties"})
    if (before.contains(inner) != after.contains(inner) ||
        (before.contains(inner) && before[inner].is_object() &&
         !compare_fields(before[inner], after[inner], path + "[]", where)))
      return false;
  const Json none = Json::array();
  for (const Json& name : after.value("required", none)) {
    const Json known = before.value("required", none);
    where = path + (path.empty() ? "" : ".") + (name.is_string() ? name.get<std::string>() : name.dump());
    if (std::find(known.begin(), known.end(), name) == known.end()) return false;
  }
  if (!before.contains("properties")) return true;
  for (const auto& [name, field] : before["properties"].items()) {
    const std::string inner = path.empty() ? name : path + "." + name;
    where = inner;
    if (!after.contains("properties") || !after["properties"].contains(name)) return false;
    if (!compare_fields(field, after["properties"][name], inner, where)) return false;
  }
  return true;
}

}  // namespace

void check_resource(const Platform& platform, const std::string& type, const Json& document,
                    const std::string& own_id) {
  if (!document.is_object()) throw bad_resource("The body is not a JSON object");
  check_title(platform, type, document, own_id);
  const Lookup lookup = lookup_in(platform);
  const std::vector<std::string> parts = references(document, lookup);
  if (type == "schemas") {
    check_schema(parts, lookup);
    return;
  }
  if (type == "mixins") check_field_group(document, lookup);
  const bool rooted = type == "mixins" || type == "classes";
  const auto check = [&](const Json& holder) {
    if (!holder.contains("properties")) return false;
    if (rooted)
      check_tenant_fields(platform, holder["properties"], lookup);
    else
      check_fields(holder["properties"], "", lookup);
    return true;
  };
  bool any = check(document);
  if (document.contains("definitions"))
    for (const auto& [name, definition] : document["definitions"].items()) any = check(definition) || any;
  if (!any) throw bad_resource("The resource defines no property");
}

std::optional<std::string> breaking_change(const Json& before, const Json& after) {
  std::string where;
  if (compare_fields(before, after, "", where)) return std::nullopt;
  return where;
}

}  // namespace emulator
