#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "engine/base/json.h"
#include "tests/spine/told.h"

namespace audiencesync::testing {

/// A sync whose records have a shape to be chosen, and somebody who looks at what becomes of them.
class LayoutBench {
 public:
  explicit LayoutBench(Emulator::Options options = {.profiles = 200, .audiences = 4})
      : world(std::move(options), Analysts::Present) {}

  /// `more` are further keys of `target`, separated by commas.
  void declare(const std::string& layout, const std::string& more = "") {
    world.extra = fmt::format("target: {{ layout: {}{}{} }}\n", layout, more.empty() ? "" : ", ", more);
  }

  /// The first run, the person who adds the dataset, and the time until analysts see it.
  void begin() {
    const auto first = world.seamed_apply("count");
    ASSERT_EQ(first.code, 3) << first.out << first.err;
    emulator.person(fmt::format(R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}"}})",
                                emulator.ready().text("connection"), world.target()));
    pass("5h");
  }

  void apply() {
    const auto result = world.seamed_apply("count");
    ASSERT_EQ(result.code, 0) << result.out << result.err;
  }
  void pass(const std::string& time) {
    emulator.control("PUT", "/_emulator/clock", fmt::format(R"({{"advance":"{}"}})", time));
  }

  using Members = std::set<std::pair<std::string, std::string>>;  // audience, person
  Members truth() {
    Members members;
    for (const auto& audience : world.declared) {
      for (const auto& person : emulator.truth(audience.id)) members.emplace(audience.id, person);
    }
    return members;
  }
  Members analytics() {
    std::istringstream lines(emulator.control_text(
        "GET", fmt::format("/_emulator/analytics/{}?dataset={}", emulator.ready().text("connection"), world.target())));
    Members members;
    for (std::string line; std::getline(lines, line);) {
      const auto row = parse_json(line).value();
      for (const auto& audience : row.items("audiences")) members.emplace(audience.text("id"), row.text("person"));
    }
    return members;
  }

  std::size_t live_batches() {
    std::size_t live = 0;
    for (const auto& [id, batch] : emulator.batches(world.target())) live += batch.text("status") == "success" ? 1 : 0;
    return live;
  }
  std::vector<std::string> batches_opened() {
    std::vector<std::string> opened;
    for (const auto& call : emulator.writes()) {
      if (call == "POST /data/foundation/import/batches") opened.push_back(call);
    }
    return opened;
  }

  World world;
  Emulator& emulator = world.emulator();
};

}  // namespace audiencesync::testing
