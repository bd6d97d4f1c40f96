#include "plugins/dataset/dataset_stage.h"

#include <algorithm>

#include "plugins/dataset/names_dataset.h"
#include "plugins/dataset/target_apply.h"
#include "plugins/dataset/target_view.h"
#include "plugins/platform/schema_registry.h"

namespace audiencesync {
namespace {

class DatasetStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override;
  Result<Applied> apply(const Change& change, WriteContext& context) override;
};

std::vector<Resource> desired_dataset(const Manifest& manifest) {
  Resource target;
  target.key = {"dataset", "target"};
  target.fields["name"] = Value(manifest.target.dataset);
  target.fields["schema"] = Ref{"schema", "schema_id"};
  target.fields["tags"] = Value(Value::Array{"uid:" + manifest.uid, std::string("role:") + kTargetRole});
  if (!manifest.target.name_lookup) return {target};
  Resource names;
  names.key = kNamesDataset;
  names.fields["name"] = Value(manifest.target.names_dataset());
  names.fields["schema"] = Ref{"schema", "names_schema_id"};
  names.fields["tags"] = Value(Value::Array{"uid:" + manifest.uid, std::string("role:") + kNamesRole});
  return {target, names};
}

std::string known_output(const ReadContext& context, const char* name) {
  const auto value = context.output({"schema", name});
  if (!value || value->string_if() == nullptr) return {};
  return *value->string_if();
}

/// A schema that is not ours serves when it has our field group and identifies people in the same way.
Result<SchemaFit> fit_of(const ReadContext& context, const platform::Dataset& dataset) {
  const auto schema_id = known_output(context, "schema_id");
  const auto group_id = known_output(context, "field_group_id");
  if (!schema_id.empty() && dataset.schema == schema_id) return SchemaFit::Ours;
  if (group_id.empty() || dataset.schema.empty()) return SchemaFit::Foreign;
  const auto schema = TRY(platform::registry_get(context.http(), platform::RegistryKind::Schemas, dataset.schema));
  const auto& parts = schema.items("allOf");
  const bool has_group =
      std::any_of(parts.begin(), parts.end(), [&](const Value& part) { return part.text("$ref") == group_id; });
  if (!has_group) return SchemaFit::Foreign;
  const auto descriptors = TRY(platform::identity_descriptors(context.http(), dataset.schema));
  const bool identified = std::any_of(descriptors.begin(), descriptors.end(), [&](const auto& descriptor) {
    return descriptor.primary && descriptor.property == "/personID" &&
           descriptor.identity_namespace == context.manifest().identity.namespace_code;
  });
  return identified ? SchemaFit::Compatible : SchemaFit::Foreign;
}

/// A known id that answers "not found" is asked for twice: what follows is a refusal that wakes somebody.
Result<std::optional<platform::Dataset>> get_surely(http::ReadClient& client, const std::string& id) {
  auto dataset = TRY(platform::get_dataset(client, id));
  if (!dataset) dataset = TRY(platform::get_dataset(client, id));
  return dataset;
}

Result<void> find_by_tags(const ReadContext& context, TargetFacts& facts) {
  auto datasets = TRY(target_datasets(context));
  if (!datasets.empty()) {
    facts.dataset = datasets.front();
    facts.others.assign(datasets.begin() + 1, datasets.end());
    return {};
  }
  const auto namesakes = TRY(platform::datasets_named(context.http(), context.manifest().target.dataset));
  if (!namesakes.empty()) facts.namesake = namesakes.front();
  return {};
}

Result<Observed> DatasetStage::observe(const ObserveRequest& request, ReadContext& context) {
  const auto& manifest = context.manifest();
  TargetFacts facts;
  facts.state_id = context.state_id();
  facts.take_over = request.read_back == ReadBackWish::TakeOver ? TakeOver::Yes : TakeOver::No;
  const auto remembered = TRY(context.records().remembered(manifest.uid, "dataset"));
  if (const auto* id = remembered.string_if()) {
    facts.found_by = FoundBy::Remembered;
    facts.id = *id;
  } else if (manifest.target.dataset_id) {
    facts.found_by = FoundBy::DatasetId;
    facts.id = *manifest.target.dataset_id;
  }
  if (facts.id.empty()) {
    TRY(find_by_tags(context, facts));
  } else {
    facts.dataset = TRY(get_surely(context.http(), facts.id));
  }
  if (facts.dataset) facts.fit = TRY(fit_of(context, *facts.dataset));
  auto observed = view_target(manifest, facts);
  if (manifest.target.name_lookup) TRY(observe_names_dataset(context, observed));
  if (facts.found_by == FoundBy::Remembered && manifest.target.dataset_id && *manifest.target.dataset_id != facts.id)
    observed.findings.push_back({Severity::Refuse, "dataset-moved",
                                 manifest.file + ": target.dataset_id is " + *manifest.target.dataset_id +
                                     ", but sync " + manifest.uid + " writes to " + facts.id +
                                     " already; moving is not in this version: put the old id back, or give the "
                                     "manifest a new uid"});
  return observed;
}

Result<Applied> DatasetStage::apply(const Change& change, WriteContext& context) {
  if (change.key == kNamesDataset && change.action == Action::Create) return create_names_dataset(change, context);
  if (change.key == kNamesDataset && change.action == Action::Update) return update_names_dataset(change, context);
  if (change.action == Action::Create) return create_target(change, context);
  if (change.action == Action::Update) return update_target(change, context);
  return Error(ErrorCode::Internal, "the dataset stage cannot apply " + change.key.text());
}

}  // namespace

StageDescriptor dataset_stage() {
  ResourceRule target;
  target.prefix = "target";
  target.fields = {{"schema", Compare::Given}, {"tags", Compare::Contains}};
  ResourceRule names;
  names.prefix = kNamesDataset.name;
  names.fields = {{"schema", Compare::Given}, {"tags", Compare::Contains}};
  return {.name = "dataset",
          .summary = "Makes the target dataset, and one for names, and keeps their names and tags as declared.",
          .phase = Phase::Converge,
          .needs = {"schema"},
          .rules = {target, names},
          .desire = desired_dataset,
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<DatasetStage>()); }};
}

}  // namespace audiencesync
