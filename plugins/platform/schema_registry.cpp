#include "plugins/platform/schema_registry.h"

#include <utility>

#include "plugins/platform/call.h"
#include "plugins/platform/datasets.h"
#include "plugins/platform/paging.h"

namespace audiencesync::platform {
namespace {

const char* const kRegistry = "/data/foundation/schemaregistry";
const char* const kListForm = "application/vnd.adobe.xed-id+json";
const char* const kObjectForm = "application/vnd.adobe.xed+json; version=1";
const char* const kResolvedForm = "application/vnd.adobe.xed-full+json; version=1";
const char* const kDescriptorForm = "application/vnd.adobe.xdm-v2+json";
const char* const kIdentityDescriptor = "xdm:descriptorIdentity";

std::string kind_path(RegistryKind kind) {
  const char* place = "/tenant/schemas";
  if (kind == RegistryKind::FieldGroups) place = "/tenant/fieldgroups";
  if (kind == RegistryKind::Classes) place = "/tenant/classes";
  return std::string(kRegistry) + place;
}

http::Request accepting(http::Request request, const char* form) {
  request.headers["accept"] = form;
  return request;
}

/// A descriptor list in the flat v2 form, or in the older one grouped by type.
std::vector<Value> descriptors_of(const Value& answer) {
  std::vector<Value> all = answer.items("results");
  if (const auto* groups = answer.object_if())
    for (const auto& [type, group] : *groups)
      if (type.starts_with("xdm:") && group.is_array())
        all.insert(all.end(), group.array_if()->begin(), group.array_if()->end());
  return all;
}

IdentityDescriptor descriptor_from(const Value& value) {
  IdentityDescriptor descriptor;
  descriptor.id = value.text("@id");
  descriptor.schema = value.text("xdm:sourceSchema");
  descriptor.property = value.text("xdm:sourceProperty");
  descriptor.identity_namespace = id_text(value.find("xdm:namespace"));
  descriptor.primary = value.flag("xdm:isPrimary");
  return descriptor;
}

}  // namespace

Result<std::string> tenant_id(http::ReadClient& client) {
  auto answer = TRY(read_json(client, accepting(get(std::string(kRegistry) + "/stats"), "application/json"))
                        .in("schema registry stats"));
  if (const auto* list = answer.array_if(); list != nullptr && !list->empty()) return list->front().text("tenantId");
  return answer.text("tenantId");
}

Result<std::vector<RegistryEntry>> registry_titled(http::ReadClient& client, RegistryKind kind,
                                                   const std::string& title) {
  std::vector<RegistryEntry> found;
  const auto fetch = [&](const std::string& cursor) -> Result<std::string> {
    http::Query query{{"property", "title==" + title}, {"orderby", "title"}, {"limit", "100"}};
    if (!cursor.empty()) query.emplace_back("start", cursor);
    auto answer = TRY(read_json(client, accepting(get(kind_path(kind), std::move(query)), kListForm)));
    for (const auto& value : answer.items("results"))
      if (value.text("title") == title) found.push_back({value.text("$id"), title});
    return next_cursor(answer, "start");
  };
  TRY(each_page("schemas", fetch).in("schema registry"));
  return found;
}

Result<Value> registry_get(http::ReadClient& client, RegistryKind kind, const std::string& id) {
  return read_json_if_there(client, accepting(get(kind_path(kind) + "/" + http::encode_segment(id)), kObjectForm))
      .in("schema registry " + id);
}

Result<Value> profile_union(http::ReadClient& client) {
  const auto path = std::string(kRegistry) + "/tenant/unions/" + http::encode_segment(kProfileUnion);
  return read_json_if_there(client, accepting(get(path), kResolvedForm)).in("union schema");
}

Result<Value> registry_create(http::WriteClient& client, RegistryKind kind, const Value& body) {
  auto made = TRY(
      write_json(client, send(http::Method::Post, kind_path(kind), body, http::Repeat::Once)).in("schema registry"));
  if (made.text("$id").empty())
    return Error(ErrorCode::Unknown, "the schema registry made '" + body.text("title") + "' and named no id");
  return made;
}

Result<void> registry_patch(http::WriteClient& client, RegistryKind kind, const std::string& id, const Value& patch) {
  TRY(client
          .write(send(http::Method::Patch, kind_path(kind) + "/" + http::encode_segment(id), patch, http::Repeat::Once))
          .in("schema registry " + id));
  return {};
}

Result<std::vector<IdentityDescriptor>> identity_descriptors(http::ReadClient& client, const std::string& schema) {
  std::vector<IdentityDescriptor> found;
  const auto fetch = [&](const std::string& cursor) -> Result<std::string> {
    http::Query query{{"property", std::string("@type==") + kIdentityDescriptor + ",xdm:sourceSchema==" + schema}};
    if (!cursor.empty()) query.emplace_back("start", cursor);
    auto answer = TRY(read_json(
        client, accepting(get(std::string(kRegistry) + "/tenant/descriptors", std::move(query)), kDescriptorForm)));
    for (const auto& value : descriptors_of(answer))
      if (value.text("@type") == kIdentityDescriptor && value.text("xdm:sourceSchema") == schema)
        found.push_back(descriptor_from(value));
    return next_cursor(answer, "start");
  };
  TRY(each_page("descriptors", fetch).in("schema registry descriptors"));
  return found;
}

Result<std::string> create_identity_descriptor(http::WriteClient& client, const IdentityDescriptor& descriptor) {
  Value body;
  body["@type"] = kIdentityDescriptor;
  body["xdm:sourceSchema"] = descriptor.schema;
  body["xdm:sourceVersion"] = 1;
  body["xdm:sourceProperty"] = descriptor.property;
  body["xdm:namespace"] = descriptor.identity_namespace;
  body["xdm:property"] = "xdm:code";
  body["xdm:isPrimary"] = descriptor.primary;
  auto made = TRY(write_json(client, send(http::Method::Post, std::string(kRegistry) + "/tenant/descriptors", body,
                                          http::Repeat::Once))
                      .in("schema registry descriptors"));
  auto id = made.text("@id");
  if (id.empty()) return Error(ErrorCode::Unknown, "the schema registry made a descriptor and named no id");
  return id;
}

}  // namespace audiencesync::platform
