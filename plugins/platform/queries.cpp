#include "plugins/platform/queries.h"

#include <algorithm>

#include "plugins/platform/batches.h"
#include "plugins/platform/call.h"
#include "plugins/platform/redact.h"

namespace audiencesync::platform {
namespace {

const char* const kQueries = "/data/foundation/query/queries";

BatchQuery query_from(const Value& value) {
  BatchQuery query;
  query.id = id_text(value.find("id"));
  query.state = value.text("state");
  query.sql = value.text("effectiveSQL");
  if (query.sql.empty()) {
    if (const auto* request = value.find("request")) query.sql = request->text("sql");
  }
  query.created = time_of(value.find("created"));
  query.made = id_text(value.find_path({"_links", "created_dataset", "id"}));
  for (const auto& error : value.items("errors")) {
    if (!query.reasons.empty()) query.reasons += "; ";
    query.reasons += id_text(error.find("code")) + ": " + redacted(error.text("message"));
    query.own_fault = query.own_fault || error.text("errorType") == "SYSTEM_ERROR";
  }
  if (query.reasons.empty()) query.reasons = "no reason given";
  return query;
}

}  // namespace

bool is_over(const BatchQuery& query) { return query.state != "SUBMITTED" && query.state != "IN_PROGRESS"; }
bool has_succeeded(const BatchQuery& query) { return query.state == "SUCCESS"; }

bool denies_batch_queries(std::string_view reasons) {
  const auto text = ascii_lower(reasons);
  const auto says = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  for (const auto* word : {"42501", "entitle", "distiller", "licen", "compute hour", "not provisioned"}) {
    if (says(word)) return true;
  }
  const bool statement = says("ctas") || says("itas") || says("create table") || says("insert") || says("batch quer");
  return statement && (says("0a000") || says("not enabled") || says("not allowed") || says("not available") ||
                       says("disabled") || says("not supported"));
}

Error no_batch_queries(const std::string& reasons) {
  return Error(ErrorCode::Unsupported,
               "the organisation may not run batch queries (CREATE TABLE AS, INSERT INTO need the Data Distiller "
               "licence); write engine: local, which compares on this machine: " +
                   reasons);
}

Result<std::optional<BatchQuery>> get_query(http::ReadClient& client, const std::string& id) {
  auto answer =
      TRY(read_json_if_there(client, get(std::string(kQueries) + "/" + http::encode_segment(id))).in("query " + id));
  if (answer.is_null()) return std::optional<BatchQuery>();
  return std::optional<BatchQuery>(query_from(answer));
}

Result<std::vector<BatchQuery>> queries_with(http::ReadClient& client, const std::string& marker) {
  const auto answer =
      TRY(read_json(client, get(kQueries, {{"orderby", "-created"}, {"limit", "100"}, {"property", "sql~" + marker}}))
              .in("queries"));
  std::vector<BatchQuery> queries;
  for (const auto& entry : answer.items("queries")) {
    auto query = query_from(entry);
    // The filter is the platform's; what it means by "contains" is for us to check.
    if (query.sql.find(marker) != std::string::npos) queries.push_back(std::move(query));
  }
  return queries;
}

Result<BatchQuery> post_query(http::WriteClient& client, const std::string& sandbox, const std::string& sql) {
  const Value body = Value::Object{{"dbName", sandbox + ":all"}, {"sql", sql}};
  auto request = send(http::Method::Post, kQueries, body, http::Repeat::Once);
  auto answer = write_json(client, request);
  if (!answer.ok()) {
    const auto text = answer.error().text();
    if (denies_batch_queries(text)) return no_batch_queries(redacted(text));
    return std::move(answer).error().in("post query");
  }
  auto query = query_from(*answer);
  if (query.id.empty()) return Error(ErrorCode::Unknown, "the platform took a query and named no id");
  return query;
}

Result<std::vector<Batch>> batches_of_query(http::ReadClient& client, const std::string& dataset,
                                            const std::string& query) {
  auto batches = TRY(batches_of(client, dataset));
  std::erase_if(batches, [&](const Batch& batch) {
    const auto& ids = batch.tag("queryId");
    return std::find(ids.begin(), ids.end(), query) == ids.end();
  });
  return batches;
}

}  // namespace audiencesync::platform
