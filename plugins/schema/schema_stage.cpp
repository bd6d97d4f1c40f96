#include "plugins/schema/schema_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/schema/field_group.h"
#include "plugins/schema/registry_view.h"
#include "plugins/schema/schema_apply.h"

namespace audiencesync {
namespace {

const ResourceKey kNamesClass{"schema", "names-class"};
const ResourceKey kNamesSchema{"schema", "names-schema"};

class SchemaStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override;
  Result<Applied> apply(const Change& change, WriteContext& context) override;
};

std::vector<Resource> desired_schema(const Manifest& manifest) {
  Resource group;
  group.key = {"schema", "field-group"};
  group.fields["title"] = Value(kFieldGroupTitle);
  group.fields["tenant"] = Value(manifest.tenant);
  group.fields["properties"] = property_shape(membership_properties());
  Resource schema;
  schema.key = {"schema", "schema"};
  schema.fields["title"] = Value(schema_title(manifest.identity.namespace_code));
  schema.fields["namespace"] = Value(manifest.identity.namespace_code);
  schema.fields["field_group"] = Ref{"schema", "field_group_id"};
  schema.fields["has_field_group"] = Value(true);
  Resource identity;
  identity.key = {"schema", "identity"};
  identity.fields["schema"] = Ref{"schema", "schema_id"};
  identity.fields["property"] = Value(kPersonProperty);
  identity.fields["namespace"] = Value(manifest.identity.namespace_code);
  std::vector<Resource> desired{group, schema, identity};
  if (!manifest.target.name_lookup) return desired;
  desired.push_back({kNamesClass, {{"title", Value(kNamesTitle)}, {"tenant", Value(manifest.tenant)}}, "", {}});
  desired.push_back(
      {kNamesSchema, {{"title", Value(kNamesTitle)}, {"class", Ref{"schema", "names_class_id"}}}, "", {}});
  return desired;
}

/// What a sync needs that writes names into a lookup dataset of their own.
Result<void> observe_names(const ReadContext& context, Observed& observed) {
  using platform::RegistryKind;
  const auto& tenant = context.manifest().tenant;
  const auto names_class = TRY(find_own(context.http(), RegistryKind::Classes, kNamesTitle));
  observed.findings.insert(observed.findings.end(), names_class.findings.begin(), names_class.findings.end());
  if (names_class.exists()) {
    if (tenant_properties(names_class.document, tenant).properties.find("audienceName") == nullptr)
      observed.findings.push_back(
          {Severity::Refuse, "names-class-drift",
           fmt::format("class '{}' ({}) has no field {}.audienceName; delete it if no schema uses it", kNamesTitle,
                       names_class.id(), tenant)});
    observed.resources.push_back({kNamesClass,
                                  {{"title", Value(kNamesTitle)}, {"tenant", Value(tenant)}},
                                  names_class.document.text("version"),
                                  {}});
    observed.outputs["names_class_id"] = names_class.id();
  }
  const auto schema = TRY(find_own(context.http(), RegistryKind::Schemas, kNamesTitle));
  observed.findings.insert(observed.findings.end(), schema.findings.begin(), schema.findings.end());
  if (!schema.exists()) return {};
  observed.resources.push_back({kNamesSchema, {{"title", Value(kNamesTitle)}}, schema.document.text("version"), {}});
  observed.outputs["names_schema_id"] = schema.id();
  return {};
}

void observe_group(const OwnResource& group, const Manifest& manifest, Observed& observed) {
  observed.findings.insert(observed.findings.end(), group.findings.begin(), group.findings.end());
  if (!group.exists()) return;
  const auto there = tenant_properties(group.document, manifest.tenant);
  if (there.pointer.empty()) {
    observed.findings.push_back(
        {Severity::Refuse, "field-group-tenant",
         fmt::format(
             "field group '{}' ({}) has no fields below '{}'; delete it if no schema uses it, or take our words "
             "'{}' out of its description",
             kFieldGroupTitle, group.id(), manifest.tenant, kManagedMark)});
    return;
  }
  for (const auto& conflict : additive_patch(membership_properties(), there.properties, there.pointer).conflicts)
    observed.findings.push_back(
        {Severity::Refuse, "field-group-drift",
         fmt::format("field group '{}' ({}): {}; fields are only ever added, so restore the type or delete the group",
                     kFieldGroupTitle, group.id(), conflict)});
  Resource resource;
  resource.key = {"schema", "field-group"};
  resource.version = group.document.text("version");
  resource.fields["title"] = Value(kFieldGroupTitle);
  resource.fields["tenant"] = Value(manifest.tenant);
  resource.fields["properties"] = property_shape(there.properties);
  observed.resources.push_back(std::move(resource));
  observed.outputs["field_group_id"] = group.id();
}

void observe_schema(const OwnResource& schema, const OwnResource& group, const Manifest& manifest, Observed& observed) {
  observed.findings.insert(observed.findings.end(), schema.findings.begin(), schema.findings.end());
  if (!schema.exists()) return;
  const auto parts = parts_of_schema(schema.document);
  const auto has = [&](const std::string& id) { return std::find(parts.begin(), parts.end(), id) != parts.end(); };
  const auto title = schema_title(manifest.identity.namespace_code);
  if (!has(kProfileClass))
    observed.findings.push_back({Severity::Refuse, "schema-class",
                                 fmt::format("schema '{}' ({}) is not of the class {}; restore it or rename the schema",
                                             title, schema.id(), kProfileClass)});
  Resource resource;
  resource.key = {"schema", "schema"};
  resource.version = schema.document.text("version");
  resource.fields["title"] = Value(title);
  resource.fields["namespace"] = Value(manifest.identity.namespace_code);
  resource.fields["has_field_group"] = Value(group.exists() && has(group.id()));
  observed.resources.push_back(std::move(resource));
  observed.outputs["schema_id"] = schema.id();
}

Result<Observed> SchemaStage::observe(const ObserveRequest&, ReadContext& context) {
  using platform::RegistryKind;
  const auto& manifest = context.manifest();
  const auto title = schema_title(manifest.identity.namespace_code);
  Observed observed;
  if (manifest.target.name_lookup) TRY(observe_names(context, observed));
  const auto group = TRY(find_own(context.http(), RegistryKind::FieldGroups, kFieldGroupTitle));
  observe_group(group, manifest, observed);
  const auto schema = TRY(find_own(context.http(), RegistryKind::Schemas, title));
  observe_schema(schema, group, manifest, observed);
  if (!schema.exists()) return observed;
  const auto descriptors = TRY(platform::identity_descriptors(context.http(), schema.id()));
  const auto identity = view_identity(descriptors, title, manifest.identity.namespace_code);
  if (identity.finding) observed.findings.push_back(*identity.finding);
  if (!identity.matches) return observed;
  Resource resource;
  resource.key = {"schema", "identity"};
  resource.fields["property"] = Value(kPersonProperty);
  resource.fields["namespace"] = Value(manifest.identity.namespace_code);
  observed.resources.push_back(std::move(resource));
  return observed;
}

Result<Applied> SchemaStage::apply(const Change& change, WriteContext& context) {
  const auto& name = change.key.name;
  const bool creates = change.action == Action::Create;
  if (name == "field-group") return creates ? create_field_group(change, context) : extend_field_group(change, context);
  if (name == "schema") return creates ? create_schema(change, context) : extend_schema(change, context);
  if (name == kNamesClass.name && creates) return create_names_class(change, context);
  if (name == kNamesSchema.name && creates) return create_names_schema(change, context);
  if (name == "identity" && creates) return create_identity(change, context);
  return Error(ErrorCode::Internal, "the schema stage cannot apply " + change.key.text());
}

}  // namespace

StageDescriptor schema_stage() {
  ResourceRule group;
  group.prefix = "field-group";
  group.fields = {{"title", Compare::Given}, {"tenant", Compare::Given}, {"properties", Compare::Contains}};
  ResourceRule schema;
  schema.prefix = "schema";
  schema.fields = {{"title", Compare::Given}, {"namespace", Compare::Given}, {"field_group", Compare::Given}};
  ResourceRule identity;
  identity.prefix = "identity";
  identity.fields = {{"schema", Compare::Given}};
  ResourceRule names_class;
  names_class.prefix = kNamesClass.name;
  ResourceRule names_schema;
  names_schema.prefix = kNamesSchema.name;
  names_schema.fields = {{"class", Compare::Given}};
  return {.name = "schema",
          .summary = "Keeps the field group, the schema and its primary identity that the records need.",
          .phase = Phase::Converge,
          .needs = {},
          .rules = {group, schema, identity, names_class, names_schema},
          .desire = desired_schema,
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<SchemaStage>()); }};
}

}  // namespace audiencesync
