// People who ask to be forgotten: out of everything on this machine, out of every audience of the target, and not back
// until they agree again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "engine/base/json.h"
#include "engine/membership/changeset.h"
#include "engine/membership/delta.h"
#include "engine/membership/snapshot.h"
#include "tests/spine/told.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kFine = 0;
constexpr int kRefusedByGuard = 4;
constexpr int kKilledBySeam = 137;

using Ids = std::set<std::string>;

template <class Reader, class Row>
bool holds_any(const std::filesystem::path& path, const Ids& people) {
  PosixFiles files;
  const auto reader = Reader::open(files, path);
  if (!reader.ok()) throw std::runtime_error(reader.error().text());
  Row row;
  while (true) {
    const auto found = (*reader)->next(row);
    if (!found.ok()) throw std::runtime_error(found.error().text());
    if (!*found) return false;
    if (people.contains(std::string(row.person))) return true;
  }
}

/// Every file of the state folder that names one of these people: as bytes, and as what the engine reads from it.
Ids files_naming(const World& world, const Ids& people) {
  Ids found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.state())) {
    if (!entry.is_regular_file()) continue;
    const auto name = entry.path().filename().string();
    const auto bytes = read_file(entry.path());
    bool names = std::any_of(people.begin(), people.end(),
                             [&](const auto& person) { return bytes.find(person) != std::string::npos; });
    if (name.starts_with("snapshot-")) names = names || holds_any<SnapshotReader, SnapshotRow>(entry.path(), people);
    if (name.starts_with("delta-")) names = names || holds_any<DeltaReader, DeltaRow>(entry.path(), people);
    if (name.starts_with("changes-")) names = names || holds_any<ChangesetReader, ChangesetRow>(entry.path(), people);
    if (names) found.insert(std::filesystem::relative(entry.path(), world.state()).string());
  }
  return found;
}

Ids in_any_audience(World& world) {
  Ids people;
  for (const auto& [audience, members] : members_by_audience(world.emulator(), world.target())) {
    people.insert(members.begin(), members.end());
  }
  return people;
}

Ids both(const Ids& left, const Ids& right) {
  Ids common;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::inserter(common, common.end()));
  return common;
}

void next_day(World& world, int seed) {
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
  world.emulator().evolve(0.3, seed);
}

/// The first so many people who are in some audience, in truth and in the target.
Ids some_members(World& world, std::size_t most) {
  Ids chosen;
  for (const auto& person : in_any_audience(world)) {
    if (chosen.size() < most) chosen.insert(person);
  }
  return chosen;
}

/// What a run or a command must never say.
void expect_nobody_told(const ProcessResult& result, const Ids& people) {
  for (const auto& person : people) {
    EXPECT_THAT(result.out, Not(HasSubstr(person)));
    EXPECT_THAT(result.err, Not(HasSubstr(person)));
  }
}

class ForgetTest : public ::testing::Test {
 protected:
  void run_well() {
    const auto run = world.seamed_apply("count");
    EXPECT_EQ(run.code, kFine) << run.out << run.err;
  }
  ProcessResult told_by(std::vector<std::string> words) {
    words.insert(words.end(), {"--config", world.emulator().config().string()});
    return world.run(words);
  }
  std::string members(const std::string& run) { return told_by({"members", "loyalty", "--all", "--as-of", run}).out; }

  World world{Emulator::Options{.profiles = 120, .audiences = 3}};
};

TEST_F(ForgetTest, TheyAreErasedHereEndedThereAndStayOut) {
  run_well();
  next_day(world, 3);
  run_well();
  next_day(world, 4);
  auto people = some_members(world, 3);
  const auto rejected = *people.begin();
  world.emulator().control_text("PUT", "/_emulator/ingestion", fmt::format(R"({{"reject_person":["{}"]}})", rejected));
  run_well();
  world.emulator().control_text("PUT", "/_emulator/ingestion", "{}");
  ASSERT_THAT(files_naming(world, people), Not(IsEmpty()));
  people.insert("somebody-unheard-of@x.example");

  const auto forgotten = world.seamed_forget(people, "count");

  expect_told(forgotten, kFine, {"4 people kept out from now on", "1 not known to be in it", "data hygiene"});
  expect_nobody_told(forgotten, people);
  for (const auto& file : files_naming(world, people)) {
    EXPECT_THAT(file, HasSubstr("memberships/snapshot-")) << "only what is proven still names them";
  }
  for (const auto* run : {"1", "2", "3"}) {
    for (const auto& person : people) EXPECT_THAT(members(run), Not(HasSubstr(person))) << run;
  }
  expect_told(told_by({"status", "loyalty"}), kFine, {"4 people are kept out"});
  expect_told(world.seamed_forget(people, "count"), kFine, {"(4 of them already before)"});
  const auto planned = world.plan({"--sample", "50"});
  expect_told(planned, kFine, {"people are forgotten on request"});
  expect_nobody_told(planned, people);

  run_well();

  EXPECT_THAT(both(in_any_audience(world), people), IsEmpty());
  EXPECT_THAT(files_naming(world, people), IsEmpty());
  expect_told(told_by({"verify", world.manifest().string(), "--rows", "full"}), kFine, {});
  const auto quiet = world.plan({"--detailed-exitcode"});
  EXPECT_EQ(quiet.code, kFine) << quiet.out << "nothing is left to do for them";

  next_day(world, 5);
  run_well();
  EXPECT_THAT(both(in_any_audience(world), people), IsEmpty()) << "whatever an export says";
  EXPECT_EQ(world.seamed_rollback(2, "count").code, kFine);
  EXPECT_THAT(both(in_any_audience(world), people), IsEmpty()) << "nor does a rollback bring them back";
  expect_told(told_by({"resume", "loyalty"}), kFine, {});
  expect_told(told_by({"state", "rebuild", world.manifest().string()}), kFine, {});
  run_well();
  EXPECT_THAT(both(in_any_audience(world), people), IsEmpty());
  EXPECT_THAT(files_naming(world, people), IsEmpty());

  expect_told(world.seamed_forget(people, "count", {"--lift"}), kFine, {"4 of 4 people may come back"});
  run_well();
  EXPECT_EQ(world.difference(), "") << "they agreed again";
}

