#pragma once

#include <string>
#include <vector>

#include "engine/base/value.h"

namespace audiencesync {

inline constexpr const char* kFieldGroupTitle = "audiencesync audience membership";
inline constexpr const char* kProfileClass = "https://ns.adobe.com/xdm/context/profile";
/// What the description of everything of ours begins with: the mark that we may change it.
inline constexpr const char* kManagedMark = "managed by audiencesync";

/// Fields below the tenant's root that records of any layout have: one field group serves all of them.
Value membership_properties();
/// The same, reduced to what must not change: types, members, elements.
Value property_shape(const Value& properties);

/// Body that creates the field group for a tenant.
Value field_group_body(const std::string& tenant);
/// Body that creates the schema of one identity namespace.
Value schema_body(const std::string& identity_namespace, const std::string& field_group);
std::string schema_title(const std::string& identity_namespace);

/// Title of the class, and of the schema, of rows that name one audience each.
inline constexpr const char* kNamesTitle = "audiencesync audience name";
/// Bodies that create them; rows have the audience's id as `_id` and its name below the tenant's field.
Value names_class_body(const std::string& tenant);
Value names_schema_body(const std::string& names_class);

/// True when the description says that we made it.
bool is_managed(const Value& resource);

/// Where a registry document keeps the fields below the tenant's root: JSON Pointer and fields; an empty pointer when
/// it has none.
struct TenantProperties {
  std::string pointer;
  Value properties;
};
TenantProperties tenant_properties(const Value& document, const std::string& tenant);

/// How `observed` fields become a superset of `wanted`.
struct AdditivePatch {
  Value::Array operations;             // JSON Patch, only `add`
  std::vector<std::string> conflicts;  // fields that are there with another type: "audienceMembershipId is integer…"
};

/// Compares field by field, below arrays and objects too. `pointer` is where `observed` is in its document. Pure.
AdditivePatch additive_patch(const Value& wanted, const Value& observed, const std::string& pointer);

}  // namespace audiencesync
