#include "tests/support/emulator.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "engine/base/json.h"
#include "engine/http/read_only_posts.h"
#include "tests/support/http_client.h"

namespace audiencesync::testing {
namespace {

Value parsed(const std::string& text, const std::string& what) {
  auto value = parse_json(text);
  if (!value.ok()) throw std::runtime_error(what + ": " + value.error().text() + ": " + text.substr(0, 300));
  return std::move(value).take();
}

/// Where the contract suite finds what this world says; "" when nobody will look.
std::string recording_folder() {
  const char* folder = std::getenv("AUDIENCESYNC_RECORD");
  const char* judges = std::getenv("AUDIENCESYNC_API_DESCRIPTIONS");
  if (folder == nullptr || *folder == '\0' || judges == nullptr || *judges == '\0') return {};
  static std::atomic<int> worlds{0};
  return fmt::format("{}/{}-{}", folder, getpid(), ++worlds);
}

}  // namespace

Emulator::Emulator(const std::filesystem::path& folder, Options options) : folder_(folder), options_(options) {
  std::filesystem::create_directories(folder_);
  config_ = folder_ / "config" / "audiencesync.yaml";
  std::filesystem::create_directories(config_.parent_path());
  start();
}

Emulator::~Emulator() { stop(); }

void Emulator::start() {
  const auto ready_file = folder_ / "ready.json";
  std::filesystem::remove(ready_file);
  // Ends with the thread that started it: a test that is killed leaves no server behind.
  std::vector<std::string> command{"/usr/bin/setpriv",
                                   "--pdeathsig",
                                   "TERM",
                                   AUDIENCESYNC_BIN_DIR "/audiencesync-emulator",
                                   "--data",
                                   (folder_ / "data").string(),
                                   "--listen",
                                   "127.0.0.1:" + port_,
                                   "--ready-file",
                                   ready_file.string(),
                                   "--profiles",
                                   std::to_string(options_.profiles),
                                   "--audiences",
                                   std::to_string(options_.audiences),
                                   "--seed",
                                   std::to_string(options_.seed),
                                   "--events",
                                   std::to_string(options_.events),
                                   "--write-config",
                                   config_.string()};
  const auto record = options_.record.empty() ? recording_folder() : options_.record;
  if (options_.query == Options::Query::Listens) command.insert(command.end(), {"--pg-listen", "127.0.0.1:0"});
  if (!record.empty()) command.insert(command.end(), {"--record", record});
  pid_ = start_process(command, {}, folder_ / "emulator.out", folder_ / "emulator.err");
  for (int tick = 0; !std::filesystem::exists(ready_file); ++tick) {
    if (tick > 10'000 || kill(pid_, 0) != 0) {
      throw std::runtime_error("the emulator does not start: " + read_file(folder_ / "emulator.err"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ready_ = parsed(read_file(ready_file), "ready file");
  port_ = url().substr(url().rfind(':') + 1);
}

void Emulator::stop() {
  if (pid_ == 0) return;
  kill(pid_, SIGTERM);
  wait_process(pid_, 30);
  pid_ = 0;
  token_.clear();
}

void Emulator::restart() {
  stop();
  start();
}

std::vector<Emulator::Audience> Emulator::audiences() const {
  std::vector<Audience> list;
  for (const auto& audience : ready_.items("audiences")) list.push_back({audience.text("id"), audience.text("name")});
  return list;
}

std::string Emulator::control_text(const std::string& method, const std::string& path, const std::string& body) {
  const auto answer = http_call(method, url() + path, body);
  if (answer.status < 200 || answer.status > 299) {
    throw std::runtime_error(fmt::format("{} {} answered {}: {}", method, path, answer.status, answer.body));
  }
  return answer.body;
}

Value Emulator::control(const std::string& method, const std::string& path, const std::string& body) {
  const auto text = control_text(method, path, body);
  return text.empty() ? Value{} : parsed(text, path);
}

void Emulator::evolve(double churn, int seed) {
  control("POST", "/_emulator/evolve", fmt::format(R"({{"churn":{},"seed":{}}})", churn, seed));
}

std::set<std::string> Emulator::truth(const std::string& audience) {
  std::set<std::string> people;
  std::istringstream lines(control_text("GET", "/_emulator/truth?audience=" + audience));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) people.insert(*parsed(line, "truth").string_if());
  }
  return people;
}

std::vector<std::string> Emulator::calls() {
  std::vector<std::string> list;
  const auto value = control("GET", "/_emulator/calls");
  for (const auto& call : *value.array_if()) list.push_back(call.text("method") + " " + call.text("path"));
  return list;
}

std::vector<std::string> Emulator::writes() {
  std::vector<std::string> list;
  for (const auto& call : calls()) {
    if (call.starts_with("GET ") || call.starts_with("HEAD ") || call.find("/ims/token") != std::string::npos) continue;
    if (call.starts_with("POST ") && http::is_read_only_post(http::Service::Platform, call.substr(5))) continue;
    list.push_back(call);
  }
  return list;
}

void Emulator::clear_calls() { control_text("DELETE", "/_emulator/calls"); }
void Emulator::faults(const std::string& json) { control_text("PUT", "/_emulator/faults", json); }
void Emulator::settings(const std::string& json) {
  std::string text = json;
  const std::string_view list = "\"deny\":[";
  if (const auto at = text.find(list); at != std::string::npos && !always_denied_.empty()) {
    const auto rest = at + list.size();
    text.insert(rest, text[rest] == ']' ? always_denied_ : always_denied_ + ",");
  }
  control_text("PUT", "/_emulator/settings", text);
}

void Emulator::hide_analytics() {
  always_denied_ = R"({"method":"GET","path":"/data/connections*"})";
  settings(R"({"deny":[]})");
}

Value Emulator::api(const std::string& method, const std::string& path, const std::string& body) {
  const bool is_file = method == "PUT" && path.find("/import/batches/") != std::string::npos;
  // A test that moves the clock by days outlives its token: then once more with a new one.
  for (const bool last : {false, true}) {
    if (token_.empty()) {
      const auto form = fmt::format("grant_type=client_credentials&client_id={}&client_secret={}&scope=openid",
                                    ready_.text("client_id"), ready_.text("client_secret"));
      const auto answer =
          http_call("POST", url() + "/ims/token/v3", form, {"Content-Type: application/x-www-form-urlencoded"});
      token_ = parsed(answer.body, "token").text("access_token");
    }
    const auto answer =
        http_call(method, url() + path, body,
                  {is_file ? "Content-Type: application/octet-stream" : "Content-Type: application/json",
                   "Authorization: Bearer " + token_, "x-api-key: " + ready_.text("client_id"),
                   "x-gw-ims-org-id: " + ready_.text("organization"), "x-sandbox-name: prod"});
    if (answer.status == 401 && !last) {
      token_.clear();
      continue;
    }
    if (answer.status < 200 || answer.status > 299) {
      throw std::runtime_error(fmt::format("{} {} answered {}: {}", method, path, answer.status, answer.body));
    }
    return answer.body.empty() ? Value{} : parsed(answer.body, path);
  }
  return {};
}

std::vector<std::string> Emulator::datasets_tagged(const std::string& tag) {
  std::vector<std::string> ids;
  const auto all = api("GET", "/data/foundation/catalog/dataSets?limit=100");
  for (const auto& [id, dataset] : *all.object_if()) {
    const auto* tags = dataset.find("tags");
    if (tags == nullptr) continue;
    for (const auto& each : tags->items("audiencesync")) {
      if (each == Value(tag)) ids.push_back(id);
    }
  }
  return ids;
}

Value::Object Emulator::batches(const std::string& dataset) {
  const auto all = api("GET", "/data/foundation/catalog/batches?limit=100&dataSet=" + dataset);
  return all.object_if() == nullptr ? Value::Object{} : *all.object_if();
}

namespace {

struct NewestRecord {
  std::int64_t generation = -1;
  std::map<std::string, std::string> audiences;  // id to name
};

// A row of one membership: together with others of its generation it says everything about the person.
void add_single(NewestRecord& newest, std::int64_t generation, const std::string& id, const std::string& name) {
  if (generation < newest.generation) return;
  if (generation > newest.generation) newest.audiences.clear();
  newest.generation = generation;
  if (!newest.audiences.emplace(id, name).second) throw std::runtime_error("two rows of one membership");
}

// What the dataset says of everyone: of several rows the one of the highest generation counts.
std::map<std::string, NewestRecord> newest_records(Emulator& emulator, const std::string& dataset) {
  std::map<std::string, NewestRecord> people;
  std::istringstream lines(emulator.control_text("GET", "/_emulator/datasets/" + dataset + "/rows"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const auto row = parsed(line, "row");
    const auto* fields = row.find(emulator.tenant());
    if (fields == nullptr) throw std::runtime_error("a row without the tenant's fields");
    const auto generation = fields->number("audienceSyncGeneration").value_or(-1);
    auto& newest = people[row.text("personID")];
    if (const auto id = fields->text("audienceMembershipId"); !id.empty()) {
      add_single(newest, generation, id, fields->text("audienceMembershipName"));
      continue;
    }
    if (generation == newest.generation) throw std::runtime_error("two rows of one person in one generation");
    if (generation < newest.generation) continue;
    newest.generation = generation;
    newest.audiences.clear();
    if (const auto* ids = fields->find("audienceMembershipIds"); ids != nullptr && ids->string_if() != nullptr) {
      std::istringstream list(*ids->string_if());
      for (std::string id; std::getline(list, id, ',');) newest.audiences[id] = "";
      continue;
    }
    const auto& memberships = fields->items("audienceMembership");
    for (const auto& membership : memberships) {
      newest.audiences[membership.text("audienceMembershipId")] = membership.text("audienceMembershipName");
    }
    if (fields->number("audienceMembershipCount") != static_cast<std::int64_t>(memberships.size())) {
      throw std::runtime_error("audienceMembershipCount is not the number of memberships");
    }
  }
  return people;
}

}  // namespace

std::map<std::string, std::set<std::string>> members_by_audience(Emulator& emulator, const std::string& dataset) {
  std::map<std::string, std::set<std::string>> members;
  for (const auto& [person, newest] : newest_records(emulator, dataset)) {
    for (const auto& [audience, name] : newest.audiences) members[audience].insert(person);
  }
  return members;
}

std::map<std::string, std::set<std::string>> labels_by_audience(Emulator& emulator, const std::string& dataset) {
  std::map<std::string, std::set<std::string>> labels;
  for (const auto& [person, newest] : newest_records(emulator, dataset)) {
    for (const auto& [audience, name] : newest.audiences) labels[audience].insert(name);
  }
  return labels;
}

}  // namespace audiencesync::testing
