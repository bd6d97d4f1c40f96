#include "plugins/dataset/target_apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/dataset/target_view.h"
#include "plugins/platform/listing.h"

namespace audiencesync {
namespace {

Result<std::string> field_of(const Change& change, std::string_view name) {
  const auto found = change.after.find(name);
  if (found != change.after.end())
    if (const auto* value = std::get_if<Value>(&found->second))
      if (const auto* text = value->string_if()) return *text;
  return Error(ErrorCode::Internal, fmt::format("{} without its field '{}'", change.key.text(), name));
}

OwnDataset target_dataset(const Manifest& manifest) {
  return {kTargetRole, manifest.target.dataset, "dataset_id", "audience memberships of sync " + manifest.uid};
}

Applied applied_dataset(const OwnDataset& which, const std::string& id, const std::string& version) {
  Applied applied;
  applied.outputs[which.output] = id;
  applied.proof.version = version;
  return applied;
}

/// Which dataset an update means: the one that this sync is bound to, else the one that it is to take over.
Result<std::string> bound_dataset(const ReadContext& context) {
  const auto& manifest = context.manifest();
  const auto remembered = TRY(context.records().remembered(manifest.uid, "dataset"));
  if (const auto* id = remembered.string_if()) return *id;
  if (manifest.target.dataset_id) return *manifest.target.dataset_id;
  const auto datasets = TRY(target_datasets(context));
  if (datasets.empty()) return Error(ErrorCode::Conflict, "the target dataset is not listed any more; observing again");
  return datasets.front().id;
}

/// What still has to be written; empty when the dataset is as wanted.
platform::DatasetPatch patch_for(const platform::Dataset& dataset, const std::string& name,
                                 const platform::Tags& tags) {
  platform::DatasetPatch patch;
  if (dataset.name != name) patch.name = name;
  if (dataset.tags != tags) patch.tags = tags;
  return patch;
}

bool is_empty(const platform::DatasetPatch& patch) { return !patch.name && !patch.tags; }

}  // namespace

Result<std::vector<platform::Dataset>> target_datasets(const ReadContext& context) {
  return own_datasets(context, target_dataset(context.manifest()));
}

Result<Applied> create_target(const Change& change, WriteContext& context) {
  return create_own_dataset(change, context, target_dataset(context.manifest()));
}

Result<Applied> update_target(const Change& change, WriteContext& context) {
  const auto id = TRY(bound_dataset(context));
  return update_own_dataset(change, context, target_dataset(context.manifest()), id);
}

Result<std::vector<platform::Dataset>> own_datasets(const ReadContext& context, const OwnDataset& which) {
  const auto& manifest = context.manifest();
  auto datasets = TRY(platform::datasets_of(context.http(), manifest.uid, which.role));
  if (!datasets.empty()) return datasets;
  datasets = TRY(platform::datasets_named(context.http(), which.name));
  std::erase_if(datasets, [&](const platform::Dataset& dataset) {
    return platform::our_tag(dataset, "uid") != manifest.uid || platform::our_tag(dataset, "role") != which.role;
  });
  return datasets;
}

Result<Applied> create_own_dataset(const Change& change, WriteContext& context, const OwnDataset& which) {
  const auto uid = context.manifest().uid;
  const auto name = TRY(field_of(change, "name"));
  const auto schema = TRY(field_of(change, "schema"));
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    auto datasets = TRY(own_datasets(context, which));
    std::erase_if(datasets,
                  [&](const auto& dataset) { return platform::our_tag(dataset, "state") != context.state_id(); });
    if (datasets.empty()) return std::optional<Value>();
    if (datasets.size() > 1)
      context.events().warn("dataset.twice", {{"adopted", datasets.front().id},
                                              {"other", datasets[1].id},
                                              {"goes_on", "with the oldest; the other may be deleted"}});
    return std::optional<Value>(datasets.front().id);
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    platform::NewDataset dataset;
    dataset.name = name;
    dataset.description = "managed by audiencesync: " + which.holds;
    dataset.schema = schema;
    dataset.tags = tags_with_ours({}, uid, context.state_id(), which.role);
    auto id = TRY(platform::create_dataset(client, dataset));
    return Value(std::move(id));
  };
  const auto made = TRY(context.once({.name = "dataset", .sequence = ""}, find, make));
  const auto id = made.string_if() != nullptr ? *made.string_if() : std::string();
  TRY(platform::await_listing(context, "the " + std::string(which.role) + " dataset", [&]() -> Result<bool> {
    const auto datasets = TRY(platform::datasets_of(context.http(), uid, which.role));
    return std::any_of(datasets.begin(), datasets.end(), [&](const auto& dataset) { return dataset.id == id; });
  }));
  return applied_dataset(which, id, id);
}

Result<Applied> update_own_dataset(const Change& change, WriteContext& context, const OwnDataset& which,
                                   const std::string& id) {
  const auto name = TRY(field_of(change, "name"));
  const auto current = [&]() -> Result<platform::Dataset> {
    auto dataset = TRY(platform::get_dataset(context.http(), id));
    if (!dataset)
      return Error(ErrorCode::Conflict, fmt::format("dataset {} does not exist any more; observing again", id));
    return *dataset;
  };
  const auto dataset = TRY(current());
  const auto tags = tags_with_ours(dataset.tags, context.manifest().uid, context.state_id(), which.role);
  const auto patch = patch_for(dataset, name, tags);
  if (is_empty(patch)) return applied_dataset(which, id, dataset.version);
  if (!change.expected_version.empty() && dataset.version != change.expected_version)
    return Error(ErrorCode::Conflict,
                 fmt::format("the platform holds version {} of dataset {} and we planned against {}; observing again",
                             dataset.version, id, change.expected_version));
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    const auto now = TRY(current());
    const auto rest =
        patch_for(now, name, tags_with_ours(now.tags, context.manifest().uid, context.state_id(), which.role));
    return is_empty(rest) ? std::optional<Value>(true) : std::optional<Value>();
  };
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    TRY(platform::patch_dataset(client, id, patch));
    return Value(true);
  };
  TRY(context.once({.name = "patch", .sequence = ""}, find, make));
  const auto after = TRY(current());
  return applied_dataset(which, id, after.version);
}

}  // namespace audiencesync
