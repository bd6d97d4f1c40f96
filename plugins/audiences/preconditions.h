#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/finding.h"
#include "plugins/platform/identity_namespaces.h"
#include "plugins/platform/merge_policies.h"
#include "plugins/platform/sandboxes.h"

namespace audiencesync {

/// Each says why a sync cannot run on what the platform shows, or nothing. Pure.
std::optional<Finding> check_sandbox(const Manifest& manifest, const std::vector<platform::Sandbox>& sandboxes);
std::optional<Finding> check_tenant(const Manifest& manifest, const std::string& tenant_id);
std::optional<Finding> check_identity_namespace(const Manifest& manifest,
                                                const std::vector<platform::IdentityNamespace>& namespaces);

/// The id of the declared merge policy, or why there is none.
struct ChosenPolicy {
  std::string id;
  std::optional<Finding> finding;
};
ChosenPolicy choose_merge_policy(const Manifest& manifest, const std::vector<platform::MergePolicy>& policies);

}  // namespace audiencesync
