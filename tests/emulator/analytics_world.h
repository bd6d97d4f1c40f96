#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data_world.h"
#include "emulator/analytics/analytics.h"

namespace emulator {

/// A world with Analytics, without sockets: requests go through the router, settings are set directly.
class AnalyticsWorld {
 public:
  explicit AnalyticsWorld(std::uint64_t event_count = 600) : events(event_count) { open(); }

  std::string connection() const { return analytics->seeded()["connection"]; }
  std::string view() const { return analytics->seeded()["data_view"]; }
  std::string event_dataset() const { return analytics->seeded()["event_dataset"]; }

  Json get(const std::string& target) { return data.get(target); }
  /// Status and body of a call.
  std::pair<int, Json> call(const std::string& method, const std::string& target, const Json& body = nullptr);

  /// An action of a person that works; answers its body.
  Json person(const Json& action);
  /// The same that is refused; answers why.
  std::string refused(const Json& action);
  Json add(const std::string& dataset, const Json& more = Json::object());
  /// Id of the component made of a field.
  std::string component(const std::string& path, const Json& more = Json::object());

  void advance(std::chrono::milliseconds by) { data.platform->clock.advance(by); }
  Settings& settings() { return data.platform->settings; }
  void restart();

  /// Ingests records of these people and the audiences of each; answers the batch.
  std::string ingest(const std::string& dataset, const std::map<std::string, std::vector<std::string>>& people);
  /// One event a person at that many days ago.
  void visit(const std::vector<std::string>& people, int days_ago = 1, const std::string& page = "home");

  /// A report over the last 60 days; `more` replaces members of the request.
  Json report(const std::string& dimension, const Json& more = Json::object(),
              const std::vector<std::string>& metrics = {"metrics/visitors"});
  /// Its first column by value.
  std::map<std::string, double> people(const std::string& dimension, const Json& more = Json::object());
  /// Persons and audience ids as the control call tells them.
  std::map<std::string, std::set<std::string>> held(const std::string& dataset, const std::string& query = "");
  std::string range(int first_day_ago, int last_day_ago) const;

  DataWorld data;
  std::uint64_t events;
  std::optional<Analytics> analytics;

 private:
  void open();
};

inline constexpr const char* kMembershipPath = "_demoemea.audienceMembership.audienceMembershipId";

}  // namespace emulator
