#include "plugins/platform/connections.h"

#include <algorithm>

#include "plugins/platform/analytics_list.h"
#include "plugins/platform/call.h"
#include "plugins/platform/components.h"

namespace audiencesync::platform {
namespace {

const char* const kConnections = "/data/connections";
// Without them an answer has little more than ids.
const char* const kConnectionExpansion =
    "name,primaryIdType,isDeleted,isDisabled,dataSets,granularStreaming,backfillEnabled,granularBackfills,"
    "backfillsSummaryDataSets,sandboxName,validationErrors";

Backfills backfills_of(const Value& dataset) {
  Backfills counts;
  if (const auto* summary = dataset.find("backfillSummary")) {
    counts.completed = summary->number("completed").value_or(0);
    counts.in_progress = summary->number("inProgress").value_or(0);
    counts.failed = summary->number("failed").value_or(0);
    return counts;
  }
  for (const auto& backfill : dataset.items("backfills")) {
    const auto status = ascii_lower(backfill.text("status"));
    if (status == "completed") ++counts.completed;
    if (status == "failed") ++counts.failed;
    if (status.starts_with("in")) ++counts.in_progress;  // in_progress, inProgress, in_queue
  }
  return counts;
}

ConnectedDataset connected_dataset_from(const Value& value) {
  ConnectedDataset dataset;
  dataset.id = value.text("dataSetId");
  if (dataset.id.empty()) dataset.id = value.text("id");
  dataset.name = value.text("name");
  dataset.type = ascii_lower(value.text("type"));
  dataset.person_id = value.text("visitorId");
  dataset.identity_namespace = value.text("identityNamespace");
  dataset.identity_map = value.flag("identityMap");
  dataset.key = value.text("lookupKeyField");
  for (const auto& parent : texts_of(value.find("lookupParentFields")))
    dataset.matching_keys.push_back(plain_path(parent));
  dataset.streaming = value.flag("streaming");
  dataset.streaming_since = time_of(value.find("streamingEnabledAt"));
  dataset.backfills = backfills_of(value);
  return dataset;
}

Result<std::vector<Connection>> list_connections(http::ReadClient& client, http::Query query) {
  query.emplace_back("expansion", kConnectionExpansion);
  query.emplace_back("cached", "false");
  std::vector<Connection> connections;
  TRY(each_listed(client, "connections", kConnections, std::move(query),
                  [&](const Value& value) { connections.push_back(connection_from(value)); }));
  std::erase_if(connections, [](const Connection& connection) { return connection.id.empty(); });
  std::sort(connections.begin(), connections.end(),
            [](const Connection& left, const Connection& right) { return left.id < right.id; });
  return connections;
}

}  // namespace

Connection connection_from(const Value& value) {
  Connection connection;
  auto id = value.text("id");
  if (id.empty()) id = value.text("idWithoutPrefix");
  connection.id = connection_id(id);
  connection.name = value.text("name");
  connection.sandbox = value.text("sandboxName");
  connection.primary_id = ascii_lower(value.text("primaryIdType"));
  connection.deleted = value.flag("isDeleted");
  connection.disabled = value.flag("isDisabled");
  for (const auto& dataset : value.items("dataSets")) connection.datasets.push_back(connected_dataset_from(dataset));
  for (const auto& problem : value.items("connectionValidationErrors")) {
    auto field = problem.text("missingField");
    if (field.empty()) field = problem.text("disallowedField");
    connection.problems.push_back({problem.text("errorCode"), problem.text("dataSetId"), std::move(field)});
  }
  return connection;
}

Result<std::vector<Connection>> connections_with(http::ReadClient& client, const std::string& dataset) {
  auto connections = TRY(list_connections(client, {{"dataSetIds", dataset}}));
  // A filter that is ignored would make every connection one of ours.
  std::erase_if(connections, [&](const Connection& connection) {
    return std::none_of(connection.datasets.begin(), connection.datasets.end(),
                        [&](const ConnectedDataset& each) { return each.id == dataset; });
  });
  return connections;
}

Result<std::vector<Connection>> all_connections(http::ReadClient& client) { return list_connections(client, {}); }

}  // namespace audiencesync::platform
