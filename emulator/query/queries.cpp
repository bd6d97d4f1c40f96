#include "emulator/query/queries.h"

#include <algorithm>
#include <set>

#include "emulator/data/errors.h"
#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

constexpr const char* kQueryBase = "/data/foundation/query/queries";
constexpr const char* kQueryKind = "query";

constexpr std::size_t kMostHidden = 500;  // statements of sessions that are remembered
constexpr std::size_t kMostShown = 5000;

/// What drivers send by themselves: transactions, cursors, settings, the catalog.
bool is_hidden(const std::string& sql) {
  static const std::set<std::string> kFirst{"BEGIN",      "START",   "COMMIT",  "END",      "ROLLBACK",
                                            "ABORT",      "CLOSE",   "DECLARE", "FETCH",    "MOVE",
                                            "DEALLOCATE", "DISCARD", "RESET",   "SAVEPOINT"};
  try {
    const auto words = sql_tokens(sql);
    if (kFirst.contains(sql_upper(words.front().text))) return true;
    if (words.front().is_word("SHOW") && words.size() > 1 && !words[1].is_word("TABLES")) return true;
    return std::any_of(words.begin(), words.end(), [](const SqlToken& one) {
      return one.is_word("PG_CATALOG") || one.is_word("INFORMATION_SCHEMA");
    });
  } catch (const SqlFailure&) {
    return false;
  }
}

bool is_ctas(const std::vector<SqlToken>& words) {
  return words[0].is_word("CREATE") && words[1].is_word("TABLE") &&
         std::any_of(words.begin(), words.end(), [](const SqlToken& one) { return one.is_word("AS"); });
}

const QueryListing& query_listing() {
  static const char* const kAll = "== != < <= > >= ~";
  static const QueryListing kListing{"queries",
                                     kQueryBase,
                                     {{"created", kAll},
                                      {"updated", kAll},
                                      {"state", kAll},
                                      {"id", kAll},
                                      {"referenced_datasets", "=="},
                                      {"userId", "=="},
                                      {"client", "=="},
                                      {"templateId", "=="},
                                      {"scheduleId", "=="},
                                      {"scheduleRunId", "=="},
                                      {"templateName", "~"},
                                      {"sql", "~"}},
                                     {"created", "updated"}};
  return kListing;
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

/// The description that ctasParameters gave.
void describe_dataset(Platform& platform, const std::string& id, const Json& terms) {
  const Json* found = platform.objects.find("dataset", id);
  if (found == nullptr || terms.value("description", "").empty()) return;
  Json dataset = *found;
  dataset["description"] = terms["description"];
  platform.objects.put("dataset", id, std::move(dataset));
}

Json dataset_link(const std::string& id) { return {{"id", id}, {"href", "/data/foundation/catalog/dataSets/" + id}}; }

}  // namespace

bool Queries::is_over(const Json& query) {
  const std::string state = query.value("state", "");
  return state != "SUBMITTED" && state != "IN_PROGRESS";
}

void Queries::add_routes(Router& router) {
  const std::string base = kQueryBase;
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("PATCH", base + "/{id}", checked([this](const Request& r) { return change(r); }));
}

std::string Queries::effective_sql(const Json& body) const {
  const Platform& platform = core_.platform;
  if (!body.is_object()) throw query_failure(400, "the body must be an object");
  if (!body.value("dbName", "").starts_with(platform.identity.sandbox + ":all"))
    throw query_failure(400, "dbName must be " + platform.identity.sandbox + ":all");
  std::string sql = body.value("sql", "");
  Json parameters = body.value("queryParameters", Json::object());
  if (sql.empty() && body.contains("templateId")) {
    const Json* known = core_.platform.objects.find("query_template", body["templateId"].get<std::string>());
    if (known == nullptr) throw query_failure(400, "templateId: there is no such template");
    sql = (*known)["sql"];
    // The template's own are the defaults.
    Json defaults = known->value("queryParameters", Json::object());
    defaults.update(parameters);
    parameters = std::move(defaults);
  }
  if (sql.empty()) throw query_failure(400, "sql or templateId is required");
  std::vector<SqlToken> words;
  try {
    sql = with_parameters(sql, parameters);
    words = sql_tokens(sql);
  } catch (const SqlFailure& failure) {
    throw query_failure(400, failure.what());
  }
  const bool ctas = body.contains("ctasParameters") || is_ctas(words);
  if ((ctas || body.contains("insertIntoParameters") || words[0].is_word("INSERT")) && !platform.settings.query_batch)
    throw query_failure(400, "batch queries (CREATE TABLE AS SELECT, INSERT INTO) need the Data Distiller entitlement");
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
  const auto lock = core_.platform.objects.lock();
  return Response::json(202, submit(body, Json::object()));
}

