#include "plugins/export/staging.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/listing.h"

namespace audiencesync {
namespace {

const char* const kRole = "export";

/// By our tags; when nothing is there, once more by name, and then the one we used last by its id: a list that is late
/// or empty by mistake costs a call or two here, and a second dataset otherwise.
Result<std::vector<platform::Dataset>> staging_datasets(const ReadContext& context) {
  const auto& uid = context.manifest().uid;
  auto datasets = TRY(platform::datasets_of(context.http(), uid, kRole));
  if (!datasets.empty()) return datasets;
  datasets = TRY(platform::datasets_named(context.http(), staging_name(uid)));
  const auto foreign = [&](const platform::Dataset& dataset) {
    return platform::our_tag(dataset, "uid") != uid || platform::our_tag(dataset, "role") != kRole;
  };
  std::erase_if(datasets, foreign);
  const auto remembered = TRY(context.records().remembered(uid, kStagingMemory));
  if (const auto* id = remembered.string_if(); id != nullptr && datasets.empty()) {
    auto known = TRY(platform::get_dataset(context.http(), *id));
    if (known && !foreign(*known)) datasets.push_back(std::move(*known));
  }
  return datasets;
}

}  // namespace

std::string staging_name(const std::string& uid) { return "audiencesync export: " + uid; }

Result<Staging> find_staging(ReadContext& context) {
  Staging staging;
  auto datasets = TRY(staging_datasets(context));
  if (datasets.empty()) return staging;
  for (const auto& dataset : datasets) {
    const auto state = platform::our_tag(dataset, "state");
    if (state != context.state_id()) {
      staging.findings.push_back(
          {Severity::Refuse, "staging-foreign",
           fmt::format("staging dataset '{}' ({}) belongs to another state folder ({}) of sync {}; run this sync from "
                       "one place only, or give it another uid",
                       dataset.name, dataset.id, state.empty() ? "none named" : state, context.manifest().uid)});
      return staging;
    }
  }
  staging.dataset = datasets.front();
  if (!platform::is_profile_union(staging.dataset->schema))
    staging.findings.push_back({Severity::Refuse, "staging-schema",
                                fmt::format("staging dataset '{}' ({}) is not on the profile union schema but on {}; "
                                            "remove its tag 'audiencesync', then run apply to have a new one made",
                                            staging.dataset->name, staging.dataset->id, staging.dataset->schema)});
  for (auto other = datasets.begin() + 1; other != datasets.end(); ++other)
    staging.findings.push_back(
        {Severity::Note, "staging-twice",
         fmt::format("dataset '{}' ({}) is a second staging dataset of this sync; {} is used, the other may be deleted",
                     other->name, other->id, staging.dataset->id)});
  return staging;
}

Result<std::string> create_staging(WriteContext& context) {
  const auto& uid = context.manifest().uid;
  const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
    auto datasets = TRY(staging_datasets(context));
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
    dataset.name = staging_name(uid);
    dataset.description = "managed by audiencesync: exports of sync " + uid + "; may be deleted, is made again";
    dataset.schema = std::string(platform::kProfileUnion);
    dataset.tags[std::string(platform::kOurTag)] = platform::our_tags(uid, kRole, context.state_id());
    auto id = TRY(platform::create_dataset(client, dataset));
    return Value(std::move(id));
  };
  const auto made = TRY(context.once({.name = "dataset", .sequence = ""}, find, make));
  const auto id = made.string_if() != nullptr ? *made.string_if() : std::string();
  TRY(platform::await_listing(context, "the staging dataset", [&]() -> Result<bool> {
    const auto datasets = TRY(platform::datasets_of(context.http(), uid, kRole));
    return std::any_of(datasets.begin(), datasets.end(), [&](const auto& dataset) { return dataset.id == id; });
  }));
  return id;
}

}  // namespace audiencesync
