#include "plugins/dataset/names_dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/dataset/target_apply.h"
#include "plugins/dataset/target_view.h"

namespace audiencesync {
namespace {

constexpr const char* kNamesMemory = "names-dataset";
constexpr const char* kNamesOutput = "names_dataset_id";

OwnDataset names_dataset(const Manifest& manifest) {
  return {kNamesRole, manifest.target.names_dataset(), kNamesOutput, "names of audiences of sync " + manifest.uid};
}

Result<std::string> bound_names(const ReadContext& context) {
  const auto remembered = TRY(context.records().remembered(context.manifest().uid, kNamesMemory));
  if (const auto* id = remembered.string_if()) return *id;
  const auto datasets = TRY(own_datasets(context, names_dataset(context.manifest())));
  if (datasets.empty())
    return Error(ErrorCode::Conflict, "the dataset with the names is not listed any more; observing again");
  return datasets.front().id;
}

}  // namespace

Result<void> observe_names_dataset(const ReadContext& context, Observed& observed) {
  const auto& manifest = context.manifest();
  std::optional<platform::Dataset> dataset;
  const auto remembered = TRY(context.records().remembered(manifest.uid, kNamesMemory));
  if (const auto* id = remembered.string_if()) {
    // Asked for twice: what follows is a refusal that wakes somebody.
    dataset = TRY(platform::get_dataset(context.http(), *id));
    if (!dataset) dataset = TRY(platform::get_dataset(context.http(), *id));
    if (!dataset) {
      observed.findings.push_back(
          {Severity::Refuse, "dataset-vanished",
           fmt::format("dataset {} with the names of sync {} was deleted; it is not made again by itself, because the "
                       "ids of components in Customer Journey Analytics carry it: restore it, or give the manifest a "
                       "new uid to start with new datasets",
                       *id, manifest.uid)});
      return {};
    }
  } else {
    const auto datasets = TRY(own_datasets(context, names_dataset(manifest)));
    if (datasets.empty()) return {};
    dataset = datasets.front();
    for (std::size_t i = 1; i < datasets.size(); ++i)
      observed.findings.push_back(
          {Severity::Note, "dataset-twice",
           fmt::format("dataset '{}' ({}) has the tags of this sync's names too; {} is used, the other may be deleted",
                       datasets[i].name, datasets[i].id, dataset->id)});
  }
  const auto state = platform::our_tag(*dataset, "state");
  if (!state.empty() && state != context.state_id())
    observed.findings.push_back(
        {Severity::Refuse, "dataset-other-state",
         fmt::format("dataset '{}' ({}) is written from another state folder ({}); run this sync there, or take it "
                     "over with 'audiencesync state rebuild --take-over'",
                     dataset->name, dataset->id, state)});
  Resource resource{kNamesDataset, {}, dataset->version, {}};
  resource.fields["name"] = Value(dataset->name);
  resource.fields["schema"] = Value(dataset->schema);
  Value::Array tags;
  if (const auto ours = dataset->tags.find(platform::kOurTag); ours != dataset->tags.end() && !state.empty())
    tags = Value::Array(ours->second.begin(), ours->second.end());
  resource.fields["tags"] = Value(std::move(tags));
  observed.resources.push_back(std::move(resource));
  observed.outputs[kNamesOutput] = dataset->id;
  observed.remember[kNamesMemory] = dataset->id;
  return {};
}

Result<Applied> create_names_dataset(const Change& change, WriteContext& context) {
  return create_own_dataset(change, context, names_dataset(context.manifest()));
}

Result<Applied> update_names_dataset(const Change& change, WriteContext& context) {
  const auto id = TRY(bound_names(context));
  return update_own_dataset(change, context, names_dataset(context.manifest()), id);
}

}  // namespace audiencesync