TEST_F(ForgetTest, AGuardThatTripsSaysHowMuchOfItWasAskedFor) {
  run_well();
  const auto people = some_members(world, 20);
  world.guard = "guard: { max_removals: 1%, min_people: 1 }";
  EXPECT_EQ(world.seamed_forget(people, "count").code, kFine);

  const auto refused = world.seamed_apply("count");

  expect_told(refused, kRefusedByGuard, {"guard.max_removals", "people who were forgotten on request"});
  EXPECT_EQ(both(in_any_audience(world), people), people) << "nothing was done";
  const auto at = refused.out.find("audiencesync approve ");
  ASSERT_NE(at, std::string::npos) << refused.out;
  EXPECT_EQ(told_by({"approve", refused.out.substr(at + 21, 16), "--reason", "they asked"}).code, kFine);
  run_well();
  EXPECT_THAT(both(in_any_audience(world), people), IsEmpty());
  EXPECT_THAT(files_naming(world, people), IsEmpty());
}

/// A world with a past, and two of its members.
struct Asked {
  World world{Emulator::Options{.profiles = 60, .audiences = 3, .seed = 11, .record = ""}};
  Ids people;

  Asked() {
    for (int seed = 1; seed <= 2; ++seed) {
      if (seed > 1) next_day(world, seed);
      if (const auto run = world.seamed_apply("count"); run.code != kFine) throw std::runtime_error(run.err);
    }
    people = some_members(world, 2);
    next_day(world, 3);
  }

  /// "" when a run ends and nobody of them is anywhere.
  std::string ends_well() {
    const auto run = world.seamed_apply("count");
    if (run.code != kFine) return run.out + run.err;
    if (!both(in_any_audience(world), people).empty()) return "they are in the target";
    if (const auto named = files_naming(world, people); !named.empty()) return *named.begin() + " names them";
    return world.leftovers();
  }
};

// P2: forgetting may die at any durable write. What was taken note of is finished by the next run, without being asked
// again; what was not is as before.
std::string survive_killed_forget(int place, int* places) {
  Asked asked;
  if (places != nullptr) {
    const auto count = asked.world.folder() / "count";
    if (const auto done = asked.world.seamed_forget(asked.people, "count", {}, count); done.code != kFine) {
      return done.err;
    }
    *places = std::stoi(read_file(count));
    return asked.ends_well();
  }
  const auto where = fmt::format("killed at {}: ", place);
  const auto killed = asked.world.seamed_forget(asked.people, fmt::format("kill@{}", place));
  if (killed.code != kKilledBySeam && killed.code != kFine) return where + killed.err;
  const auto status =
      asked.world.run({"status", "loyalty", "--format", "json", "--config", asked.world.emulator().config().string()});
  if (status.out.find("\"forgotten\"") == std::string::npos) {
    if (const auto again = asked.world.seamed_forget(asked.people, "count"); again.code != kFine) return again.err;
  }
  const auto wrong = asked.ends_well();
  return wrong.empty() ? wrong : where + wrong;
}

TEST(KilledForget, IsFinishedByTheNextRun) {
  int places = 0;
  ASSERT_EQ(survive_killed_forget(0, &places), "");
  ASSERT_GT(places, 10);
  const int step = number_from_environment("AUDIENCESYNC_KILL_STEP", 2);
  std::string wrong;
  for (const auto& text :
       in_parallel(places / step, [&](int number) { return survive_killed_forget(1 + number * step, nullptr); })) {
    if (!text.empty()) wrong += text + "\n";
  }
  EXPECT_EQ(wrong, "");
}

std::atomic<int> asked_in_between{0};

// A run that wrote them in may be interrupted anywhere when they ask; so may the one that ends it.
std::string survive_killed_run(int place) {
  Asked asked;
  const auto where = fmt::format("killed at {}: ", place);
  if (const auto killed = asked.world.seamed_apply(fmt::format("kill@{}", place)); killed.code != kKilledBySeam) {
    return killed.code == kFine ? "" : where + killed.err;
  }
  const auto done = asked.world.seamed_forget(asked.people, "count");
  if (done.code != kFine) return where + done.err;
  if (told(done).find("files of an interrupted run are still needed") != std::string::npos) ++asked_in_between;
  if (const auto killed = asked.world.seamed_apply(fmt::format("kill@{}", place));
      killed.code != kKilledBySeam && killed.code != kFine) {
    return where + killed.err;
  }
  const auto wrong = asked.ends_well();
  return wrong.empty() ? wrong : where + wrong;
}

TEST(KilledRun, LeavesNobodyBehindWhoAskedInBetween) {
  const int runs = number_from_environment("AUDIENCESYNC_KILLED_RUNS", 14);
  std::string wrong;
  for (const auto& text : in_parallel(runs, [&](int number) { return survive_killed_run(20 + number * 7); })) {
    if (!text.empty()) wrong += text + "\n";
  }
  EXPECT_EQ(wrong, "");
  EXPECT_GT(asked_in_between, 0) << "no run was interrupted while it wrote";
}

}  // namespace
}  // namespace audiencesync::testing
