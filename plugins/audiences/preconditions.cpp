#include "plugins/audiences/preconditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/call.h"

namespace audiencesync {
namespace {

Finding precondition(const char* code, std::string text) { return {Severity::Refuse, code, std::move(text)}; }

template <class List, class Name>
std::string names_of(const List& list, Name name) {
  std::vector<std::string> names;
  for (const auto& each : list) names.push_back(name(each));
  std::sort(names.begin(), names.end());
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string policy_text(const platform::MergePolicy& policy) {
  return fmt::format("'{}' ({}{})", policy.name, policy.id,
                     policy.is_default == platform::DefaultPolicy::Yes ? ", default" : "");
}

}  // namespace

std::optional<Finding> check_sandbox(const Manifest& manifest, const std::vector<platform::Sandbox>& sandboxes) {
  const auto found = std::find_if(sandboxes.begin(), sandboxes.end(),
                                  [&](const platform::Sandbox& sandbox) { return sandbox.name == manifest.sandbox; });
  if (found == sandboxes.end())
    return precondition(
        "sandbox-unknown",
        fmt::format("{}: sandbox '{}' does not exist, or the credential has no role in it; it may use: {}",
                    manifest.file, manifest.sandbox,
                    names_of(sandboxes, [](const platform::Sandbox& sandbox) { return sandbox.name; })));
  if (!found->state.empty() && found->state != "active")
    return precondition("sandbox-inactive", fmt::format("{}: sandbox '{}' is {}, not active; run again when it is",
                                                        manifest.file, manifest.sandbox, found->state));
  return {};
}

std::optional<Finding> check_tenant(const Manifest& manifest, const std::string& tenant_id) {
  if (tenant_id.empty())
    return precondition("tenant-unknown",
                        fmt::format("{}: the schema registry does not say which tenant this organisation has, so '{}' "
                                    "cannot be checked; the credential may lack the permission to read schemas",
                                    manifest.file, manifest.tenant));
  if (manifest.tenant == "_" + tenant_id) return {};
  return precondition("tenant-wrong",
                      fmt::format("{}: tenant '{}' is not this organisation's; the organisation's is '_{}'",
                                  manifest.file, manifest.tenant, tenant_id));
}

std::optional<Finding> check_identity_namespace(const Manifest& manifest,
                                                const std::vector<platform::IdentityNamespace>& namespaces) {
  const auto& wanted = manifest.identity.namespace_code;
  for (const auto& each : namespaces) {
    if (each.code != wanted) continue;
    const auto status = platform::ascii_lower(each.status);
    if (status.empty() || status == "active") return {};
    return precondition("identity-namespace-inactive",
                        fmt::format("{}: identity namespace '{}' is {}; activate it or declare another one",
                                    manifest.file, wanted, status));
  }
  for (const auto& each : namespaces)
    if (platform::ascii_lower(each.code) == platform::ascii_lower(wanted))
      return precondition("identity-namespace-unknown",
                          fmt::format("{}: identity namespace '{}' does not exist; did you mean '{}'?", manifest.file,
                                      wanted, each.code));
  return precondition(
      "identity-namespace-unknown",
      fmt::format("{}: identity namespace '{}' does not exist in this organisation; it has: {}", manifest.file, wanted,
                  names_of(namespaces, [](const auto& each) { return each.code; })));
}

ChosenPolicy choose_merge_policy(const Manifest& manifest, const std::vector<platform::MergePolicy>& policies) {
  const auto& wanted = manifest.source.merge_policy;
  std::vector<platform::MergePolicy> matches;
  for (const auto& policy : policies) {
    if (policy.id == wanted) return {policy.id, {}};
    const bool by_default = wanted == "default" && policy.is_default == platform::DefaultPolicy::Yes;
    if (by_default || policy.name == wanted) matches.push_back(policy);
  }
  if (wanted == "default" && matches.size() > 1)
    std::erase_if(matches, [](const auto& policy) { return policy.is_default != platform::DefaultPolicy::Yes; });
  if (matches.size() == 1) return {matches.front().id, {}};
  if (matches.empty())
    return {"", precondition("merge-policy-unknown",
                             fmt::format("{}: source.merge_policy: {}; the sandbox has: {}", manifest.file,
                                         wanted == "default" ? std::string("no merge policy is the default")
                                                             : fmt::format("no merge policy is called '{}'", wanted),
                                         names_of(policies, policy_text)))};
  return {"", precondition("merge-policy-ambiguous",
                           fmt::format("{}: source.merge_policy '{}' fits {} policies: {}; write the id", manifest.file,
                                       wanted, matches.size(), names_of(matches, policy_text)))};
}

}  // namespace audiencesync
