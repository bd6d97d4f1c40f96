// A run of engine query-service may die anywhere; the next one ends as if nothing had happened.
#include "tests/spine/query_engine_worlds.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

/// Every how many-th place of a run is tried: `spine_kill` tries all of them with the local engine, and the contract of
/// stages every durable write of this one.
constexpr int kKillStep = 15;

enum class Part { First, Delta };

/// A small world; for Delta one run is behind it, and people have changed since.
std::unique_ptr<World> world_to_kill_in(Part part) {
  auto options = small_lake();
  options.profiles = 30;
  auto world = std::make_unique<World>(std::move(options));
  be_patient(*world);
  world->extra = "engine: query-service\n";
  if (part == Part::First) return world;
  if (const auto first = world->seamed_apply("count"); first.code != kOk) throw std::runtime_error(first.err);
  world->emulator().evolve(0.3, 5);
  world->declared.pop_back();
  return world;
}

/// Which queries ran, and how each ended: an undisturbed run starts each once.
std::string queries_of(World& world) {
  std::multiset<std::string> queries;
  for (const auto& query : queries_posted_by_syncs(world))
    queries.insert((query.flag("isCTAS") ? "comparison " : "write ") + query.text("state"));
  return fmt::format("{}", fmt::join(queries, ", "));
}

std::string survive_query_kill(Part part, const std::vector<int>& places, const std::string& undisturbed) {
  constexpr int kKilled = 137;
  const auto world = world_to_kill_in(part);
  const auto where = fmt::format("killed at {}: ", fmt::join(places, ", then "));
  for (const int place : places) {
    // A later kill may find less left to do than it was told to wait for; then the run simply ends.
    const auto killed = world->seamed_apply(fmt::format("kill@{}", place));
    if (killed.code != kKilled && (places.size() == 1 || killed.code != kOk))
      return where + fmt::format("ended {}: {}\n", killed.code, killed.err);
  }
  if (const auto resumed = world->seamed_apply("count"); resumed.code != kOk) return where + resumed.out + resumed.err;
  if (auto wrong = world->difference() + world->leftovers(); !wrong.empty()) return where + wrong + "\n";
  // A new export that was made after the kill may be compared once more.
  const auto queries = queries_of(*world);
  if (std::count(queries.begin(), queries.end(), 'w') > std::count(undisturbed.begin(), undisturbed.end(), 'w'))
    return where + "queries: " + queries + ", undisturbed: " + undisturbed + "\n";
  // One that says that nobody changed is dropped by the next comparison.
  const auto scratch = world->emulator().datasets_tagged("role:changeset").size();
  if (scratch > (queries == undisturbed ? 0U : 1U))
    return where + fmt::format("{} scratch datasets are left\n", scratch);
  const auto planned = world->seamed({"plan", "--detailed-exitcode"}, "count");
  return planned.code == kOk ? std::string() : where + planned.out + planned.err;
}

class QueryEngineKill : public ::testing::TestWithParam<Part> {};

TEST_P(QueryEngineKill, TheNextRunFinishesWhatWasBegun) {
  const int step = number_from_environment("AUDIENCESYNC_KILL_STEP", kKillStep);
  const auto world = world_to_kill_in(GetParam());
  const auto count = world->folder() / "count";
  ASSERT_EQ(world->seamed_apply("count", count).code, kOk);
  const auto undisturbed = queries_of(*world);
  const int places = std::stoi(read_file(count));
  ASSERT_GT(places, 50) << "so few places cannot be a whole run";
  std::cout << places << " places, every " << step << ". is tried\n";
  // The last one dies twice: once there, and once soon after it was begun again.
  const int kills = places / step;
  const auto at = [&](int number) {
    std::vector<int> list{1 + number * step};
    if (number == kills - 1) list.push_back(places / 4);
    return list;
  };
  std::string wrong;
  for (const auto& each :
       in_parallel(kills, [&](int number) { return survive_query_kill(GetParam(), at(number), undisturbed); }))
    wrong += each;
  EXPECT_EQ(wrong, "");
}

INSTANTIATE_TEST_SUITE_P(Parts, QueryEngineKill, ::testing::Values(Part::First, Part::Delta),
                         [](const auto& part) { return part.param == Part::First ? "First" : "Delta"; });

}  // namespace
}  // namespace audiencesync::testing
