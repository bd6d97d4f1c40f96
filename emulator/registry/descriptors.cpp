#include "emulator/registry/descriptors.h"

#include <algorithm>
#include <array>
#include <optional>

#include "emulator/http/errors.h"
#include "emulator/organization/namespaces.h"
#include "emulator/registry/accept.h"
#include "emulator/registry/listing.h"
#include "emulator/registry/resources.h"

namespace emulator {
namespace {

// {"created","value"} by `@id`: a descriptor itself carries no time, and lists lag behind by time.
constexpr const char* kDescriptorKind = "descriptor";
constexpr const char* kIdentityType = "xdm:descriptorIdentity";

HttpError bad_descriptor(const std::string& detail) {
  return {registry_error(400, "XDM-1401-400", "Invalid descriptor", detail)};
}

std::string text_of(const Json& descriptor, const char* name) {
  if (!descriptor.contains(name) || !descriptor[name].is_string() ||
      descriptor[name].get_ref<const std::string&>().empty())
    throw bad_descriptor(std::string("The attribute ") + name + " is required and must be a string");
  return descriptor[name].get<std::string>();
}

void check_namespace(const Platform& platform, const Json& descriptor) {
  const std::string value = text_of(descriptor, "xdm:namespace");
  const std::string property = descriptor.contains("xdm:property") ? text_of(descriptor, "xdm:property") : "xdm:code";
  if (property != "xdm:code" && property != "xdm:id")
    throw bad_descriptor("xdm:property must be xdm:code or xdm:id, not " + property);
  const bool known = property == "xdm:code" ? find_namespace(platform, value).has_value()
                                            : find_namespace_by_id(platform, value).has_value();
  if (!known) throw bad_descriptor("The identity namespace " + value + " does not exist");
}

/// Throws HttpError for a descriptor that cannot be; `replaced` is the `@id` of the one it takes the place of.
void check_descriptor(const Platform& platform, const Json& descriptor, const std::string& replaced) {
  static constexpr std::array<std::string_view, 7> kTypes{
      kIdentityType,         "xdm:alternateDisplayInfo", "xdm:descriptorReferenceIdentity", "xdm:descriptorOneToOne",
      "xdm:descriptorLabel", "xdm:descriptorDeprecated", "xdm:descriptorRelationship"};
  if (!descriptor.is_object()) throw bad_descriptor("The body is not a JSON object");
  const std::string type = text_of(descriptor, "@type");
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
    throw bad_descriptor("The descriptor type " + type + " is not known");

  const std::string schema = text_of(descriptor, "xdm:sourceSchema");
  const Json* document = platform.objects.find(kResourceKind, schema);
  if (document == nullptr || (*document)["meta:resourceType"] != "schemas")
    throw bad_descriptor("The source schema " + schema + " does not exist");
  if (descriptor.value("xdm:sourceVersion", Json(1)) != 1) throw bad_descriptor("xdm:sourceVersion must be 1");
  const std::string property = text_of(descriptor, "xdm:sourceProperty");
  const Json merged = merged_document(*document, lookup_in(platform));
  const Json* field = property.starts_with("/") ? field_at(merged, property) : nullptr;
  if (field == nullptr)
    throw bad_descriptor("The source property " + property + " does not exist in the schema " + schema);

  const bool identity = type == kIdentityType;
  bool primary = false;
  if (identity) {
    check_namespace(platform, descriptor);
    if (field->value("type", "") != "string" && field->value("meta:xdmType", "") != "map")
      throw bad_descriptor("The source property " + property + " is not a string: it cannot be an identity");
    const Json flag = descriptor.value("xdm:isPrimary", Json(false));
    if (!flag.is_boolean()) throw bad_descriptor("xdm:isPrimary must be true or false");
    primary = flag.get<bool>();
  }
  for (const auto& [id, kept] : platform.objects.all(kDescriptorKind)) {
    const Json& other = kept["value"];
    if (id == replaced || other["xdm:sourceSchema"] != schema || other["@type"] != type) continue;
    if (other["xdm:sourceProperty"] == property)
      throw bad_descriptor("A descriptor of this type exists already for " + property + ": " + id);
    if (primary && other.value("xdm:isPrimary", false))
      throw bad_descriptor("The schema has a primary identity already: " +
                           other["xdm:sourceProperty"].get<std::string>());
  }
}

Json complete(const Platform& platform, Json descriptor, const std::string& id) {
  descriptor["@id"] = id;
  descriptor["imsOrg"] = platform.identity.organization;
  descriptor["version"] = "1";
  descriptor["meta:containerId"] = "tenant";
  descriptor["meta:sandboxId"] = derived_uuid(platform.identity.seed, "sandbox", 1);
  descriptor["meta:sandboxType"] = "production";
  return descriptor;
}

Response list_descriptors(Platform& platform, const Request& request) {
  const RegistryAccept accept = accept_for_descriptors(request);
  const auto lock = platform.objects.lock();
  const std::int64_t visible = platform.clock.now_ms() - platform.settings.list_lag.count();
  std::vector<Json> items;
  for (const auto& [id, kept] : platform.objects.all(kDescriptorKind))
    if (kept["created"].get<std::int64_t>() <= visible) items.push_back(kept["value"]);

  const bool paged = accept.type.starts_with("xdm-v2");
  const auto shown = [&](const Json& descriptor) -> Json {
    const auto id = descriptor["@id"].get<std::string>();
    if (accept.type.ends_with("-id")) return id;
    if (accept.type.ends_with("-link")) return "/tenant/descriptors/" + id;
    return descriptor;
  };
  const std::size_t cap = paged ? platform.settings.page_cap : items.size() + 1;
  const RegistryPage page = list_page(std::move(items), request, cap, Conditions::CommaSeparated);
  if (!paged) {
    Json groups = Json::object();
    for (const Json& descriptor : page.items)
      groups[descriptor["@type"].get<std::string>()].push_back(shown(descriptor));
    return Response::json(200, groups);
  }
  Json results = Json::array();
  for (const Json& descriptor : page.items) results.push_back(shown(descriptor));
  return Response::json(200, Json{{"_page", {{"orderby", page.order}, {"next", page.next}, {"count", results.size()}}},
                                  {"_links", {{"next", nullptr}}},
                                  {"results", std::move(results)}});
}

const Json& descriptor_named(const Platform& platform, const Request& request) {
  const Json* kept = platform.objects.find(kDescriptorKind, request.parameter("id"));
  if (kept == nullptr)
    throw HttpError{registry_error(404, "XDM-1012-404", "Resource Not Found",
                                   "Requested resource " + request.parameter("id") + " is not found")};
  return *kept;
}

}  // namespace

Json store_descriptor(Platform& platform, Json descriptor) {
  const std::string id = platform.new_id(kDescriptorKind) + platform.new_id(kDescriptorKind).substr(0, 16);
  Json value = complete(platform, std::move(descriptor), id);
  platform.objects.put(kDescriptorKind, id, {{"created", platform.clock.now_ms()}, {"value", value}});
  return value;
}

Json primary_identity(const Platform& platform, const std::string& schema_id) {
  for (const auto& [id, kept] : platform.objects.all(kDescriptorKind)) {
    const Json& value = kept["value"];
    if (value["@type"] == kIdentityType && value["xdm:sourceSchema"] == schema_id &&
        value.value("xdm:isPrimary", false))
      return value["xdm:sourceProperty"];
  }
  return nullptr;
}

void erase_descriptors(Platform& platform, const std::string& schema_id) {
  std::vector<std::string> gone;
  for (const auto& [id, kept] : platform.objects.all(kDescriptorKind))
    if (kept["value"]["xdm:sourceSchema"] == schema_id) gone.push_back(id);
  for (const std::string& id : gone) platform.objects.erase(kDescriptorKind, id);
}

void add_descriptor_routes(Router& router, Platform& platform, const std::string& base) {
  const std::string list = base + "/tenant/descriptors";
  const std::string one = list + "/{id}";
  router.add("GET", list, [&platform](const Request& request) { return list_descriptors(platform, request); });
  router.add("POST", list, [&platform](const Request& request) {
    Json descriptor = Json::parse(request.body);
    const auto lock = platform.objects.lock();
    check_descriptor(platform, descriptor, {});
    return Response::json(201, store_descriptor(platform, std::move(descriptor)));
  });
  router.add("GET", one, [&platform](const Request& request) {
    const auto lock = platform.objects.lock();
    return Response::json(200, descriptor_named(platform, request)["value"]);
  });
  router.add("PUT", one, [&platform](const Request& request) {
    Json descriptor = Json::parse(request.body);
    const auto lock = platform.objects.lock();
    const std::int64_t created = descriptor_named(platform, request)["created"].get<std::int64_t>();
    const std::string id = request.parameter("id");
    check_descriptor(platform, descriptor, id);
    platform.objects.put(kDescriptorKind, id,
                         {{"created", created}, {"value", complete(platform, std::move(descriptor), id)}});
    return Response::json(200, Json{{"@id", id}});
  });
  router.add("DELETE", one, [&platform](const Request& request) {
    const auto lock = platform.objects.lock();
    descriptor_named(platform, request);
    platform.objects.erase(kDescriptorKind, request.parameter("id"));
    return Response::empty(204);
  });
}

}  // namespace emulator
