// Engine query-service: the platform compares, and the target ends as with the local engine.
#include "tests/spine/query_engine_worlds.h"

namespace audiencesync::testing {
namespace {

TEST_F(QueryEngine, WritesBySqlAloneAndHasNothingToDoAfterwards) {
  begin();
  EXPECT_EQ(world.difference(), "");
  for (const auto& call : emulator.calls()) {
    EXPECT_EQ(call.find("/data/foundation/import/"), std::string::npos) << "no row is uploaded";
    EXPECT_EQ(call.find("/data/foundation/export/files"), std::string::npos) << "no row is fetched";
  }
  EXPECT_TRUE(emulator.datasets_tagged("role:changeset").empty()) << "scratch goes when it was used";
  emulator.clear_calls();
  expect_told(world.plan(), kOk, {"nothing to do"});
  EXPECT_TRUE(emulator.writes().empty());
}

TEST_F(QueryEngine, PlansCountsOnceTheyWereComputed) {
  begin();
  emulator.evolve(0.2, 5);
  pass("2m");
  expect_told(world.plan({"--fresh", "--detailed-exitcode"}), kPending, {"people changed", "bytes unknown"});
  emulator.clear_calls();
  const auto shown = world.plan({"--format", "json", "--sample", "2"});
  const auto samples = parse_json(shown.out).value().find("syncs")->array_if()->front().find("plan")->items("samples");
  std::map<std::string, int> kinds;
  for (const auto& sample : samples) {
    ++kinds[sample.text("kind")];
    EXPECT_NE(sample.text("person").find("*"), std::string::npos) << "masked";
    EXPECT_FALSE(sample.items("entered").empty() && sample.items("left").empty());
  }
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"new", 2}, {"changed", 2}, {"leaves", 2}})) << shown.out;
  expect_told(world.plan({"--detailed-exitcode"}), kPending, {"people changed"});
  EXPECT_TRUE(emulator.writes().empty()) << "what was computed is there";
  const auto applied = world.apply({"--no-refresh"});
  EXPECT_EQ(applied.code, kOk) << applied.out << applied.err;
  EXPECT_EQ(queries_posted(), 1U) << "only the INSERT";
  EXPECT_EQ(world.difference(), "");
}

TEST_F(QueryEngine, WithoutTheLicenceNothingIsBegunAndTheLocalEngineIsNamed) {
  emulator.settings(R"({"query_batch":false})");
  for (int again = 0; again < 2; ++again) {
    const auto refused = world.apply();
    EXPECT_NE(refused.code, kOk);
    EXPECT_NE(told(refused).find("Data Distiller"), std::string::npos) << told(refused);
    EXPECT_NE(told(refused).find("engine: local"), std::string::npos) << told(refused);
  }
  EXPECT_EQ(emulator.writes(), std::vector<std::string>(2, "POST /data/foundation/query/queries"))
      << "no dataset, no export: only the question, each time";
  world.extra.clear();
  begin();
  EXPECT_EQ(world.difference(), "") << "the local engine goes on at once";
}

TEST_F(QueryEngine, WhetherBatchQueriesMayRunIsAskedOnceAndLeavesNothingBehind) {
  expect_told(world.plan(), kOk, {"batch-queries"});
  begin();
  EXPECT_EQ(world.leftovers(), "");
  const auto datasets = to_json(emulator.api("GET", "/data/foundation/catalog/dataSets"));
  EXPECT_NE(datasets.find("audiencesync membership"), std::string::npos) << datasets;
  EXPECT_EQ(datasets.find("audiencesync_probe"), std::string::npos) << datasets;
  emulator.clear_calls();
  emulator.evolve(0.2, 5);
  pass("2m");
  begin();
  EXPECT_EQ(queries_posted(), 2U) << "the comparison and the writing, no question";
}

TEST_F(QueryEngine, GuardsHoldThePlanAndAnApprovalLetsItThrough) {
  begin();
  world.guard = "guard: { max_removals: 1, min_people: 1 }";
  emulator.evolve(0.5, 5);
  pass("2m");
  expect_told(world.apply(), kRefused, {"max_removals", "audiencesync approve"});
  const auto said = told(world.plan());
  const auto at = said.find("audiencesync approve ");
  ASSERT_NE(at, std::string::npos) << said;
  const auto digest = said.substr(at + 21, 16);
  const auto approved = world.run({"approve", digest, "--reason", "wanted", "--config", emulator.config().string()});
  ASSERT_EQ(approved.code, kOk) << approved.out << approved.err;
  const auto applied = world.apply();
  EXPECT_EQ(applied.code, kOk) << applied.out << applied.err;
  EXPECT_EQ(world.difference(), "");
}

