#pragma once

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

  enum class Recorded { Yes, No };
  std::pair<int, Json> call(const std::string& method, const std::string& target, const Json& body = Json(),
                            Recorded recorded = Recorded::Yes) {
    Request request;
    request.method = method;
    request.target = target;
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = parse_form(std::string_view(target).substr(question + 1));
    if (!body.is_null()) request.headers["content-type"] = "application/json";
    if (!body.is_null()) request.body = body.dump();
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
    if (recorded == Recorded::Yes) record(request, response);
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

  /// Calls until the answer is as it shall be.
  template <class Wanted>
  Json until(const std::string& target, Wanted wanted) {
    for (int i = 0; i < 2000; ++i) {
      Json answer = call("GET", target, Json(), Recorded::No).second;
      if (wanted(answer)) return call("GET", target).second;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << target << " never comes to it: " << call("GET", target).second;
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

}  // namespace emulator
