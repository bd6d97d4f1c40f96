#include "emulator/query/queries.h"

#include <algorithm>

#include "emulator/data/errors.h"
#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

constexpr const char* kQueryBase = "/data/foundation/query/queries";
constexpr const char* kQueryKind = "query";

bool is_over(const Json& query) {
  const std::string state = query.value("state", "");
  return state != "SUBMITTED" && state != "IN_PROGRESS";
}

/// The statement with the values of $name in their places, as they are: the platform checks nothing either.
std::string with_parameters(const std::string& sql, const Json& parameters) {
  std::string out;
  std::size_t done = 0;
  for (const SqlToken& token : sql_tokens(sql)) {
    if (token.kind != SqlToken::Kind::Dollar || !parameters.contains(token.text.substr(1))) continue;
    const Json& value = parameters[token.text.substr(1)];
    out += sql.substr(done, token.begin - done) + (value.is_string() ? value.get<std::string>() : value.dump());
    done = token.end;
  }
  return out + sql.substr(done);
}

Json shown_query(Json query) {
  const std::string self = std::string(kQueryBase) + "/" + query.value("id", "");
  Json& links = query["_links"];
  links["self"] = {{"href", self}, {"method", "GET"}};
  links["soft_delete"] = {{"href", self}, {"method", "PATCH"}, {"body", R"({ "op": "soft_delete"})"}};
  links["cancel"] = {{"href", self}, {"method", "PATCH"}, {"body", R"({ "op": "cancel"})"}};
  query.erase("_emulator");
  return query;
}

Json dataset_link(const std::string& id) { return {{"id", id}, {"href", "/data/foundation/catalog/dataSets/" + id}}; }

}  // namespace

void Queries::add_routes(Router& router) {
  const std::string base = kQueryBase;
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("PATCH", base + "/{id}", checked([this](const Request& r) { return change(r); }));
}

std::string Queries::effective_sql(const Json& body) const {
  std::string sql = body.value("sql", "");
  if (sql.empty() && body.contains("templateId")) {
    const Json* known = core_.platform.objects.find("query_template", body["templateId"].get<std::string>());
    if (known == nullptr) throw query_failure(400, "templateId: there is no such template");
    sql = (*known)["sql"];
  }
  if (sql.empty()) throw query_failure(400, "sql or templateId is required");
  sql = with_parameters(sql, body.value("queryParameters", Json::object()));
  const auto quoted = [](const std::string& name) { return "`" + name + "`"; };
  if (body.contains("ctasParameters")) {
    const Json& terms = body["ctasParameters"];
    std::string head = "CREATE TABLE " + quoted(terms.value("datasetName", ""));
    if (const std::string title = terms.value("targetSchemaTitle", ""); !title.empty()) {
      std::string escaped;
      for (const char c : title) escaped += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
      head += " WITH (schema='" + escaped + "')";
    }
    return head + " AS " + sql;
  }
  if (body.contains("insertIntoParameters"))
    return "INSERT INTO " + quoted(body["insertIntoParameters"].value("datasetName", "")) + " " + sql;
  return sql;
}