TEST_F(QueryEngine, AnAnswerThatIsLostIsFoundByItsMarker) {
  emulator.faults(R"([{"method":"POST","path":"/data/foundation/query/queries","times":3,"action":{"drop":"after"}}])");
  const auto result = world.apply();
  EXPECT_EQ(result.code, kOk) << result.out << result.err;
  EXPECT_EQ(world.difference(), "");
  EXPECT_EQ(queries_posted(), 3U) << "each query ran once: the probe, the comparison, the writing";
}

TEST_F(QueryEngine, RefusesWhatNeedsRowsHereWithAWayOut) {
  begin();
  const auto config = emulator.config().string();
  const auto manifest = world.manifest().string();
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"members", world.name, emulator.audiences().front().id, "--config", config},
           {"verify", manifest, "--rows", "full", "--config", config},
           {"state", "rebuild", "--config", config, manifest}}) {
    const auto result = world.run(words);
    EXPECT_NE(result.code, kOk) << words.front();
    EXPECT_NE(told(result).find("engine: local"), std::string::npos) << words.front() << ": " << told(result);
  }
  EXPECT_EQ(world.difference(), "");
}

void apply_both(BothEngines& worlds, const std::string& after) {
  worlds.both([&](World& world) {
    world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
    const auto result = world.apply();
    ASSERT_EQ(result.code, kOk) << after << "\n" << result.out << result.err;
  });
  EXPECT_EQ(newest_records(worlds.query), newest_records(worlds.local)) << after;
  EXPECT_EQ(worlds.query.difference(), "") << after;
}

// Three days in both worlds, and then back to the first of them.
TEST(EqualRollbacks, LeaveTheSameRecordsAndSayTheSame) {
  BothEngines worlds(5);
  apply_both(worlds, "the first day");
  worlds.both([&](World& world) {
    world.emulator().evolve(0.4, 5);
    world.declared.pop_back();
  });
  apply_both(worlds, "an audience withdrawn");
  worlds.both([&](World& world) {
    const auto all = world.emulator().audiences();
    world.declared = {{all[1].id, all[1].name}, {all[3].id, all[3].name}};
    world.emulator().evolve(0.3, 9);
  });
  apply_both(worlds, "one back, others withdrawn");
  std::map<World*, std::set<std::string>> said;
  worlds.both([&](World& world) {
    world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
    const auto back = world.seamed_rollback(2, "count");
    EXPECT_EQ(back.code, kOk) << back.out << back.err;
    std::istringstream lines(back.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("warning") != std::string::npos) said[&world].insert(line);
    }
    EXPECT_EQ(world.seamed_apply("count").code, kRefused) << "suspended";
  });
  EXPECT_EQ(said[&worlds.query], said[&worlds.local]);
  EXPECT_GE(said[&worlds.query].size(), 3U) << "who stays, what is left out";
  EXPECT_EQ(newest_records(worlds.query), newest_records(worlds.local));
  EXPECT_EQ(worlds.query.leftovers(), "");
  worlds.both([&](World& world) {
    EXPECT_EQ(
        world.run({"resume", world.name, "--reason", "repaired", "--config", world.emulator().config().string()}).code,
        kOk);
  });
  apply_both(worlds, "forward again");
}

TEST_F(QueryEngine, APastThatWasWithdrawnIsRefusedWithWhatCanStillBeReached) {
  begin();
  for (const int seed : {5, 6}) {
    emulator.evolve(0.2, seed);
    pass("8d");  // target.compact_every: everyone is written again
    begin();
  }
  pass("2d");
  begin();  // by now older generations may go
  const auto back = world.seamed_rollback(1, "count");
  EXPECT_NE(back.code, kOk);
  for (const auto* words : {"after run 1", "goes back to run 3", "engine: local"})
    EXPECT_NE(told(back).find(words), std::string::npos) << words << ": " << told(back);
  EXPECT_EQ(world.difference(), "");
}

TEST_F(QueryEngine, GoesOnWhereTheLocalEngineStopped) {
  world.extra.clear();
  begin();
  world.extra = "engine: query-service\n";
  emulator.evolve(0.2, 5);
  pass("2m");
  begin();
  EXPECT_EQ(world.difference(), "");
  world.extra.clear();
  emulator.evolve(0.2, 6);
  pass("2m");
  begin();
  EXPECT_EQ(world.difference(), "");
}

}  // namespace
}  // namespace audiencesync::testing
