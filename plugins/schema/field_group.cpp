#include "plugins/schema/field_group.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

constexpr const char* kRecordBehaviour = "https://ns.adobe.com/xdm/data/record";
constexpr std::int64_t kLargestExact = 9'007'199'254'740'991;  // the registry's bound of a long

Value text_property(const char* title) {
  Value property;
  property["type"] = "string";
  property["title"] = title;
  return property;
}

Value integer_property(const char* title, const char* type, std::int64_t largest) {
  Value property;
  property["type"] = "integer";
  property["meta:xdmType"] = type;
  property["minimum"] = -largest - 1;
  property["maximum"] = largest;
  property["title"] = title;
  return property;
}

/// A member name within a JSON Pointer.
std::string pointer_part(std::string_view name) {
  std::string part;
  for (const char c : name) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part.push_back(c);
    }
  }
  return part;
}

std::string written_type(const Value& field) {
  const auto type = field.text("type");
  if (!type.empty()) return type;
  return field.find("properties") != nullptr ? "object" : "unknown";
}

void compare_properties(const Value& wanted, const Value& observed, const std::string& pointer, const std::string& path,
                        AdditivePatch& patch);

void compare_field(const Value& wanted, const Value& observed, const std::string& pointer, const std::string& path,
                   AdditivePatch& patch) {
  const auto wanted_type = written_type(wanted);
  const auto observed_type = written_type(observed);
  if (wanted_type != observed_type) {
    patch.conflicts.push_back(fmt::format("{} is of type {}, not {}", path, observed_type, wanted_type));
    return;
  }
  if (const auto* items = wanted.find("items")) {
    const auto* there = observed.find("items");
    if (there == nullptr) {
      patch.conflicts.push_back(fmt::format("{} is a list of nothing", path));
    } else {
      compare_field(*items, *there, pointer + "/items", path + "[]", patch);
    }
  }
  if (const auto* properties = wanted.find("properties")) {
    const auto* there = observed.find("properties");
    compare_properties(*properties, there == nullptr ? Value(Value::Object{}) : *there, pointer + "/properties", path,
                       patch);
  }
}

void compare_properties(const Value& wanted, const Value& observed, const std::string& pointer, const std::string& path,
                        AdditivePatch& patch) {
  if (!wanted.is_object()) return;
  for (const auto& [name, field] : *wanted.object_if()) {
    const auto inner = path.empty() ? name : path + "." + name;
    const auto place = pointer + "/" + pointer_part(name);
    if (const auto* there = observed.find(name)) {
      compare_field(field, *there, place, inner, patch);
      continue;
    }
    Value operation;
    operation["op"] = "add";
    operation["path"] = place;
    operation["value"] = field;
    patch.operations.push_back(std::move(operation));
  }
}

Value field_shape(const Value& field) {
  Value shape;
  shape["type"] = written_type(field);
  if (const auto* items = field.find("items")) shape["items"] = field_shape(*items);
  if (const auto* properties = field.find("properties")) shape["properties"] = property_shape(*properties);
  return shape;
}

}  // namespace