Json Queries::base(const std::string& sql, const Json& request) {
  Platform& platform = core_.platform;
  // Times tell queries apart when they are paged, so no two have the same.
  std::int64_t now = platform.clock.now_ms();
  const Json* last = platform.objects.find("query_time", "last");
  if (last != nullptr) now = std::max(now, (*last)["ms"].get<std::int64_t>() + 1);
  platform.objects.put("query_time", "last", {{"ms", now}});
  bool ctas = false;
  bool insert = false;
  try {
    const std::vector<SqlToken> words = sql_tokens(sql);
    ctas = is_ctas(words);
    insert = words[0].is_word("INSERT");
  } catch (const SqlFailure&) {
    // A statement of a session that cannot even be read is listed too.
  }
  return {{"id", platform.new_uuid(kQueryKind)},
          {"request", request},
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
}

Json Queries::submit(const Json& body, const Json& more) {
  Platform& platform = core_.platform;
  Json query = base(effective_sql(body), body);
  query.update(more);
  if (const Json* made = platform.objects.find("query_template", body.value("templateId", "")))
    query["templateName"] = (*made)["name"];
  const std::string id = query["id"];
  platform.objects.put(kQueryKind, id, query);
  const std::int64_t due = platform.clock.now_ms() + platform.settings.query_delay.count() / 2;
  jobs_.at(due, [this, id] { start(id); });
  return shown_query(query);
}

void Queries::keep_few(std::deque<std::string>& ids, std::size_t most, const std::string& id) {
  ids.push_back(id);
  for (; ids.size() > most; ids.pop_front()) {
    const Json* oldest = core_.platform.objects.find(kQueryKind, ids.front());
    if (oldest != nullptr && !is_over(*oldest)) return;
    core_.platform.objects.erase(kQueryKind, ids.front());
  }
}

std::string Queries::session_began(const std::string& sql, const std::string& client, QuerySession& session) {
  const auto lock = core_.platform.objects.lock();
  Json query = base(sql, {{"dbName", core_.platform.identity.sandbox + ":all"}, {"sql", sql}});
  const bool hidden = is_hidden(sql);
  const std::string id = query["id"];
  query["client"] = client;
  query["state"] = "IN_PROGRESS";
  query["_emulator"]["session"] = true;
  query["_emulator"]["hidden"] = hidden;
  core_.platform.objects.put(kQueryKind, id, std::move(query));
  keep_few(hidden ? hidden_ : shown_, hidden ? kMostHidden : kMostShown, id);
  const std::lock_guard guard(mutex_);
  running_[id] = &session;
  return id;
}

void Queries::session_ended(const std::string& id, const Json& facts) {
  {
    const std::lock_guard guard(mutex_);
    running_.erase(id);
  }
  finish(id, facts);
}

Json Queries::success_facts(const std::string& id, const SqlStatement& statement, const std::string& tag,
                            const QuerySession& session) {
  std::uint64_t rows = 0;
  const std::size_t blank = tag.rfind(' ');
  if (blank != std::string::npos && tag.find_first_not_of("0123456789", blank + 1) == std::string::npos)
    rows = std::stoull("0" + tag.substr(blank + 1));
  Json facts{{"state", "SUCCESS"}, {"datasets", statement.query.datasets}};
  if (statement.kind == SqlStatement::Kind::CreateTable) {
    facts["made"] = session.made_dataset();
    rows = 0;
    const auto lock = core_.platform.objects.lock();
    for (const auto& [name, batch] : core_.platform.objects.all("batch"))
      if (batch["tags"].value("queryId", Json::array()) == Json::array({id})) rows = batch.value("recordCount", rows);
  }
  facts["rowCount"] = rows;
  return facts;
}

Json Queries::failure_facts(const SqlFailure& failure, const QuerySession& session) {
  const bool ours = failure.state.starts_with("58");
  const char* state = failure.state == "57014" ? "KILLED" : session.timed_out() ? "TIMEOUT" : "FAILED";
  return {{"state", state},
          {"errors", Json::array({{{"code", failure.state},
                                   {"message", failure.what()},
                                   {"errorType", ours ? "SYSTEM_ERROR" : "USER_ERROR"}}})}};
}

void Queries::update(const std::string& id, const std::function<void(Json&)>& change) {
  Platform& platform = core_.platform;
  const auto lock = platform.objects.lock();
  const Json* known = platform.objects.find(kQueryKind, id);
  if (known == nullptr) return;
  Json query = *known;
  const bool over = is_over(query);
  change(query);
  query["updated"] = iso8601(platform.clock.now_ms());
  platform.objects.put(kQueryKind, id, query);
  if (!over && is_over(query) && ended_) ended_(query);
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
  Json facts;
  try {
    const SqlStatement statement = session.parse(sql);
    if (statement.end < sql.size())
      throw SqlFailure("42601", "a query is one statement; a block $$ BEGIN ... END $$ is several", statement.end);
    const auto result = statement.kind == SqlStatement::Kind::Block ? session.execute_block(statement, sql, id)
                                                                    : session.execute(statement, id);
    std::uint64_t rows = 0;
    for (std::vector<Cell> row; result->next(row);) ++rows;
    const std::string tag = result->tag();
    facts = success_facts(id, statement, tag.starts_with("INSERT") ? tag : "SELECT " + std::to_string(rows), session);
  } catch (const SqlFailure& failure) {
    facts = failure_facts(failure, session);
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
    if (facts.contains("made")) {
      query["_links"]["created_dataset"] = dataset_link(facts["made"]);
      describe_dataset(core_.platform, facts["made"], query["request"].value("ctasParameters", Json::object()));
    }
  });
}

