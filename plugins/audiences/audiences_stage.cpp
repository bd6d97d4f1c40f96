#include "plugins/audiences/audiences_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plugins/audiences/preconditions.h"
#include "plugins/audiences/resolution.h"
#include "plugins/platform/schema_registry.h"
#include "plugins/platform/segment_jobs.h"

namespace audiencesync {
namespace {

constexpr std::size_t kSuggestions = 5;

class AudiencesStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override;
  Result<Applied> apply(const Change& change, WriteContext& context) override;
};

void keep(Observed& observed, std::optional<Finding> finding) {
  if (finding) observed.findings.push_back(std::move(*finding));
}

/// The words that a misspelt name most probably shares with the right one.
std::string longest_word(const std::string& name) {
  std::string best;
  std::size_t begin = 0;
  while (begin < name.size()) {
    const auto end = std::min(name.find(' ', begin), name.size());
    if (end - begin > best.size()) best = name.substr(begin, end - begin);
    begin = end + 1;
  }
  return best;
}

Result<AudienceKnowledge> remembered_knowledge(const ReadContext& context) {
  AudienceKnowledge knowledge;
  const auto& manifest = context.manifest();
  for (const auto& entry : manifest.audiences) {
    if (entry.id) continue;
    const auto pin = TRY(context.records().remembered(manifest.uid, "pin:" + entry.name.value_or("")));
    if (const auto* id = pin.string_if()) knowledge.pins[*entry.name] = *id;
  }
  return knowledge;
}

/// What the platform knows of the declared audiences: one bulk call, and one list for each name that is not pinned.
Result<AudienceKnowledge> know_audiences(ReadContext& context) {
  const auto& manifest = context.manifest();
  auto knowledge = TRY(remembered_knowledge(context));
  std::set<std::string> ids;
  std::set<std::string> unpinned;
  for (const auto& entry : manifest.audiences) {
    const auto name = entry.name.value_or("");
    if (entry.id) {
      ids.insert(*entry.id);
    } else if (const auto pin = knowledge.pins.find(name); pin != knowledge.pins.end()) {
      ids.insert(pin->second);
    } else {
      unpinned.insert(name);
    }
  }
  if (!ids.empty()) knowledge.by_id = TRY(platform::get_audiences(context.http(), {ids.begin(), ids.end()}));
  for (const auto& [name, id] : knowledge.pins)
    if (!knowledge.by_id.found.contains(id)) unpinned.insert(name);  // gone: is there a new one of this name?
  for (const auto& name : unpinned) {
    knowledge.named[name] = TRY(platform::audiences_named(context.http(), name));
    if (knowledge.named[name].empty() && !knowledge.pins.contains(name))
      knowledge.similar[name] = TRY(platform::names_like(context.http(), longest_word(name), kSuggestions));
  }
  for (const auto& id : ids) {
    const auto found = knowledge.by_id.found.find(id);
    const bool readable = found != knowledge.by_id.found.end() &&
                          (found->second.lifecycle.empty() || found->second.lifecycle == "published");
    if (readable) continue;
    const auto kept = TRY(context.records().remembered(manifest.uid, "audience:" + id));
    if (!kept.is_null()) knowledge.labels[id] = kept.text("name");
  }
  return knowledge;
}

/// The expected size comes with the audience, or else from the latest evaluation: one more call only when needed.
Result<void> add_evaluation(ReadContext& context, AudienceKnowledge& knowledge) {
  bool complete = true;
  for (const auto& [id, audience] : knowledge.by_id.found) complete = complete && audience.people.has_value();
  for (const auto& [name, audiences] : knowledge.named)
    for (const auto& audience : audiences) complete = complete && audience.people.has_value();
  if (complete) return {};
  auto latest = platform::latest_evaluation(context.http());
  if (!latest) {
    // Only a figure for the plan and one more check of the export: everything works without it.
    if (latest.error().code() == ErrorCode::Interrupted) return std::move(latest).error();
    context.events().warn("audiences.sizes_unknown",
                          {{"error", latest.error().text()}, {"goes_on", "without the platform's expected sizes"}});
    return {};
  }
  if (*latest) knowledge.evaluated = (*latest)->people;
  return {};
}

Value audiences_value(const std::vector<ResolvedAudience>& audiences) {
  Value::Array list;
  for (const auto& audience : audiences) {
    Value value;
    value["id"] = audience.id;
    value["name"] = audience.label;
    value["namespace"] = audience.membership_namespace;
    value["held"] = audience.held;
    value["expected"] = audience.expected ? Value(*audience.expected) : Value();
    list.push_back(std::move(value));
  }
  return list;
}

Result<Observed> AudiencesStage::observe(const ObserveRequest&, ReadContext& context) {
  const auto& manifest = context.manifest();
  Observed observed;
  auto sandboxes = TRY(platform::list_sandboxes(context.http()));
  keep(observed, check_sandbox(manifest, sandboxes));
  // In a sandbox that cannot be used, every further answer would be a misleading error.
  if (!observed.findings.empty()) return observed;
  auto tenant = TRY(platform::tenant_id(context.http()));
  keep(observed, check_tenant(manifest, tenant));
  auto namespaces = TRY(platform::list_identity_namespaces(context.http()));
  keep(observed, check_identity_namespace(manifest, namespaces));
  auto policies = TRY(platform::list_merge_policies(context.http()));
  auto policy = choose_merge_policy(manifest, policies);
  keep(observed, policy.finding);
  if (policy.finding) return observed;
  observed.outputs["merge_policy"] = policy.id;

  auto knowledge = TRY(know_audiences(context));
  TRY(add_evaluation(context, knowledge));
  auto resolution = resolve_audiences(manifest.audiences, knowledge, policy.id);
  observed.findings.insert(observed.findings.end(), resolution.findings.begin(), resolution.findings.end());
  observed.outputs["audiences"] = audiences_value(resolution.audiences);
  for (const auto& [name, id] : resolution.pins) observed.remember["pin:" + name] = id;
  for (const auto& audience : resolution.audiences) {
    if (audience.held) continue;
    observed.remember["audience:" + audience.id]["name"] = audience.label;
  }
  return observed;
}

Result<Applied> AudiencesStage::apply(const Change& change, WriteContext&) {
  return Error(ErrorCode::Internal, "the audiences stage owns nothing, and cannot apply " + change.key.text());
}

}  // namespace

StageDescriptor audiences_stage() {
  return {.name = "audiences",
          .summary = "Finds the declared audiences and checks sandbox, tenant, merge policy and identity namespace.",
          .phase = Phase::Refresh,
          .needs = {},
          .rules = {},
          .desire = [](const Manifest&) { return std::vector<Resource>(); },
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<AudiencesStage>()); }};
}

}  // namespace audiencesync
