#include "plugins/schema/schema_apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/listing.h"
#include "plugins/schema/field_group.h"
#include "plugins/schema/registry_view.h"

namespace audiencesync {
namespace {

using platform::RegistryKind;

Result<std::string> written_text(const Change& change, std::string_view name) {
  const auto found = change.after.find(name);
  if (found != change.after.end())
    if (const auto* value = std::get_if<Value>(&found->second))
      if (const auto* text = value->string_if()) return *text;
  return Error(ErrorCode::Internal, fmt::format("{} without its field '{}'", change.key.text(), name));
}

/// The resource of ours, refused when something foreign has its title.
Result<OwnResource> own_resource(const ReadContext& context, RegistryKind kind, const std::string& title) {
  auto own = TRY(find_own(context.http(), kind, title));
  for (const auto& finding : own.findings) {
    if (finding.severity == Severity::Refuse) return Error(ErrorCode::Refused, finding.text);
    context.events().warn("registry.twice", {{"title", title}, {"goes_on", finding.text}});
  }
  return own;
}

/// Creates it once and waits until it is listed; gives its `$id`.
Result<std::string> create_listed(WriteContext& context, RegistryKind kind, const Value& body) {
  const auto title = body.text("title");
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    auto own = TRY(own_resource(context, kind, title));
    return own.exists() ? std::optional<Value>(own.id()) : std::optional<Value>();
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    auto made = platform::registry_create(client, kind, body);
    if (made) return Value(made->text("$id"));
    // Titles are unique: a refusal may only mean that it was listed too late for our observation.
    if (made.error().code() == ErrorCode::Rejected) {
      const auto entries = TRY(platform::registry_titled(context.http(), kind, title));
      if (!entries.empty())
        return Error(ErrorCode::Conflict,
                     fmt::format("'{}' exists by now ({}); observing again", title, entries.front().id));
    }
    return std::move(made).error();
  };
  const auto made = TRY(context.once({.name = "create", .sequence = ""}, find, make));
  const auto id = made.string_if() != nullptr ? *made.string_if() : std::string();
  TRY(platform::await_listing(context, "'" + title + "'", [&]() -> Result<bool> {
    const auto entries = TRY(platform::registry_titled(context.http(), kind, title));
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.id == id; });
  }));
  return id;
}

/// Sends a patch once, unless `is_done` says that it has been applied already.
Result<void> patch_once(WriteContext& context, RegistryKind kind, const std::string& id, const Value& patch,
                        const std::function<Result<bool>()>& is_done) {
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    const bool done = TRY(is_done());
    return done ? std::optional<Value>(true) : std::optional<Value>();
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    TRY(platform::registry_patch(client, kind, id, patch));
    return Value(true);
  };
  TRY(context.once({.name = "patch", .sequence = ""}, find, make));
  return {};
}

Applied applied_as(const char* output, const std::string& id) {
  Applied applied;
  applied.outputs[output] = id;
  applied.proof.version = id;
  return applied;
}

Result<AdditivePatch> patch_of_group(const ReadContext& context, const std::string& id, const std::string& tenant) {
  const auto document = TRY(platform::registry_get(context.http(), RegistryKind::FieldGroups, id));
  if (document.is_null())
    return Error(ErrorCode::Conflict, fmt::format("field group {} does not exist any more; observing again", id));
  const auto there = tenant_properties(document, tenant);
  auto patch = additive_patch(membership_properties(), there.properties, there.pointer);
  if (there.pointer.empty() || !patch.conflicts.empty())
    return Error(ErrorCode::Conflict, fmt::format("field group {} has changed since it was observed", id));
  return patch;
}

}  // namespace

Result<Applied> create_field_group(const Change& change, WriteContext& context) {
  const auto tenant = TRY(written_text(change, "tenant"));
  const auto id = TRY(create_listed(context, RegistryKind::FieldGroups, field_group_body(tenant)));
  return applied_as("field_group_id", id);
}

