#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/spine/told.h"

namespace audiencesync::testing {

// Exit codes of the program.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kPending = 2;
inline constexpr int kRefused = 4;

/// A small platform that listens for SQL.
inline Emulator::Options small_lake(int seed = 1) {
  return {.profiles = 60, .audiences = 4, .seed = seed, .query = Emulator::Options::Query::Listens};
}

/// Queries run in the emulator's own engine, which on a busy machine may take longer than the rest of it.
void be_patient(World& world);

/// The newest record of each person, without its generation: record id, count, and audiences as a set.
std::map<std::string, std::string> newest_records(World& world);

/// The statements that syncs handed over, newest first; what they only asked is not among them.
std::vector<Value> queries_posted_by_syncs(World& world);

/// The same world twice, with one engine each.
class BothEngines {
 public:
  explicit BothEngines(int seed);

  /// Lines at the end of both manifests.
  void extra(const std::string& lines);
  template <class Do>
  void both(const Do& action) {
    action(local);
    action(query);
  }
  /// A control call of both emulators.
  void control(const std::string& method, const std::string& path, const std::string& body = "");

  World local;
  World query;
};

/// A sync of engine query-service.
class QueryEngine : public ::testing::Test {
 protected:
  QueryEngine() {
    be_patient(world);
    world.extra = kEngine;
  }

  void begin() {
    const auto first = world.apply();
    ASSERT_EQ(first.code, 0) << first.out << first.err;
  }
  void pass(const std::string& time) {
    emulator.control("PUT", "/_emulator/clock", fmt::format(R"({{"advance":"{}"}})", time));
  }
  std::size_t queries_posted() {
    std::size_t posted = 0;
    for (const auto& call : emulator.writes()) posted += call == "POST /data/foundation/query/queries" ? 1 : 0;
    return posted;
  }
  /// People change, and it is time for another export.
  void change(int seed = 5) {
    emulator.evolve(0.3, seed);
    pass("2m");
  }
  void expect_truth() {
    EXPECT_EQ(world.difference(), "");
    EXPECT_EQ(world.leftovers(), "");
  }

  static constexpr const char* kEngine = "engine: query-service\n";
  World world{small_lake()};
  Emulator& emulator = world.emulator();
};

}  // namespace audiencesync::testing
