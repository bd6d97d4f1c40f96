// Engine query-service: the platform compares, and the target ends as with the local engine.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "engine/base/json.h"
#include "tests/spine/told.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

constexpr int kOk = 0;
constexpr int kPending = 2;
constexpr int kRefused = 4;

Emulator::Options small(int seed = 1) {
  return {.profiles = 60, .audiences = 4, .seed = seed, .query = Emulator::Options::Query::Listens};
}

// Queries run in the emulator's own engine, which on a busy machine may take longer than the rest of it.
void be_patient(World& world) {
  auto settings = read_file(world.emulator().config());
  for (const std::string deadline : {"deadline_export: 5s", "deadline_batch: 5s"}) {
    const auto at = settings.find(deadline);
    ASSERT_NE(at, std::string::npos) << deadline;
    settings.replace(at + deadline.size() - 2, 2, "90s");
  }
  write_file(world.emulator().config(), settings);
}

// The newest record of each person, without its generation: record id and audiences.
std::map<std::string, std::string> newest_records(World& world) {
  std::istringstream lines(world.emulator().control_text("GET", "/_emulator/datasets/" + world.target() + "/rows"));
  std::map<std::string, std::pair<std::int64_t, std::string>> newest;
  for (std::string line; std::getline(lines, line);) {
    const auto row = parse_json(line).value();
    const auto* ours = row.find(world.emulator().tenant());
    std::set<std::string> audiences;
    for (const auto& one : ours->items("audienceMembership"))
      audiences.insert(one.text("audienceMembershipId") + "=" + one.text("audienceMembershipName"));
    const auto generation = ours->number("audienceSyncGeneration").value_or(-1);
    auto& known = newest[row.text("personID")];
    if (generation <= known.first) continue;
    known = {generation, fmt::format("{} {} {}", row.text("_id"), ours->number("audienceMembershipCount").value_or(-1),
                                     fmt::join(audiences, ","))};
  }
  std::map<std::string, std::string> out;
  for (const auto& [person, record] : newest) out[person] = record.second;
  return out;
}

// The same world twice, with one engine each.
class BothEngines {
 public:
  explicit BothEngines(int seed) : local(small(seed)), query(small(seed)) {
    both(be_patient);
    extra("");
  }

  void extra(const std::string& lines) {
    local.extra = lines;
    query.extra = "engine: query-service\n" + lines;
  }
  template <class Do>
  void both(const Do& action) {
    action(local);
    action(query);
  }
  void apply_and_compare(const std::string& after) {
    both([&](World& world) {
      world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
      const auto result = world.apply();
      ASSERT_EQ(result.code, kOk) << after << "\n" << result.out << result.err;
    });
    EXPECT_EQ(newest_records(query), newest_records(local)) << after;
    EXPECT_EQ(query.difference(), "") << after;
    EXPECT_EQ(query.leftovers(), "") << after;
  }

  World local;
  World query;
};

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

class QueryEngine : public ::testing::Test {
 protected:
  QueryEngine() {
    be_patient(world);
    world.extra = "engine: query-service\n";
  }

  void begin() {
    const auto first = world.apply();
    ASSERT_EQ(first.code, kOk) << first.out << first.err;
  }
  void pass(const std::string& time) {
    emulator.control("PUT", "/_emulator/clock", fmt::format(R"({{"advance":"{}"}})", time));
  }
  std::size_t queries_posted() {
    std::size_t posted = 0;
    for (const auto& call : emulator.writes()) posted += call == "POST /data/foundation/query/queries" ? 1 : 0;
    return posted;
  }

  World world{small()};
  Emulator& emulator = world.emulator();
};

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
  auto options = small();
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