Response Queries::list(const Request& request) {
  const bool hide_deleted = request.query_value("excludeSoftDeleted").value_or("true") != "false";
  const bool hide_hidden = request.query_value("excludeHidden").value_or("true") != "false";
  const auto lock = core_.platform.objects.lock();
  std::vector<Json> all;
  for (const auto& [id, query] : core_.platform.objects.all(kQueryKind)) {
    const Json& facts = query["_emulator"];
    if (hide_deleted && facts.value("deleted", false)) continue;
    if (hide_hidden && facts.value("hidden", false)) continue;
    all.push_back(shown_query(query));
  }
  return Response::json(200, query_page(request, std::move(all), query_listing()));
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
    if (!cancel(id)) throw query_failure(409, "the query is " + query->value("state", "") + " and cannot be cancelled");
  } else {
    if (!over) throw query_failure(409, "the query is " + query->value("state", "") + "; cancel it first");
    update(id, [](Json& one) { one["_emulator"]["deleted"] = true; });
  }
  return Response::json(202, {{"message", operation + " accepted"}, {"statusCode", 202}});
}

bool Queries::cancel(const std::string& id) {
  const Json* query = core_.platform.objects.find(kQueryKind, id);
  if (query == nullptr || is_over(*query)) return false;
  {
    const std::lock_guard guard(mutex_);
    if (const auto running = running_.find(id); running != running_.end()) {
      running->second->cancel();  // its thread writes down that it was killed, unless it had just ended
      return true;
    }
  }
  update(id, [](Json& one) { one["state"] = "KILLED"; });
  return true;
}

void Queries::resume() {
  const auto lock = core_.platform.objects.lock();
  std::vector<std::string> open;
  std::vector<std::pair<std::string, std::string>> of_sessions;  // created, id
  for (const auto& [id, query] : core_.platform.objects.all(kQueryKind)) {
    if (!is_over(query)) open.push_back(id);
    if (query["_emulator"].value("session", false)) of_sessions.emplace_back(query.value("created", ""), id);
  }
  std::sort(of_sessions.begin(), of_sessions.end());
  for (const auto& [created, id] : of_sessions) {
    const bool hidden = (*core_.platform.objects.find(kQueryKind, id))["_emulator"].value("hidden", false);
    (hidden ? hidden_ : shown_).push_back(id);
  }
  for (const std::string& id : open) {
    if ((*core_.platform.objects.find(kQueryKind, id))["_emulator"].value("session", false)) {
      finish(id, {{"state", "FAILED"},
                  {"errors", Json::array({{{"code", "57P01"},
                                           {"message", "the session ended with the emulator"},
                                           {"errorType", "SYSTEM_ERROR"}}})}});
      continue;
    }
    if ((*core_.platform.objects.find(kQueryKind, id)).value("effectiveSQL", "").find("$$") != std::string::npos &&
        (*core_.platform.objects.find(kQueryKind, id))["state"] == "IN_PROGRESS") {
      // Some of its statements are done; to do them again would be wrong.
      finish(id, {{"state", "FAILED"},
                  {"errors", Json::array({{{"code", "57P01"},
                                           {"message", "the emulator stopped while the block ran"},
                                           {"errorType", "SYSTEM_ERROR"}}})}});
      continue;
    }
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
