#include "plugins/schema/registry_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/schema/field_group.h"

namespace audiencesync {
namespace {

const char* noun_of(platform::RegistryKind kind) {
  if (kind == platform::RegistryKind::Classes) return "class";
  return kind == platform::RegistryKind::Schemas ? "schema" : "field group";
}

}  // namespace

Result<OwnResource> find_own(http::ReadClient& client, platform::RegistryKind kind, const std::string& title) {
  OwnResource own;
  auto entries = TRY(platform::registry_titled(client, kind, title));
  if (entries.empty()) entries = TRY(platform::registry_titled(client, kind, title));
  std::sort(entries.begin(), entries.end(), [](const auto& left, const auto& right) { return left.id < right.id; });
  std::vector<std::string> foreign;
  for (const auto& entry : entries) {
    auto document = TRY(platform::registry_get(client, kind, entry.id));
    if (document.is_null()) continue;
    if (!is_managed(document)) {
      foreign.push_back(entry.id);
    } else if (!own.exists()) {
      own.document = std::move(document);
    } else {
      own.findings.push_back({Severity::Note, "registry-twice",
                              fmt::format("{} '{}' exists twice: {} is used, {} may be deleted", noun_of(kind), title,
                                          own.id(), entry.id)});
    }
  }
  if (!own.exists() && !foreign.empty())
    own.findings.push_back(
        {Severity::Refuse, "registry-foreign",
         fmt::format("{} '{}' ({}) was not made by audiencesync: its description does not begin with '{}'; rename it, "
                     "or put these words in front of its description to hand it over",
                     noun_of(kind), title, foreign.front(), kManagedMark)});
  return own;
}

std::vector<std::string> parts_of_schema(const Value& schema) {
  std::vector<std::string> parts;
  for (const auto& part : schema.items("allOf"))
    if (auto reference = part.text("$ref"); !reference.empty()) parts.push_back(std::move(reference));
  return parts;
}

IdentityView view_identity(const std::vector<platform::IdentityDescriptor>& descriptors, const std::string& title,
                           const std::string& identity_namespace) {
  IdentityView view;
  const auto refuse = [&](const platform::IdentityDescriptor& descriptor) {
    view.finding =
        Finding{Severity::Refuse, "identity-other",
                fmt::format("schema '{}' has {} identity {} in namespace '{}', but its records are identified by {} in "
                            "namespace '{}'; delete that descriptor ({}), or the schema if no dataset uses it",
                            title, descriptor.primary ? "the primary" : "an", descriptor.property,
                            descriptor.identity_namespace, kPersonProperty, identity_namespace, descriptor.id)};
  };
  for (const auto& descriptor : descriptors) {
    const bool here = descriptor.property == kPersonProperty;
    if (here && descriptor.primary && descriptor.identity_namespace == identity_namespace) {
      view.matches = true;
    } else if (descriptor.primary || here) {
      refuse(descriptor);
    }
  }
  if (view.finding) view.matches = false;
  return view;
}

}  // namespace audiencesync