Response Queries::create(const Request& request) {
  const Json body = json_body(request, query_failure(400, "the body is not JSON"));
  if (!body.is_object()) throw query_failure(400, "the body must be an object");
  Platform& platform = core_.platform;
  const auto lock = platform.objects.lock();
  if (!body.value("dbName", "").starts_with(platform.identity.sandbox + ":all"))
    throw query_failure(400, "dbName must be " + platform.identity.sandbox + ":all");
  std::string sql;
  std::vector<SqlToken> words;
  try {
    sql = effective_sql(body);
    words = sql_tokens(sql);
  } catch (const SqlFailure& failure) {
    throw query_failure(400, failure.what());
  }
  const bool ctas = words.size() > 2 && words[0].is_word("CREATE") && words[1].is_word("TABLE");
  const bool insert = words[0].is_word("INSERT");
  if ((ctas || insert) && !platform.settings.query_batch)
    throw query_failure(400, "batch queries (CREATE TABLE AS SELECT, INSERT INTO) need the Data Distiller entitlement");
  // Times tell queries apart when they are paged, so no two have the same.
  std::int64_t now = platform.clock.now_ms();
  const Json* last = platform.objects.find("query_time", "last");
  if (last != nullptr) now = std::max(now, (*last)["ms"].get<std::int64_t>() + 1);
  platform.objects.put("query_time", "last", {{"ms", now}});
  const std::string id = platform.new_uuid(kQueryKind);
  Json query{{"id", id},
             {"request", body},
             {"state", "SUBMITTED"},
             {"rowCount", 0},
             {"elapsedTime", 0},
             {"errors", Json::array()},
             {"isCTAS", ctas},
             {"isInsertInto", insert},
             {"effectiveSQL", sql},
             {"client", "API"},
             {"created", iso8601(now)},
             {"updated", iso8601(now)},
             {"userId", platform.identity.client_id},
             {"version", 1},
             {"_links", {{"referenced_datasets", Json::array()}}},
             {"_emulator", {{"created", now}}}};
  platform.objects.put(kQueryKind, id, query);
  const std::int64_t due = platform.clock.now_ms() + platform.settings.query_delay.count() / 2;
  jobs_.at(due, [this, id] { start(id); });
  return Response::json(202, shown_query(query));
}

void Queries::update(const std::string& id, const std::function<void(Json&)>& change) {
  Platform& platform = core_.platform;
  const auto lock = platform.objects.lock();
  const Json* known = platform.objects.find(kQueryKind, id);
  if (known == nullptr) return;
  Json query = *known;
  change(query);
  query["updated"] = iso8601(platform.clock.now_ms());
  platform.objects.put(kQueryKind, id, std::move(query));
}

void Queries::start(const std::string& id) {
  std::int64_t due = 0;
  bool wanted = false;
  update(id, [&](Json& query) {
    wanted = !is_over(query);
    if (!wanted) return;
    query["state"] = "IN_PROGRESS";
    due = core_.platform.clock.now_ms() + core_.platform.settings.query_delay.count() / 2;
  });
  if (wanted) jobs_.at(due, [this, id] { run(id); });
}

void Queries::run(const std::string& id) {
  std::string sql;
  QuerySession session(core_, QueryMode::Batch);
  {
    // Both at once: whoever cancels finds the query either waiting or running.
    const auto lock = core_.platform.objects.lock();
    const Json* query = core_.platform.objects.find(kQueryKind, id);
    if (query == nullptr || is_over(*query)) return;
    sql = (*query)["effectiveSQL"];
    const std::lock_guard guard(mutex_);
    running_[id] = &session;
  }
  Json facts{{"state", "SUCCESS"}, {"rowCount", 0}};
  try {
    const SqlStatement statement = session.parse(sql);
    facts["datasets"] = statement.query.datasets;
    const auto result = session.execute(statement, id);
    std::uint64_t rows = 0;
    for (std::vector<Cell> row; result->next(row);) ++rows;
    const std::string tag = result->tag();
    if (tag.starts_with("INSERT 0 ")) rows = std::stoull(tag.substr(9));
    if (statement.kind == SqlStatement::Kind::CreateTable) {
      facts["made"] = session.made_dataset();
      rows = 0;
      const auto lock = core_.platform.objects.lock();
      for (const auto& [name, batch] : core_.platform.objects.all("batch"))
        if (batch["tags"].value("queryId", Json::array()) == Json::array({id})) rows = batch.value("recordCount", rows);
    }
    facts["rowCount"] = rows;
  } catch (const SqlFailure& failure) {
    const bool ours = failure.state.starts_with("58");
    facts["state"] = failure.state == "57014" ? "KILLED" : "FAILED";
    facts["errors"] = Json::array(
        {{{"code", failure.state}, {"message", failure.what()}, {"errorType", ours ? "SYSTEM_ERROR" : "USER_ERROR"}}});
  }
  {
    const std::lock_guard guard(mutex_);
    running_.erase(id);
  }
  finish(id, facts);
}

