#include "engine/reconcile/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace audiencesync {
namespace {

const ResourceRule& rule_for(const std::vector<ResourceRule>& rules, const ResourceKey& key) {
  static const ResourceRule kDefault;
  const ResourceRule* best = &kDefault;
  for (const auto& rule : rules) {
    // The longest prefix is the most specific rule.
    if (key.name.starts_with(rule.prefix) && rule.prefix.size() >= best->prefix.size()) best = &rule;
  }
  return *best;
}

bool same(const Field& wanted, const Field& seen, Compare compare) {
  const auto* wanted_value = std::get_if<Value>(&wanted);
  const auto* seen_value = std::get_if<Value>(&seen);
  if (wanted_value == nullptr || seen_value == nullptr) return true;
  return compare == Compare::Contains ? contains(*seen_value, *wanted_value) : *seen_value == *wanted_value;
}

std::vector<std::string> differing(const Resource& wanted, const Resource& seen, const ResourceRule& rule) {
  std::vector<std::string> names;
  for (const auto& [name, field] : wanted.fields) {
    const auto found_rule = rule.fields.find(name);
    const auto compare = found_rule == rule.fields.end() ? Compare::Equal : found_rule->second;
    if (compare == Compare::Given) continue;
    const auto found = seen.fields.find(name);
    const Field absent = Value{};
    if (!same(field, found == seen.fields.end() ? absent : found->second, compare)) names.push_back(name);
  }
  return names;
}

std::string missing_reason(Action action) {
  switch (action) {
    case Action::Run:
      return "none that can be used yet";
    case Action::Person:
      return "only a person can do it";
    case Action::Ingest:
      return "nothing was written yet";
    case Action::Create:
    case Action::Update:
    case Action::Delete:
      break;
  }
  return "does not exist";
}

}  // namespace

bool contains(const Value& observed, const Value& wanted) {
  if (const auto* wanted_object = wanted.object_if()) {
    return observed.is_object() && std::all_of(wanted_object->begin(), wanted_object->end(), [&](const auto& member) {
             const Value* seen = observed.find(member.first);
             return seen != nullptr && contains(*seen, member.second);
           });
  }
  if (const auto* wanted_array = wanted.array_if()) {
    const auto* seen_array = observed.array_if();
    if (seen_array == nullptr) return false;
    return std::all_of(wanted_array->begin(), wanted_array->end(), [&](const Value& item) {
      return std::any_of(seen_array->begin(), seen_array->end(),
                         [&](const Value& seen) { return contains(seen, item); });
    });
  }
  return observed == wanted;
}

bool is_repair(const std::vector<ResourceRule>& rules, const ResourceKey& key) { return rule_for(rules, key).repair; }

bool is_scratch(const std::vector<ResourceRule>& rules, const ResourceKey& key) { return rule_for(rules, key).scratch; }

std::vector<Change> diff(const std::vector<Resource>& desired, const Observed& observed,
                         const std::vector<ResourceRule>& rules) {
  if (observed.unchecked) return {};
  std::map<ResourceKey, const Resource*> seen;
  for (const auto& resource : observed.resources) seen[resource.key] = &resource;

  std::vector<Change> changes;
  for (auto wanted : desired) {
    if (const auto more = observed.wanted.find(wanted.key); more != observed.wanted.end())
      wanted.fields.insert(more->second.begin(), more->second.end());
    const auto& rule = rule_for(rules, wanted.key);
    const auto found = seen.find(wanted.key);
    if (found == seen.end()) {
      changes.push_back({wanted.key, rule.missing, wanted.fields, missing_reason(rule.missing), "", {}});
      continue;
    }
    const Resource& actual = *found->second;
    if (actual.pending && actual.pending->people > 0) {
      // The stage adds what its apply must know without observing again; the manifest's fields stay as they are.
      Fields after = actual.fields;
      for (const auto& [name, field] : wanted.fields) after[name] = field;
      changes.push_back({wanted.key, Action::Ingest, std::move(after),
                         fmt::format("{} people changed", actual.pending->people), actual.version, actual.pending});
    }
    if (const auto names = differing(wanted, actual, rule); !names.empty()) {
      Fields after = wanted.fields;
      // How to repair something depends on what is wrong with it.
      if (rule.repair) after.insert(actual.fields.begin(), actual.fields.end());
      changes.push_back({wanted.key,
                         rule.different,
                         std::move(after),
                         fmt::format("{} differs", fmt::join(names, ", ")),
                         actual.version,
                         {}});
    }
    seen.erase(found);
  }
  for (const auto& [key, resource] : seen) {
    const auto wanted =
        std::find_if(desired.begin(), desired.end(), [&key = key](const auto& each) { return each.key == key; });
    if (wanted != desired.end() || !rule_for(rules, key).prune) continue;
    changes.push_back({key, Action::Delete, resource->fields, "no longer needed", resource->version, {}});
  }
  for (auto& change : changes) {
    const auto guide = observed.guides.find(change.key);
    if (guide == observed.guides.end()) continue;
    if (!guide->second.reason.empty()) change.reason = guide->second.reason;
    change.steps = guide->second.steps;
  }
  return changes;
}

}  // namespace audiencesync
