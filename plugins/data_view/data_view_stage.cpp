#include "plugins/data_view/data_view_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/data_view/component_check.h"
#include "plugins/data_view/shell_apply.h"
#include "plugins/data_view/view_choice.h"
#include "plugins/platform/analytics_access.h"
#include "plugins/platform/analytics_list.h"

namespace audiencesync {
namespace {

constexpr const char* kShellTimeZone = "UTC";

class DataViewStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override;
  Result<Applied> apply(const Change& change, WriteContext& context) override;
};

bool is_declared(const Manifest& manifest) { return manifest.analytics && manifest.analytics->data_view; }

std::vector<Resource> desired_view(const Manifest& manifest) {
  if (!is_declared(manifest)) return {};
  std::vector<Resource> desired;
  const auto& declared = *manifest.analytics->data_view;
  // A view named by id is there or not; one named by name can be made.
  if (!platform::is_data_view_id(declared)) {
    Resource shell;
    shell.key = kViewShell;
    shell.fields["name"] = Value(declared);
    shell.fields["connection"] = Ref{"connection", "connection_id"};
    shell.fields["time_zone"] = Value(kShellTimeZone);
    desired.push_back(std::move(shell));
  }
  desired.push_back({kViewInUse, {{"data_view", Value(declared)}}, "", {}});
  const auto paths = membership_paths(manifest);
  Resource components;
  components.key = kViewComponents;
  components.fields["dataset"] = Ref{"dataset", "dataset_id"};
  components.fields["paths"] = paths_value(paths);
  desired.push_back(std::move(components));
  return desired;
}

std::string text_output(const ReadContext& context, const char* stage, const char* name) {
  const auto value = context.output({stage, name});
  if (!value.ok() || value.value().string_if() == nullptr) return {};
  return *value.value().string_if();
}

/// One call in a settled world. Other connections are looked at only before one is made.
Result<ViewFacts> look_for_view(const ReadContext& context, const std::string& connection) {
  const auto& manifest = context.manifest();
  const auto& declared = *manifest.analytics->data_view;
  ViewFacts facts;
  facts.connection = connection;
  if (platform::is_data_view_id(declared)) {
    auto view = TRY(platform::get_data_view(context.http(), declared));
    if (view) facts.candidates.push_back(std::move(*view));
    return facts;
  }
  facts.candidates = TRY(platform::data_views_of(context.http(), connection));
  if (choose_view(manifest, facts).origin != ViewOrigin::ToBeMade) return facts;
  facts.elsewhere = TRY(platform::data_views_of(context.http(), ""));
  std::erase_if(facts.elsewhere, [&](const platform::DataView& view) {
    return view.connection == connection || (view.name != declared && view.external_id != external_id_of(manifest));
  });
  return facts;
}

void show_view(Observed& observed, const platform::DataView& view, const std::string& declared) {
  // Of a view that is not ours the name is what it is declared by, so there is never anything to change.
  Resource shell{kViewShell, {}, view.version, {}};
  shell.fields["name"] = Value(view.name);
  shell.fields["connection"] = Value(view.connection);
  shell.fields["time_zone"] = Value(view.time_zone);
  observed.resources.push_back(std::move(shell));
  observed.resources.push_back({kViewInUse, {{"data_view", Value(declared)}}, "", {}});
  observed.outputs["data_view_id"] = view.id;
  observed.outputs["data_view_name"] = view.name;
  if (view.offset) observed.outputs["offset_ms"] = static_cast<std::int64_t>(view.offset->count());
}

void show_components(Observed& observed, const Manifest& manifest, ComponentVerdict verdict,
                     const std::string& dataset) {
  observed.findings.insert(observed.findings.end(), verdict.findings.begin(), verdict.findings.end());
  if (verdict.id) observed.outputs["id_dimension"] = verdict.id->id;
  if (verdict.name && !verdict.name->filters_values && !verdict.name->transformed)
    observed.outputs["name_dimension"] = verdict.name->id;
  if (verdict.id && !verdict.id->filters_values &&
      (!verdict.id->transformed || manifest.target.layout == Layout::Delimited))
    observed.outputs["value_dimension"] = verdict.id->id;
  if (!verdict.complete()) {
    observed.guides[kViewComponents] = std::move(verdict.guide);
    return;
  }
  const auto paths = membership_paths(manifest);
  observed.resources.push_back({kViewComponents, {{"dataset", Value(dataset)}, {"paths", paths_value(paths)}}, "", {}});
}

Result<Observed> observe_view(const ReadContext& context, const std::string& connection) {
  const auto& manifest = context.manifest();
  const auto& declared = *manifest.analytics->data_view;
  const auto facts = TRY(look_for_view(context, connection));
  auto choice = choose_view(manifest, facts);
  Observed observed;
  observed.findings = std::move(choice.findings);
  ComponentFacts components;
  components.dataset = text_output(context, "dataset", "dataset_id");
  components.lookup = text_output(context, "dataset", "names_dataset_id");
  switch (choice.origin) {
    case ViewOrigin::Unclear:
      observed.guides[kViewInUse] = std::move(choice.guide);
      // Nothing is made and nothing is looked for inside until it is clear which view is meant.
      for (const auto& resource : desired_view(manifest)) {
        if (resource.key != kViewInUse) observed.resources.push_back(resource);
      }
      return observed;
    case ViewOrigin::ToBeMade:
      observed.resources.push_back({kViewInUse, {{"data_view", Value(declared)}}, "", {}});
      observed.guides[kViewShell] = {fmt::format("no data view of connection {} is named '{}'", connection, declared),
                                     {}};
      components.view = fmt::format("'{}' (its id is known after apply)", declared);
      break;
    case ViewOrigin::Foreign:
    case ViewOrigin::Ours:
      show_view(observed, *choice.view, declared);
      components.view = fmt::format("'{}' ({})", choice.view->name, choice.view->id);
      observed.state = fmt::format("data view {} has {}", components.view,
                                   membership_paths(manifest).name.empty() ? "the dimension" : "both dimensions");
      components.dimensions = TRY(platform::dimensions_of(context.http(), choice.view->id));
      break;
  }
  show_components(observed, manifest, check_components(manifest, components), components.dataset);
  return observed;
}

Result<Observed> DataViewStage::observe(const ObserveRequest&, ReadContext& context) {
  const auto& manifest = context.manifest();
  Observed observed;
  if (!manifest.analytics) {
    observed.unchecked = "skipped: no analytics in the manifest";
    return observed;
  }
  if (!manifest.analytics->data_view) {
    observed.unchecked = "skipped: no analytics.data_view in the manifest";
    return observed;
  }
  const auto connection = text_output(context, "connection", "connection_id");
  if (connection.empty()) {
    observed.unchecked = fmt::format("waits for: connection '{}'", manifest.analytics->connection);
    return observed;
  }
  auto seen = observe_view(context, connection);
  if (seen.ok()) return seen;
  const auto why = platform::cannot_check(seen.error(), platform::kAnalyticsRights);
  if (!why) return std::move(seen).error();
  observed.unchecked = *why;
  return observed;
}

Result<Applied> DataViewStage::apply(const Change& change, WriteContext& context) {
  if (change.key == kViewShell && change.action == Action::Create) return create_shell(change, context);
  if (change.key == kViewShell && change.action == Action::Update) return rename_shell(change, context);
  return Error(ErrorCode::Internal, "only a person can do " + change.key.text());
}

}  // namespace

StageDescriptor data_view_stage() {
  ResourceRule shell;
  shell.prefix = kViewShell.name;
  shell.fields = {{"connection", Compare::Given}, {"time_zone", Compare::Given}};
  std::vector<ResourceRule> rules{shell};
  for (const auto& key : {kViewInUse, kViewComponents}) {
    ResourceRule by_hand;
    by_hand.prefix = key.name;
    by_hand.missing = Action::Person;
    by_hand.different = Action::Person;
    rules.push_back(std::move(by_hand));
  }
  return {.name = kDataViewStage,
          .summary = "Finds or makes the data view and checks its dimensions; a person adds them.",
          .phase = Phase::Converge,
          .needs = {"dataset", "connection"},
          .rules = rules,
          .desire = desired_view,
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<DataViewStage>()); }};
}

}  // namespace audiencesync