void Queries::finish(const std::string& id, const Json& facts) {
  update(id, [&](Json& query) {
    query["state"] = facts["state"];
    query["rowCount"] = facts.value("rowCount", Json(0));
    query["errors"] = facts.value("errors", Json::array());
    query["elapsedTime"] = core_.platform.clock.now_ms() - query["_emulator"].value("created", std::int64_t{0});
    for (const Json& dataset : facts.value("datasets", Json::array()))
      query["_links"]["referenced_datasets"].push_back(dataset_link(dataset));
    if (facts.contains("made")) query["_links"]["created_dataset"] = dataset_link(facts["made"]);
  });
}

Response Queries::list(const Request& request) {
  const bool hide_deleted = request.query_value("excludeSoftDeleted").value_or("true") != "false";
  const auto lock = core_.platform.objects.lock();
  std::vector<Json> all;
  for (const auto& [id, query] : core_.platform.objects.all(kQueryKind))
    if (!hide_deleted || !query["_emulator"].value("deleted", false)) all.push_back(shown_query(query));
  return Response::json(200, query_page(request, std::move(all), "queries", kQueryBase));
}

Response Queries::one(const Request& request) {
  const auto lock = core_.platform.objects.lock();
  const Json* query = core_.platform.objects.find(kQueryKind, request.parameter("id"));
  if (query == nullptr) throw query_failure(404, "there is no query '" + request.parameter("id") + "'");
  return Response::json(200, shown_query(*query));
}

Response Queries::change(const Request& request) {
  const Json body = json_body(request, query_failure(400, "the body is not JSON"));
  const std::string& id = request.parameter("id");
  const std::string operation = body.is_object() ? body.value("op", "") : "";
  if (operation != "cancel" && operation != "soft_delete")
    throw query_failure(400, "op: '" + operation + "' is neither cancel nor soft_delete");
  const auto lock = core_.platform.objects.lock();
  const Json* query = core_.platform.objects.find(kQueryKind, id);
  if (query == nullptr) throw query_failure(404, "there is no query '" + id + "'");
  const bool over = is_over(*query);
  if (operation == "cancel") {
    if (over) throw query_failure(409, "the query is " + query->value("state", "") + " and cannot be cancelled");
    const std::lock_guard guard(mutex_);
    if (const auto running = running_.find(id); running != running_.end())
      running->second->cancel();  // its thread writes down that it was killed, unless it had just ended
    else
      update(id, [](Json& one) { one["state"] = "KILLED"; });
  } else {
    if (!over) throw query_failure(409, "the query is " + query->value("state", "") + "; cancel it first");
    update(id, [](Json& one) { one["_emulator"]["deleted"] = true; });
  }
  return Response::json(202, {{"message", operation + " accepted"}, {"statusCode", 202}});
}

void Queries::resume() {
  const auto lock = core_.platform.objects.lock();
  std::vector<std::string> open;
  for (const auto& [id, query] : core_.platform.objects.all(kQueryKind))
    if (!is_over(query)) open.push_back(id);
  for (const std::string& id : open) {
    std::optional<Json> written;
    for (const auto& [name, batch] : core_.platform.objects.all("batch"))
      if (batch["tags"].value("queryId", Json::array()) == Json::array({id}) &&
          Lake::is_live(batch.value("status", "")))
        written = batch;
    if (!written) {
      jobs_.at(core_.platform.clock.now_ms(), [this, id] { start(id); });
      continue;
    }
    Json facts{{"state", "SUCCESS"}, {"rowCount", (*written)["recordCount"]}};
    const Json* query = core_.platform.objects.find(kQueryKind, id);
    if (query->value("isCTAS", false)) facts["made"] = Lake::dataset_of(*written);
    finish(id, facts);
  }
}

void Queries::cancel_running() {
  const std::lock_guard guard(mutex_);
  for (auto& [id, session] : running_) session->end();
}

}  // namespace emulator
