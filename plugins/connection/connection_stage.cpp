#include "plugins/connection/connection_stage.h"

#include <algorithm>

#include "plugins/connection/connection_view.h"
#include "plugins/connection/membership_entry.h"
#include "plugins/connection/names_entry.h"
#include "plugins/platform/analytics_access.h"
#include "plugins/platform/analytics_list.h"

namespace audiencesync {
namespace {

class ConnectionStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override;
  Result<Applied> apply(const Change& change, WriteContext& context) override;
};

std::vector<Resource> desired_entry(const Manifest& manifest) {
  Resource entry;
  entry.key = kConnectedDataset;
  entry.fields["dataset"] = Ref{"dataset", "dataset_id"};
  entry.fields["person_id"] = Value(kPersonIdField);
  entry.fields["namespace"] = Value(manifest.identity.namespace_code);
  entry.fields["streaming"] = Value(true);
  if (manifest.target.name_lookup) return {entry, wanted_names_entry(manifest)};
  return {entry};
}

std::string known_dataset(const ReadContext& context, const char* output = "dataset_id") {
  const auto value = context.output({"dataset", output});
  if (!value.ok() || value.value().string_if() == nullptr) return {};
  return *value.value().string_if();
}

/// When the first records of ours were proven to be in the dataset: a backfill must reach that far.
Result<std::optional<Time>> first_written(const ReadContext& context, const std::string& dataset) {
  std::optional<Time> first;
  // The relation that the membership stage writes for analytics.
  const auto batches = TRY(context.records().batches(context.manifest().uid + "/analytics"));
  for (const auto& batch : batches) {
    if (batch.dataset == dataset && (!first || batch.proven < *first)) first = batch.proven;
  }
  return first;
}

/// One call in a settled world: the connections that hold the dataset. All of them are read only to find the declared
/// one elsewhere.
Result<ConnectionFacts> look(const ReadContext& context, const std::string& dataset) {
  ConnectionFacts facts;
  facts.dataset = dataset;
  facts.names = known_dataset(context, "names_dataset_id");
  if (!dataset.empty()) {
    facts.first_written = TRY(first_written(context, dataset));
    facts.holding = TRY(platform::connections_with(context.http(), dataset));
  }
  const auto& analytics = context.manifest().analytics;
  if (analytics && meant_by(analytics->connection, facts.holding).empty())
    facts.all = TRY(platform::all_connections(context.http()));
  return facts;
}

Result<Observed> ConnectionStage::observe(const ObserveRequest&, ReadContext& context) {
  auto facts = look(context, known_dataset(context));
  if (facts.ok()) return view_connection(context.manifest(), *facts);
  const auto why = platform::cannot_check(facts.error(), platform::kAnalyticsRights);
  if (!why) return std::move(facts).error();
  Observed observed;
  observed.unchecked = *why;
  const auto& analytics = context.manifest().analytics;
  if (analytics && platform::is_connection_id(analytics->connection))
    observed.outputs["connection_id"] = platform::connection_id(analytics->connection);
  return observed;
}

Result<Applied> ConnectionStage::apply(const Change& change, WriteContext&) {
  return Error(ErrorCode::Internal, "only a person can do " + change.key.text());
}

}  // namespace

StageDescriptor connection_stage() {
  ResourceRule entry;
  entry.prefix = kConnectedDataset.name;
  entry.missing = Action::Person;
  entry.different = Action::Person;
  ResourceRule names;
  names.prefix = kConnectedNames.name;
  names.missing = Action::Person;
  names.different = Action::Person;
  return {.name = kConnectedDataset.stage,
          .summary = "Checks that a connection of Customer Journey Analytics has the dataset; a person adds it.",
          .phase = Phase::Converge,
          .needs = {"dataset"},
          .rules = {entry, names},
          .desire = desired_entry,
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<ConnectionStage>()); }};
}

}  // namespace audiencesync
