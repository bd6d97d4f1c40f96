// Engine query-service: the platform compares, and the target ends as with the local engine.
#include "tests/spine/query_engine_worlds.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

class EqualEngines : public ::testing::TestWithParam<int> {};

TEST_P(EqualEngines, LeaveTheSameRecords) {
  BothEngines worlds(GetParam());
  worlds.apply_and_compare("the first generation");
  worlds.both([&](World& world) { world.emulator().evolve(0.3, 7 * GetParam()); });
  worlds.apply_and_compare("churn");
  worlds.both([](World& world) { world.declared[1].name = "It's a \\\\ newer name"; });
  worlds.apply_and_compare("an audience with another name");
  worlds.both([](World& world) { world.declared.pop_back(); });
  worlds.apply_and_compare("an audience withdrawn");
  worlds.both([&](World& world) { world.emulator().evolve(0.1, 9 * GetParam()); });
  worlds.extra("target: { row_rule: accumulate }\n");
  worlds.apply_and_compare("everyone written again");
}

INSTANTIATE_TEST_SUITE_P(Worlds, EqualEngines, ::testing::Values(3, 4));

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

/// Every how many-th place of a run is tried: `spine_kill` tries all of them with the local engine.
constexpr int kKillStep = 30;

std::unique_ptr<World> changed_world() {
  auto options = small_lake();
  options.profiles = 30;
  auto world = std::make_unique<World>(std::move(options));
  be_patient(*world);
  world->extra = "engine: query-service\n";
  if (const auto first = world->seamed_apply("count"); first.code != kOk) throw std::runtime_error(first.err);
  world->emulator().evolve(0.3, 5);
  world->declared.pop_back();
  return world;
}

std::string survive_query_kill(int place) {
  constexpr int kKilled = 137;
  const auto world = changed_world();
  const auto where = fmt::format("killed at {}: ", place);
  if (const auto killed = world->seamed_apply(fmt::format("kill@{}", place)); killed.code != kKilled)
    return where + fmt::format("ended {}: {}", killed.code, killed.err);
  if (const auto resumed = world->seamed_apply("count"); resumed.code != kOk) return where + resumed.out + resumed.err;
  if (auto wrong = world->difference() + world->leftovers(); !wrong.empty()) return where + wrong + "\n";
  const auto planned = world->seamed({"plan", "--detailed-exitcode"}, "count");
  return planned.code == kOk ? std::string() : where + planned.out + planned.err;
}

TEST(QueryEngineKill, TheNextRunFinishesWhatWasBegun) {
  const int step = number_from_environment("AUDIENCESYNC_KILL_STEP", kKillStep);
  const auto world = changed_world();
  const auto count = world->folder() / "count";
  ASSERT_EQ(world->seamed_apply("count", count).code, kOk);
  const int places = std::stoi(read_file(count));
  ASSERT_GT(places, 50) << "so few places cannot be a whole run";
  std::cout << places << " places, every " << step << ". is tried\n";
  std::string wrong;
  for (const auto& each : in_parallel(places / step, [&](int number) { return survive_query_kill(1 + number * step); }))
    wrong += each;
  EXPECT_EQ(wrong, "");
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
