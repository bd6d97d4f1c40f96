#include "plugins/connection/names_entry.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/connection/membership_entry.h"

namespace audiencesync {
namespace {

constexpr const char* kKey = "_id";

// The field of the records whose value is the key of a name.
std::string matching_key(const Manifest& manifest) {
  return fmt::format("{}.{}audienceMembershipId", manifest.tenant,
                     manifest.target.layout == Layout::Person ? "audienceMembership." : "");
}

std::string place_of(const platform::Connection* connection) {
  if (connection == nullptr) return "Edit on the connection you report on";
  return named(*connection) + " > Edit";
}

std::vector<std::string> steps(const Manifest& manifest, const std::string& dataset,
                               const platform::Connection* connection, const char* act) {
  const auto name = manifest.target.names_dataset();
  return {fmt::format("in Customer Journey Analytics: Data management > Connections > {}", place_of(connection)),
          fmt::format(fmt::runtime(act), dataset.empty() ? fmt::format("'{}' (its id is known after apply)", name)
                                                         : fmt::format("{} ('{}')", dataset, name)),
          fmt::format("Dataset type: Lookup; Key: {}; Matching key: {}", kKey, matching_key(manifest)),
          "Data source type: CRM data",
          "Import all new data: on; Backfill all existing data: on",
          "Add datasets > Save",
          fmt::format("the next run checks it; or look at once: audiencesync plan {}", manifest.file)};
}

// What is wrong with the entry; "" when it is as it must be.
std::string problem_of(const Manifest& manifest, const platform::ConnectedDataset& entry) {
  if (entry.type != "lookup") return fmt::format("it is there as {} data instead of lookup data", entry.type);
  if (entry.key != kKey) return fmt::format("its key is '{}' instead of {}", entry.key, kKey);
  const auto wanted = matching_key(manifest);
  if (std::find(entry.matching_keys.begin(), entry.matching_keys.end(), wanted) == entry.matching_keys.end())
    return fmt::format("its matching key is '{}' instead of {}", fmt::join(entry.matching_keys, ", "), wanted);
  if (!entry.streaming) return "its import of new data is off";
  return {};
}

}  // namespace

Resource wanted_names_entry(const Manifest& manifest) {
  return {kConnectedNames,
          {{"dataset", Ref{"dataset", "names_dataset_id"}},
           {"key", Value(kKey)},
           {"matching_key", Value(matching_key(manifest))},
           {"streaming", Value(true)}},
          "",
          {}};
}

void judge_names_entry(const Manifest& manifest, const std::string& dataset, const platform::Connection* connection,
                       Observed& observed) {
  const auto* entry = connection == nullptr ? nullptr : entry_of(*connection, dataset);
  if (entry == nullptr) {
    observed.guides[kConnectedNames] = {
        "the names of the audiences are not in the connection yet, and no API can add them",
        steps(manifest, dataset, connection, "Add datasets > search for dataset {} > Next")};
    return;
  }
  if (const auto problem = problem_of(manifest, *entry); !problem.empty()) {
    observed.guides[kConnectedNames] = {
        fmt::format("dataset {} with the names of the audiences is in {}, but {}", dataset, named(*connection),
                    problem),
        steps(manifest, dataset, connection, "remove dataset {} from it, then Add datasets > search for it > Next")};
    return;
  }
  auto resource = wanted_names_entry(manifest);
  resource.fields["dataset"] = Value(dataset);
  observed.resources.push_back(std::move(resource));
}

}  // namespace audiencesync
