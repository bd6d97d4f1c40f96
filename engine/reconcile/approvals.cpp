#include "engine/reconcile/approvals.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

std::set<std::string> texts(const Value::Array& items) {
  std::set<std::string> out;
  for (const auto& item : items) out.insert(to_json(item));
  return out;
}

std::string list_difference(const Value::Array& before, const Value::Array& after) {
  const auto old_items = texts(before);
  const auto new_items = texts(after);
  const auto only_in = [](const auto& items, const auto& others) {
    return std::count_if(items.begin(), items.end(), [&](const auto& item) { return !others.contains(item); });
  };
  return fmt::format("+{}, -{}", only_in(new_items, old_items), only_in(old_items, new_items));
}

void compare(const std::string& path, const Value& before, const Value& after, std::vector<std::string>& changed) {
  if (before == after) return;
  const auto* old_object = before.object_if();
  const auto* new_object = after.object_if();
  if (old_object == nullptr || new_object == nullptr) {
    const bool lists = before.is_array() && after.is_array();
    changed.push_back(lists ? fmt::format("{} ({})", path, list_difference(*before.array_if(), *after.array_if()))
                            : path);
    return;
  }
  std::set<std::string> keys;
  for (const auto& [key, value] : *old_object) keys.insert(key);
  for (const auto& [key, value] : *new_object) keys.insert(key);
  const Value absent;
  for (const auto& key : keys) {
    const auto* old_value = before.find(key);
    const auto* new_value = after.find(key);
    compare(path.empty() ? key : path + "." + key, old_value == nullptr ? absent : *old_value,
            new_value == nullptr ? absent : *new_value, changed);
  }
}

}  // namespace

std::vector<std::string> changed_definition(const Value& before, const Value& after) {
  std::vector<std::string> changed;
  compare("", before, after, changed);
  return changed;
}

std::vector<Finding> approval_findings(const Manifest& manifest, const Value& applied, const Plan& plan) {
  std::vector<Finding> findings;
  if (plan.only_for_people()) return findings;
  if (manifest.mode == ApprovalMode::PlanOnly) {
    findings.push_back({Severity::Approve, "plan-only", "mode plan-only: every plan waits for an approval"});
  }
  if (applied.is_null()) {
    findings.push_back({Severity::Approve, "first-plan",
                        "this is the first plan of this sync: nothing of it has been applied yet, so it waits for an "
                        "approval"});
  } else if (const auto changed = changed_definition(applied, manifest.canonical()); !changed.empty()) {
    findings.push_back({Severity::Approve, "definition-changed",
                        fmt::format("the definition changed since it was last applied: {}; so the plan waits for an "
                                    "approval",
                                    fmt::join(changed, ", "))});
  }
  return findings;
}

}  // namespace audiencesync
