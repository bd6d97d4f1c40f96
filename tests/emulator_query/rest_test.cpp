#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "emulator/control/recorder.h"
#include "emulator/data/data_plane.h"
#include "emulator/http/uri.h"
#include "emulator/query/query_service.h"
#include "emulator/registry/registry.h"

namespace emulator {
namespace {

/// Query Service behind a router, without sockets.
class QueryRest : public testing::Test {
 protected:
  QueryRest() {
    std::string name = (std::filesystem::temp_directory_path() / "emulator-rest-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    const char* exchanges = std::getenv("AUDIENCESYNC_RECORD");
    const char* judges = std::getenv("AUDIENCESYNC_API_DESCRIPTIONS");
    if (exchanges != nullptr && judges != nullptr && *exchanges != '\0' && *judges != '\0')
      recorder_.emplace(std::filesystem::path(exchanges) / folder_.filename());
    open();
  }
  ~QueryRest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    Identity who;
    who.organization = "ORG@AdobeOrg";
    who.tenant = "_acme";
    who.identity_field = "_acme.identification.core.email";
    platform_.emplace(folder_, who);
    tokens_.emplace(*platform_);
    router_.emplace();
    registry_.emplace(*platform_);
    data_.emplace(*platform_, WorldOptions{.profiles = 10, .audiences = 1, .seed = 1});
    service_.emplace(*platform_, data_->lake(), *tokens_, *router_);
    registry_->add_routes(*router_);
    data_->add_routes(*router_);
    service_->add_routes(*router_);
  }
  void close() {
    service_.reset();
    data_.reset();
    registry_.reset();
    router_.reset();
    tokens_.reset();
    platform_.reset();
  }