Result<Applied> extend_field_group(const Change& change, WriteContext& context) {
  const auto tenant = TRY(written_text(change, "tenant"));
  const auto own = TRY(own_resource(context, RegistryKind::FieldGroups, kFieldGroupTitle));
  if (!own.exists()) return Error(ErrorCode::Conflict, "the field group does not exist any more; observing again");
  const auto id = own.id();
  const auto patch = TRY(patch_of_group(context, id, tenant));
  if (patch.operations.empty()) return applied_as("field_group_id", id);
  TRY(patch_once(context, RegistryKind::FieldGroups, id, Value(patch.operations), [&]() -> Result<bool> {
    const auto rest = TRY(patch_of_group(context, id, tenant));
    return rest.operations.empty();
  }));
  return applied_as("field_group_id", id);
}

Result<Applied> create_schema(const Change& change, WriteContext& context) {
  const auto identity_namespace = TRY(written_text(change, "namespace"));
  const auto group = TRY(written_text(change, "field_group"));
  const auto id = TRY(create_listed(context, RegistryKind::Schemas, schema_body(identity_namespace, group)));
  return applied_as("schema_id", id);
}

Result<Applied> extend_schema(const Change& change, WriteContext& context) {
  const auto identity_namespace = TRY(written_text(change, "namespace"));
  const auto group = TRY(written_text(change, "field_group"));
  const auto own = TRY(own_resource(context, RegistryKind::Schemas, schema_title(identity_namespace)));
  if (!own.exists()) return Error(ErrorCode::Conflict, "the schema does not exist any more; observing again");
  const auto id = own.id();
  const auto has_group = [&]() -> Result<bool> {
    const auto schema = TRY(platform::registry_get(context.http(), RegistryKind::Schemas, id));
    const auto parts = parts_of_schema(schema);
    return std::find(parts.begin(), parts.end(), group) != parts.end();
  };
  Value part;
  part["$ref"] = group;
  Value operation;
  operation["op"] = "add";
  operation["path"] = "/allOf/-";
  operation["value"] = std::move(part);
  // The reference in a list would be there twice if it were added twice.
  const bool there = TRY(has_group());
  if (there) return applied_as("schema_id", id);
  TRY(patch_once(context, RegistryKind::Schemas, id, Value(Value::Array{std::move(operation)}), has_group));
  return applied_as("schema_id", id);
}

Result<Applied> create_names_class(const Change& change, WriteContext& context) {
  const auto tenant = TRY(written_text(change, "tenant"));
  const auto id = TRY(create_listed(context, RegistryKind::Classes, names_class_body(tenant)));
  return applied_as("names_class_id", id);
}

Result<Applied> create_names_schema(const Change& change, WriteContext& context) {
  const auto names_class = TRY(written_text(change, "class"));
  const auto id = TRY(create_listed(context, RegistryKind::Schemas, names_schema_body(names_class)));
  return applied_as("names_schema_id", id);
}

Result<Applied> create_identity(const Change& change, WriteContext& context) {
  platform::IdentityDescriptor wanted;
  wanted.schema = TRY(written_text(change, "schema"));
  wanted.property = TRY(written_text(change, "property"));
  wanted.identity_namespace = TRY(written_text(change, "namespace"));
  wanted.primary = true;
  const auto title = schema_title(wanted.identity_namespace);
  const auto listed = [&]() -> Result<bool> {
    const auto descriptors = TRY(platform::identity_descriptors(context.http(), wanted.schema));
    const auto view = view_identity(descriptors, title, wanted.identity_namespace);
    if (view.finding) return Error(ErrorCode::Refused, view.finding->text);
    return view.matches;
  };
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    const bool there = TRY(listed());
    return there ? std::optional<Value>(wanted.property) : std::optional<Value>();
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    auto id = platform::create_identity_descriptor(client, wanted);
    if (id) return Value(std::move(id).take());
    if (id.error().code() != ErrorCode::Rejected) return std::move(id).error();
    const bool there = TRY(listed());
    if (there) return Error(ErrorCode::Conflict, "the identity exists by now; observing again");
    return std::move(id).error();
  };
  TRY(context.once({.name = "create", .sequence = ""}, find, make));
  TRY(platform::await_listing(context, "the identity of '" + title + "'", listed));
  return Applied();
}

}  // namespace audiencesync
