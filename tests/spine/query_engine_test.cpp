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
  expect_told(world.plan({"--fresh", "--detailed-exitcode"}), kPending, {"people changed"});
  emulator.clear_calls();
  expect_told(world.plan({"--detailed-exitcode"}), kPending, {"people changed"});
  EXPECT_TRUE(emulator.writes().empty()) << "what was computed is there";
  const auto applied = world.apply({"--no-refresh"});
  EXPECT_EQ(applied.code, kOk) << applied.out << applied.err;
  EXPECT_EQ(queries_posted(), 1U) << "only the INSERT";
  EXPECT_EQ(world.difference(), "");
}

TEST_F(QueryEngine, WithoutTheLicenceNothingIsWrittenAndTheLocalEngineIsNamed) {
  emulator.settings(R"({"query_batch":false})");
  const auto refused = world.apply();
  EXPECT_NE(refused.code, kOk);
  EXPECT_NE(told(refused).find("Data Distiller"), std::string::npos) << told(refused);
  EXPECT_NE(told(refused).find("engine: local"), std::string::npos) << told(refused);
  EXPECT_TRUE(emulator.datasets_tagged("role:target").empty());
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
  emulator.faults(R"([{"method":"POST","path":"/data/foundation/query/queries","times":2,"action":{"drop":"after"}}])");
  const auto result = world.apply();
  EXPECT_EQ(result.code, kOk) << result.out << result.err;
  EXPECT_EQ(world.difference(), "");
  EXPECT_EQ(queries_posted(), 2U) << "each query ran once";
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
  const auto back = world.seamed_rollback(1, "count");
  EXPECT_NE(back.code, kOk);
  EXPECT_NE(told(back).find("keeps no past memberships"), std::string::npos) << told(back);
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
