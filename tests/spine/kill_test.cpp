// P2, P3: a run may die at any call and any durable write, once or twice; the next one ends as if nothing had happened.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/parallel.h"
#include "tests/support/world.h"

namespace audiencesync::testing {
namespace {

constexpr int kKilled = 137;

enum class Part { First, Delta };

/// A small world; for Delta one run is behind it and people have changed since.
std::unique_ptr<World> world_before(Part part) {
  auto world = std::make_unique<World>(Emulator::Options{.profiles = 60, .audiences = 4, .seed = 11, .record = ""});
  if (part == Part::First) return world;
  const auto first = world->seamed_apply("count");
  if (first.code != 0) throw std::runtime_error("the first run failed: " + first.err);
  world->emulator().evolve(0.3, 5);
  world->declared.pop_back();
  return world;
}

int places(Part part) {
  const auto world = world_before(part);
  const auto count = world->folder() / "count";
  const auto run = world->seamed_apply("count", count);
  if (run.code != 0) throw std::runtime_error("the undisturbed run failed: " + run.err);
  return std::stoi(read_file(count));
}

/// Kills at each of `at` in turn, then lets a run finish: "" when the world is as an undisturbed run leaves it.
std::string survive(Part part, const std::vector<int>& at) {
  const auto world = world_before(part);
  for (const int place : at) {
    const auto killed = world->seamed_apply(fmt::format("kill@{}", place));
    // A later kill may find less left to do than it was told to wait for; then the run simply ends.
    if (killed.code != kKilled && killed.code != 0) {
      return fmt::format("killed at {}: ended {}: {}", fmt::join(at, ","), killed.code, killed.err);
    }
  }
  const auto resumed = world->seamed_apply("count");
  const auto where = fmt::format("killed at {}", fmt::join(at, ","));
  if (resumed.code != 0)
    return fmt::format("{}: the next run ended {}: {}{}", where, resumed.code, resumed.out, resumed.err);
  if (auto wrong = world->difference(); !wrong.empty()) return fmt::format("{}: {}", where, wrong);
  if (auto wrong = world->leftovers(); !wrong.empty()) return fmt::format("{}: {}", where, wrong);
  const auto planned = world->seamed({"plan", "--fresh", "--detailed-exitcode"}, "count");
  if (planned.code != 0)
    return fmt::format("{}: the plan afterwards is not empty: {}{}", where, planned.out, planned.err);
  return {};
}

std::string all_findings(const std::vector<std::string>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    if (!finding.empty()) text += finding + "\n";
  }
  return text;
}

void kill_everywhere(Part part) {
  const int step = number_from_environment("AUDIENCESYNC_KILL_STEP", 1);
  const int last = places(part);
  ASSERT_GT(last, 50) << "so few places cannot be a whole run";
  std::cout << last << " places, every " << step << ". is tried\n";
  EXPECT_EQ(all_findings(in_parallel(last / step, [&](int number) { return survive(part, {1 + number * step}); })), "");
}

TEST(Kill, AnywhereInTheFirstRun) { kill_everywhere(Part::First); }

TEST(Kill, AnywhereInALaterRun) { kill_everywhere(Part::Delta); }

TEST(Kill, TwiceInOneRun) {
  const int pairs = number_from_environment("AUDIENCESYNC_KILL_PAIRS", 40);
  const int first_places = places(Part::First);
  const int delta_places = places(Part::Delta);
  std::mt19937 random(3);
  std::vector<std::pair<Part, std::vector<int>>> plans;
  for (int pair = 0; pair < pairs; ++pair) {
    const Part part = pair % 2 == 0 ? Part::First : Part::Delta;
    const auto most = static_cast<unsigned>(part == Part::First ? first_places : delta_places);
    plans.push_back({part, {1 + static_cast<int>(random() % most), 1 + static_cast<int>(random() % most)}});
  }
  EXPECT_EQ(all_findings(in_parallel(pairs,
                                     [&](int number) {
                                       const auto& [part, at] = plans[static_cast<std::size_t>(number)];
                                       return survive(part, at);
                                     })),
            "");
}

// The end of a sync is short, so a few of its places stand for all.
constexpr int kRetireStep = 4;

std::unique_ptr<World> world_to_retire() {
  auto world = std::make_unique<World>(Emulator::Options{.profiles = 60, .audiences = 2, .seed = 11, .record = ""},
                                       Analysts::Present);
  if (const auto first = world->seamed_apply("count");
      first.code != 3)  // a person would have to add it to a connection
    throw std::runtime_error("the run before ended differently: " + first.err);
  return world;
}

ProcessResult retire(World& world, const std::string& seam, const std::filesystem::path& count = {}) {
  return world.seamed({"retire", world.uid, "--delete", "--auto-approve", "--reason", "a story"}, seam, count,
                      "--manifest");
}

std::string survive_retirement(int place) {
  const auto world = world_to_retire();
  const auto killed = retire(*world, fmt::format("kill@{}", place));
  if (killed.code != kKilled) return fmt::format("killed at {}: ended {}: {}", place, killed.code, killed.err);
  const auto resumed = retire(*world, "count");
  if (resumed.code != 0) return fmt::format("killed at {}: the next ended {}: {}", place, resumed.code, resumed.err);
  if (!world->emulator().datasets_tagged("uid:" + world->uid).empty())
    return fmt::format("killed at {}: a dataset of ours is left", place);
  return {};
}

TEST(Kill, AnywhereWhileASyncIsRetired) {
  const int step = std::max(number_from_environment("AUDIENCESYNC_KILL_STEP", kRetireStep), kRetireStep);
  const auto world = world_to_retire();
  const auto count = world->folder() / "count";
  const auto whole = retire(*world, "count", count);
  ASSERT_EQ(whole.code, 0) << whole.out << whole.err;
  const int last = std::stoi(read_file(count));
  ASSERT_GT(last, 10) << "so few places cannot be a whole retirement";
  std::cout << last << " places, every " << step << ". is tried\n";
  EXPECT_EQ(all_findings(in_parallel(std::max(last / step, 1),
                                     [&](int number) { return survive_retirement(1 + number * step); })),
            "");
}

}  // namespace
}  // namespace audiencesync::testing