Value membership_properties() {
  Value membership;
  membership["type"] = "object";
  membership["properties"]["audienceMembershipId"] = text_property("Audience membership id");
  membership["properties"]["audienceMembershipName"] = text_property("Audience membership name");
  Value properties;
  properties["audienceMembership"]["type"] = "array";
  properties["audienceMembership"]["title"] = "Audience memberships";
  properties["audienceMembership"]["items"] = std::move(membership);
  properties["audienceMembershipCount"] = integer_property("Number of audiences", "int", 2'147'483'647);
  properties["audienceSyncGeneration"] = integer_property("Generation of the record", "long", kLargestExact);
  properties["audienceMembershipId"] = text_property("Audience membership id");
  properties["audienceMembershipName"] = text_property("Audience membership name");
  properties["audienceMembershipIds"] = text_property("Audience membership ids, separated");
  return properties;
}

Value property_shape(const Value& properties) {
  Value shape{Value::Object{}};
  if (const auto* object = properties.object_if())
    for (const auto& [name, field] : *object) shape[name] = field_shape(field);
  return shape;
}

Value field_group_body(const std::string& tenant) {
  Value root;
  root["type"] = "object";
  root["properties"] = membership_properties();
  Value body;
  body["type"] = "object";
  body["title"] = kFieldGroupTitle;
  body["description"] = fmt::format("{}: audiences of a person; fields of all record layouts", kManagedMark);
  body["meta:intendedToExtend"] = Value::Array{kProfileClass};
  body["definitions"]["customFields"]["type"] = "object";
  body["definitions"]["customFields"]["properties"][tenant] = std::move(root);
  Value part;
  part["$ref"] = "#/definitions/customFields";
  part["type"] = "object";
  part["meta:xdmType"] = "object";
  body["allOf"] = Value::Array{std::move(part)};
  return body;
}

std::string schema_title(const std::string& identity_namespace) {
  return fmt::format("{} ({})", kFieldGroupTitle, identity_namespace);
}

Value schema_body(const std::string& identity_namespace, const std::string& field_group) {
  Value parts_class;
  parts_class["$ref"] = kProfileClass;
  Value parts_group;
  parts_group["$ref"] = field_group;
  Value body;
  body["type"] = "object";
  body["title"] = schema_title(identity_namespace);
  body["description"] = fmt::format("{}: audiences of a person identified by {}", kManagedMark, identity_namespace);
  body["allOf"] = Value::Array{std::move(parts_class), std::move(parts_group)};
  return body;
}

Value names_class_body(const std::string& tenant) {
  Value root;
  root["type"] = "object";
  root["properties"]["audienceName"] = text_property("Audience name");
  Value body;
  body["type"] = "object";
  body["title"] = kNamesTitle;
  body["description"] = fmt::format("{}: an audience by its id", kManagedMark);
  body["definitions"]["customFields"]["type"] = "object";
  body["definitions"]["customFields"]["properties"][tenant] = std::move(root);
  Value behaviour;
  behaviour["$ref"] = kRecordBehaviour;
  Value part;
  part["$ref"] = "#/definitions/customFields";
  part["type"] = "object";
  part["meta:xdmType"] = "object";
  body["allOf"] = Value::Array{std::move(behaviour), std::move(part)};
  return body;
}

Value names_schema_body(const std::string& names_class) {
  Value part;
  part["$ref"] = names_class;
  Value body;
  body["type"] = "object";
  body["title"] = kNamesTitle;
  body["description"] = fmt::format("{}: names of audiences, looked up by their ids", kManagedMark);
  body["allOf"] = Value::Array{std::move(part)};
  return body;
}

bool is_managed(const Value& resource) { return resource.text("description").starts_with(kManagedMark); }

TenantProperties tenant_properties(const Value& document, const std::string& tenant) {
  const auto below = [&](const Value& part, const std::string& pointer) -> TenantProperties {
    const auto* properties = part.find_path({"properties", tenant, "properties"});
    if (properties == nullptr) return {};
    return {fmt::format("{}/properties/{}/properties", pointer, pointer_part(tenant)), *properties};
  };
  if (auto found = below(document, ""); !found.pointer.empty()) return found;
  if (const auto* definitions = document.find("definitions"); definitions != nullptr && definitions->is_object())
    for (const auto& [name, definition] : *definitions->object_if())
      if (auto found = below(definition, "/definitions/" + pointer_part(name)); !found.pointer.empty()) return found;
  const auto& parts = document.items("allOf");
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (auto found = below(parts[i], "/allOf/" + std::to_string(i)); !found.pointer.empty()) return found;
  return {};
}

AdditivePatch additive_patch(const Value& wanted, const Value& observed, const std::string& pointer) {
  AdditivePatch patch;
  compare_properties(wanted, observed, pointer, "", patch);
  return patch;
}

}  // namespace audiencesync
