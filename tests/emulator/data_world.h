#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "emulator/data/data_plane.h"
#include "emulator/registry/registry.h"
#include "shell_world.h"

namespace emulator {

/// The data plane without sockets: requests go through the router. `restart()` opens the same folder again.
class DataWorld {
 public:
  explicit DataWorld(WorldOptions options = {.profiles = 500, .audiences = 6, .seed = 7});

  Response call(const std::string& method, const std::string& target, const std::string& body = {},
                Headers headers = {});
  Response call(const std::string& method, const std::string& target, const char* body, Headers headers = {}) {
    return call(method, target, std::string(body), std::move(headers));
  }
  Response call(const std::string& method, const std::string& target, const Json& body, Headers headers = {});
  Json get(const std::string& target);  // fails the test unless 200
  Json control(const std::string& method, const std::string& target, const Json& body);
  /// Lines of a streamed or plain NDJSON answer.
  std::vector<Json> lines(const std::string& target);
  /// What a response carries, whichever way.
  static std::string content(const Response& response);

  void restart();
  /// Waits up to 20 s for the worker.
  void wait_for(const std::function<bool()>& condition, const std::string& what);

  std::vector<std::string> audiences();
  std::set<std::string> truth(const std::string& audience);
  std::string union_dataset(const std::string& name = "staging");
  /// A dataset like the one audiencesync makes: personID primary, tenant object with an array.
  std::string target_dataset(const std::string& name = "target", const Json& tags = Json::object());
  /// Runs an export of the audiences to its end and answers the job.
  Json exported(const std::string& dataset, const std::vector<std::string>& audiences, const std::string& fields);
  Json start_export(const std::string& dataset, const std::vector<std::string>& audiences, const std::string& fields);
  Json finished_export(const Json& job);
  Json batch(const std::string& id);
  /// Creates a batch, uploads each text as a file, completes it; answers the batch id.
  std::string ingest(const std::string& dataset, const std::vector<std::string>& files,
                     const Json& more = Json::object());
  Json settled(const std::string& batch);
  static std::string record(const std::string& person, const std::vector<std::string>& audiences, int generation = 1);

  TemporaryFolder folder;
  WorldOptions options;
  std::optional<Recorder> recorder;  // for the contract suite
  std::optional<Platform> platform;
  std::optional<Registry> registry;
  std::optional<DataPlane> plane;
  std::optional<Router> router;

 private:
  void open();
  std::string schema_;
};

}  // namespace emulator
