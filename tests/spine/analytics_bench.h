#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/base/json.h"
#include "tests/spine/told.h"

namespace audiencesync::testing {

/// A sync with analytics in a world where somebody looks at them, and the person who clicks.
class AnalyticsBench {
 public:
  explicit AnalyticsBench(Emulator::Options options = {.profiles = 60, .audiences = 2})
      : world(std::move(options), Analysts::Present) {
    declare("Luma web", "Loyalty audiences");
  }

  void declare(const std::string& connection, const std::string& data_view) {
    world.extra =
        fmt::format("analytics: {{ connection: \"{}\", data_view: \"{}\", lookback: 7d }}\n", connection, data_view);
  }

  /// Applies with the program that has no rate limit: the same one, only faster.
  ProcessResult apply() { return world.seamed_apply("count"); }
  /// The one plan of a dry run, as its JSON.
  Value plan() {
    const auto result = world.seamed({"plan", "--format", "json"}, "count");
    const auto parsed = parse_json(result.out);
    const auto* syncs = parsed.ok() ? &parsed.value().items("syncs") : nullptr;
    const auto* plan = syncs != nullptr && syncs->size() == 1 ? syncs->front().find("plan") : nullptr;
    if (plan == nullptr) {
      ADD_FAILURE() << "no plan: " << result.code << " " << result.out << result.err;
      return {};
    }
    return *plan;
  }

  std::string connection() { return emulator.ready().text("connection"); }
  std::string seeded_view() { return emulator.ready().text("data_view"); }
  /// Ids of the data views that carry this sync's mark.
  std::vector<std::string> our_views() {
    std::vector<std::string> ids;
    const auto list = emulator.api("GET", "/data/dataviews?cached=false&externalIds=audiencesync_" + world.uid);
    for (const auto& view : list.items("content")) ids.push_back(view.text("id"));
    return ids;
  }

  /// `more` are members of the action, each with a comma before it.
  void add_to_connection(const std::string& more = "") {
    emulator.person(fmt::format(R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}"{}}})",
                                connection(), world.target(), more));
  }
  void change_in_connection(const std::string& more) {
    emulator.person(fmt::format(R"({{"do":"set_dataset_in_connection","connection":"{}","dataset":"{}"{}}})",
                                connection(), world.target(), more));
  }
  std::string add_component(const std::string& view, const std::string& path, const std::string& more = "") {
    return emulator
        .person(fmt::format(R"({{"do":"add_component","data_view":"{}","dataset":"{}","path":"{}.{}"{}}})", view,
                            world.target(), emulator.tenant(), path, more))
        .text("component");
  }
  void add_components(const std::string& view) {
    add_component(view, "audienceMembership.audienceMembershipId");
    add_component(view, "audienceMembership.audienceMembershipName");
  }

  /// Everything the program and the person do until nothing is left to do.
  void settle() {
    const auto first = apply();
    ASSERT_EQ(first.code, 3) << first.out << first.err;
    add_to_connection();
    ASSERT_EQ(our_views().size(), 1U);
    add_components(our_views().front());
    const auto second = apply();
    ASSERT_EQ(second.code, 0) << second.out << second.err;
    emulator.clear_calls();
  }

  World world;
  Emulator& emulator = world.emulator();
};

/// What the plan says of a stage in its one line.
inline std::string state_of(const Value& plan, const std::string& stage) {
  for (const auto& line : plan.items("stages")) {
    if (line.text("stage") == stage) return line.text("state");
  }
  return "no such stage";
}

/// "person connection/dataset" of each change, sorted.
inline std::multiset<std::string> changes_of(const Value& plan) {
  std::multiset<std::string> changes;
  for (const auto& change : plan.items("changes"))
    changes.insert(change.text("action") + " " + change.text("stage") + "/" + change.text("name"));
  return changes;
}

/// Reason and steps of a change, in one text.
inline std::string words_of(const Value& plan, const std::string& stage, const std::string& name) {
  for (const auto& change : plan.items("changes")) {
    if (change.text("stage") != stage || change.text("name") != name) continue;
    std::string text = change.text("reason");
    for (const auto& step : change.items("steps")) text += "\n" + *step.string_if();
    return text;
  }
  return "no such change";
}

inline std::string finding_of(const Value& plan, const std::string& code) {
  for (const auto& finding : plan.items("findings")) {
    if (finding.text("code") == code) return finding.text("severity") + ": " + finding.text("text");
  }
  return "no such finding";
}

}  // namespace audiencesync::testing
