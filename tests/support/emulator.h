#pragma once

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/value.h"
#include "tests/support/process.h"

namespace audiencesync::testing {

/// The platform's stand-in as a process of its own, reached only through HTTP.
class Emulator {
 public:
  struct Options {
    int profiles = 300;
    int audiences = 6;
    int seed = 1;
    int events = 0;
    std::string record{};                                            // folder for exchanges, "" for none
    enum class Query { RestOnly, Listens } query = Query::RestOnly;  // whether it speaks the PostgreSQL protocol
  };

  Emulator(const std::filesystem::path& folder, Options options);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  /// Stops it as an operator would and starts it again over the same data, on the same port.
  void restart();

  const Value& ready() const { return ready_; }
  std::string url() const { return ready_.text("http"); }
  std::string tenant() const { return ready_.text("tenant"); }
  std::string identity_field() const { return ready_.text("identity_field"); }
  const std::filesystem::path& config() const { return config_; }
  /// Ids of the seeded audiences, in the order of the ready file, and their names.
  struct Audience {
    std::string id;
    std::string name;
  };
  std::vector<Audience> audiences() const;

  /// A control call; throws when it answers anything but 2xx.
  Value control(const std::string& method, const std::string& path, const std::string& body = "");
  std::string control_text(const std::string& method, const std::string& path, const std::string& body = "");

  void evolve(double churn, int seed);
  std::set<std::string> truth(const std::string& audience);
  /// Calls of the platform's API since the last clear: "POST /data/core/ups/export/jobs".
  std::vector<std::string> calls();
  std::vector<std::string> writes();  // only those that change something
  void clear_calls();
  void faults(const std::string& json);
  void settings(const std::string& json);
  /// From now on the account may not see Customer Journey Analytics, whatever else `settings` denies.
  void hide_analytics();
  /// What a person clicks: {"do":"add_dataset_to_connection",...}.
  Value person(const std::string& json) { return control("POST", "/_emulator/person", json); }

  /// Datasets that carry this audiencesync tag, as ids.
  std::vector<std::string> datasets_tagged(const std::string& tag);
  /// Every batch of a dataset as the catalog shows it, by id.
  Value::Object batches(const std::string& dataset);
  /// One request of the platform's API with a token of its own.
  Value api(const std::string& method, const std::string& path, const std::string& body = "");

 private:
  void start();
  void stop();

  std::filesystem::path folder_;
  std::filesystem::path config_;
  Options options_;
  Value ready_;
  std::string port_ = "0";
  pid_t pid_ = 0;
  std::string always_denied_;
  std::string token_;
};

/// The people of each audience by the newest generation of their record in a dataset: what an analyst would count.
std::map<std::string, std::set<std::string>> members_by_audience(Emulator& emulator, const std::string& dataset);

/// The names under which each audience stands in people's newest records.
std::map<std::string, std::set<std::string>> labels_by_audience(Emulator& emulator, const std::string& dataset);

}  // namespace audiencesync::testing
