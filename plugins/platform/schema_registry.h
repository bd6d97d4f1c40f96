#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/http/client.h"

namespace audiencesync::platform {

/// Kinds of resources of the tenant container.
enum class RegistryKind { Schemas, FieldGroups, Classes };

/// An entry of a registry list.
struct RegistryEntry {
  std::string id;  // `$id`, a URL
  std::string title;
};

/// Tenant id without the underscore, "" when the registry does not say. The tenant's field is "_" + this.
Result<std::string> tenant_id(http::ReadClient& client);

/// Tenant resources of exactly this title.
Result<std::vector<RegistryEntry>> registry_titled(http::ReadClient& client, RegistryKind kind,
                                                   const std::string& title);
/// One tenant resource with its references as written; null when it does not exist.
Result<Value> registry_get(http::ReadClient& client, RegistryKind kind, const std::string& id);
/// The union schema of people with all references resolved; null when no schema takes part in it.
Result<Value> profile_union(http::ReadClient& client);

/// Makes a resource and gives it as the registry has it. Not repeatable. Errors: Unknown when it may exist.
Result<Value> registry_create(http::WriteClient& client, RegistryKind kind, const Value& body);
/// Applies a JSON Patch. Not repeatable in general: adding to an array twice adds two.
Result<void> registry_patch(http::WriteClient& client, RegistryKind kind, const std::string& id, const Value& patch);

/// Says that a field of a schema is an identity.
struct IdentityDescriptor {
  std::string id;        // `@id`
  std::string schema;    // `$id`
  std::string property;  // /personID
  std::string identity_namespace;
  bool primary = false;
};

/// Identity descriptors of a schema.
Result<std::vector<IdentityDescriptor>> identity_descriptors(http::ReadClient& client, const std::string& schema);
/// Makes one and gives its id. Not repeatable. Errors: Unknown when it may exist.
Result<std::string> create_identity_descriptor(http::WriteClient& client, const IdentityDescriptor& descriptor);

}  // namespace audiencesync::platform