  std::pair<int, Json> call(const std::string& method, const std::string& target, const Json& body = Json::object()) {
    Request request;
    request.method = method;
    request.target = target;
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = parse_form(std::string_view(target).substr(question + 1));
    request.headers["content-type"] = "application/json";
    if (method != "GET" && method != "DELETE") request.body = body.dump();
    request.body_bytes = request.body.size();
    const Router::Match match = router_->match(method, request.path);
    request.parameters = match.parameters;
    const auto answer = [&]() -> Response {
      try {
        return (*match.handler)(request);
      } catch (const HttpError& error) {
        return error.response;
      }
    };
    const Response response = answer();
    record(request, response);
    return {response.status, Json::parse(response.body, nullptr, false)};
  }
  /// For the contract suite, as the gateway, which is not here, would have let it through.
  void record(Request request, const Response& response) {
    if (!recorder_) return;
    request.headers.insert({{"authorization", "Bearer ***"},
                            {"x-api-key", "client"},
                            {"x-gw-ims-org-id", platform_->identity.organization},
                            {"x-sandbox-name", platform_->identity.sandbox}});
    if (request.body_bytes > 0) request.headers.emplace("content-length", std::to_string(request.body_bytes));
    recorder_->record(request, Recorder::body_start(request), response);
  }
  Json post(const std::string& sql, const Json& more = Json::object()) {
    Json body{{"dbName", "prod:all"}, {"sql", sql}};
    body.update(more);
    const auto [status, answer] = call("POST", kPath, body);
    EXPECT_EQ(status, 202) << answer;
    return answer;
  }
  /// The query once it is over.
  Json settled(const Json& posted) {
    for (int i = 0; i < 2000; ++i) {
      Json query = call("GET", std::string(kPath) + "/" + posted["id"].get<std::string>()).second;
      if (query["state"] != "SUBMITTED" && query["state"] != "IN_PROGRESS") return query;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "the query never ends";
    return {};
  }

  static constexpr const char* kPath = "/data/foundation/query/queries";
  std::filesystem::path folder_;
  std::optional<Recorder> recorder_;
  std::optional<Platform> platform_;
  std::optional<Tokens> tokens_;
  std::optional<Router> router_;
  std::optional<Registry> registry_;
  std::optional<DataPlane> data_;
  std::optional<QueryService> service_;
};

TEST_F(QueryRest, RunsAPostedQueryAndCountsItsRows) {
  const Json posted = post("SELECT explode(array(1, 2, 3)) -- run:7");
  EXPECT_EQ(posted["state"], "SUBMITTED");
  const Json done = settled(posted);
  EXPECT_EQ(done["state"], "SUCCESS");
  EXPECT_EQ(done["rowCount"], 3);
  const Json found = call("GET", std::string(kPath) + "?property=sql~run:7").second;
  ASSERT_EQ(found["queries"].size(), 1U);
  EXPECT_EQ(found["queries"][0]["id"], posted["id"]);
}

TEST_F(QueryRest, LeavesABatchInTheCatalog) {
  const Json made = settled(post("SELECT 'a' AS id", {{"ctasParameters", {{"datasetName", "made"}}}}));
  ASSERT_EQ(made["state"], "SUCCESS") << made;
  EXPECT_TRUE(made["isCTAS"]);
  const std::string dataset = made["_links"]["created_dataset"]["id"];
  const Json done = settled(post("INSERT INTO made SELECT $v AS id", {{"queryParameters", {{"v", "'b'"}}}}));
  EXPECT_EQ(done["rowCount"], 1) << done;
  const Json batches = call("GET", "/data/foundation/catalog/batches?dataSet=" + dataset).second;
  ASSERT_EQ(batches.size(), 2U);
  for (const auto& [id, batch] : batches.items()) {
    EXPECT_EQ(batch["status"], "success");
    EXPECT_EQ(batch["recordCount"], 1);
  }
}

TEST_F(QueryRest, TellsWhatFailedAndWhoIsToBlame) {
  const Json failed = settled(post("SELECT nothing FROM nowhere"));
  EXPECT_EQ(failed["state"], "FAILED");
  EXPECT_EQ(failed["errors"][0]["code"], "42P01");
  EXPECT_EQ(failed["errors"][0]["errorType"], "USER_ERROR");
  EXPECT_EQ(call("POST", kPath, {{"dbName", "other:all"}, {"sql", "SELECT 1"}}).first, 400);
  EXPECT_EQ(call("POST", kPath, {{"dbName", "prod:all"}}).first, 400);
  EXPECT_EQ(call("GET", std::string(kPath) + "/none").first, 404);
}

TEST_F(QueryRest, RefusesBatchQueriesWithoutTheEntitlement) {
  platform_->settings.query_batch = false;
  const auto [status, answer] = call("POST", kPath, {{"dbName", "prod:all"}, {"sql", "INSERT INTO t SELECT 1"}});
  EXPECT_EQ(status, 400);
  EXPECT_NE(answer.dump().find("Data Distiller"), std::string::npos);
}

TEST_F(QueryRest, WaitsForTheClockAndCanBeCancelledMeanwhile) {
  platform_->settings.query_delay = std::chrono::hours(2);
  const Json first = post("CREATE TABLE never AS SELECT 1 AS a");
  const std::string path = std::string(kPath) + "/" + first["id"].get<std::string>();
  EXPECT_EQ(call("PATCH", path, {{"op", "soft_delete"}}).first, 409);
  EXPECT_EQ(call("PATCH", path, {{"op", "cancel"}}).first, 202);
  EXPECT_EQ(call("PATCH", path, {{"op", "cancel"}}).first, 409);
  const Json second = post("SELECT 1");
  platform_->clock.advance(std::chrono::hours(1));
  while (call("GET", std::string(kPath) + "/" + second["id"].get<std::string>()).second["state"] == "SUBMITTED")
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(call("GET", std::string(kPath) + "/" + second["id"].get<std::string>()).second["state"], "IN_PROGRESS");
  platform_->clock.advance(std::chrono::hours(1));
  EXPECT_EQ(settled(second)["state"], "SUCCESS");
  EXPECT_EQ(settled(first)["state"], "KILLED");
  EXPECT_EQ(call("PATCH", path, {{"op", "soft_delete"}}).first, 202);
  EXPECT_EQ(call("GET", kPath).second["queries"].size(), 1U);
  EXPECT_EQ(call("GET", std::string(kPath) + "?excludeSoftDeleted=false").second["queries"].size(), 2U);
}

TEST_F(QueryRest, ListsPageByPage) {
  for (int i = 0; i < 5; ++i) settled(post("SELECT " + std::to_string(i)));
  std::vector<std::string> seen;
  std::string target = std::string(kPath) + "?orderby=%2Bcreated&limit=2&property=state==SUCCESS";
  while (!target.empty()) {
    const Json page = call("GET", target).second;
    for (const Json& query : page["queries"]) seen.push_back(query["request"]["sql"]);
    target = page["_links"].contains("next") ? page["_links"]["next"]["href"].get<std::string>() : "";
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT 0", "SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"}));
  EXPECT_EQ(call("GET", std::string(kPath) + "?orderby=nonsense").first, 400);
}

TEST_F(QueryRest, TakesUpWhatWasPostedBeforeARestart) {
  platform_->settings.query_delay = std::chrono::hours(2);
  const Json posted = post("SELECT 1");
  close();
  open();
  EXPECT_EQ(settled(posted)["state"], "SUCCESS");
}

TEST_F(QueryRest, KeepsTemplates) {
  const std::string path = "/data/foundation/query/query-templates";
  const auto [status, made] = call("POST", path, {{"name", "one"}, {"sql", "SELECT $a"}});
  EXPECT_EQ(status, 202);
  const std::string id = made["id"];
  const Json ran = settled(post("", {{"sql", ""}, {"templateId", id}, {"queryParameters", {{"a", "1"}}}}));
  EXPECT_EQ(ran["effectiveSQL"], "SELECT 1");
  EXPECT_EQ(call("GET", path + "/count").second["totalCount"], 1);
  EXPECT_EQ(call("PUT", path + "/" + id, {{"name", "two"}, {"sql", "SELECT 2"}}).second["name"], "two");
  EXPECT_EQ(call("DELETE", path + "/" + id).first, 202);
  EXPECT_EQ(call("GET", path + "/" + id).first, 404);
}

}  // namespace
}  // namespace emulator
