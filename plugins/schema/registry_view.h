#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/http/client.h"
#include "engine/model/finding.h"
#include "plugins/platform/schema_registry.h"

namespace audiencesync {

/// A registry resource of ours, or why the one of that title cannot be.
struct OwnResource {
  Value document;  // null when there is none
  std::vector<Finding> findings;

  std::string id() const { return document.text("$id"); }
  bool exists() const { return !document.is_null(); }
};

/// Finds the resource by its title and checks that it carries our mark.
/// The list is asked twice before absence counts: a second one of the same title would be confusion for ever.
Result<OwnResource> find_own(http::ReadClient& client, platform::RegistryKind kind, const std::string& title);

/// The ids that a schema is made of.
std::vector<std::string> parts_of_schema(const Value& schema);

/// Whether a schema has the primary identity we want.
struct IdentityView {
  bool matches = false;
  std::optional<Finding> finding;  // another identity is in the way
};
IdentityView view_identity(const std::vector<platform::IdentityDescriptor>& descriptors, const std::string& title,
                           const std::string& identity_namespace);

inline constexpr const char* kPersonProperty = "/personID";

}  // namespace audiencesync
