// The past of a sync: asked for, gone back to, limited, lost. Judged by what the platform's stand-in knew at that time.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/base/json.h"
#include "tests/spine/told.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

using ::testing::SizeIs;

constexpr int kDone = 0;
constexpr int kNotThere = 1;
constexpr int kRefusedHere = 4;
constexpr int kKilledHere = 137;

using People = std::set<std::string>;
using Audiences = std::map<std::string, People>;

Audiences truth_of(Emulator& emulator) {
  Audiences truth;
  for (const auto& audience : emulator.audiences()) truth[audience.id] = emulator.truth(audience.id);
  return truth;
}

/// What a rollback can bring back: whoever still is in some audience, and so in the export.
Audiences restorable(const Audiences& past, const Audiences& now) {
  People there;
  for (const auto& [id, people] : now) there.insert(people.begin(), people.end());
  Audiences back;
  for (const auto& [id, people] : past) {
    for (const auto& person : people) {
      if (there.contains(person)) back[id].insert(person);
    }
  }
  return back;
}

/// People by audience as they stand in the target; audiences that nobody is in are left out.
Audiences in_target(World& world) {
  auto members = members_by_audience(world.emulator(), world.target());
  std::erase_if(members, [](const auto& each) { return each.second.empty(); });
  return members;
}

Audiences without_empty(Audiences audiences) {
  std::erase_if(audiences, [](const auto& each) { return each.second.empty(); });
  return audiences;
}

class PastTest : public ::testing::Test {
 protected:
  std::string config() { return world.emulator().config().string(); }

  /// One more day: people change, and a run follows. Returns what was true then.
  Audiences day(int seed) {
    if (seed > 0) {
      world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
      world.emulator().evolve(0.2, seed);
    }
    const auto applied = world.seamed_apply("count");
    EXPECT_EQ(applied.code, kDone) << applied.out << applied.err;
    return truth_of(world.emulator());
  }

  ProcessResult members(std::vector<std::string> more) {
    std::vector<std::string> words{"members", "loyalty"};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--config", config()});
    return world.run(words);
  }

  People listed(const std::string& lines) {
    People people;
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) {
      EXPECT_TRUE(people.insert(parse_json(line).value().text("personID")).second) << "a person is listed twice";
    }
    return people;
  }

  std::vector<std::filesystem::path> deltas() {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(world.state() / "syncs/loyalty/memberships")) {
      if (entry.path().filename().string().starts_with("delta-")) found.push_back(entry.path());
    }
    return found;
  }

  World world{Emulator::Options{.profiles = 150, .audiences = 3}};
};

TEST_F(PastTest, AfterEachRunTheMembersAreThoseThatWereTrueThen) {
  std::vector<Audiences> truths;
  for (int seed = 0; seed < 4; ++seed) truths.push_back(day(seed));

  for (std::size_t run = 1; run <= truths.size(); ++run) {
    for (const auto& audience : world.emulator().audiences()) {
      const auto answer = members({audience.id, "--as-of", std::to_string(run)});
      EXPECT_EQ(answer.code, kDone) << answer.err;
      EXPECT_EQ(listed(answer.out), truths[run - 1].at(audience.id)) << "run " << run << ", " << audience.name;
    }
  }
  const auto first = world.emulator().audiences().front();
  EXPECT_EQ(listed(members({first.name}).out), truths.back().at(first.id)) << "now, by name";
}

TEST_F(PastTest, RecordsOfEveryLayoutHaveAPastAndAWayBack) {
  std::vector<Audiences> truths;
  for (const auto* target : {"delimited", "membership, accept_one_row_per_person: true", "person, name_lookup: true"}) {
    world.extra = fmt::format("target: {{ layout: {} }}\n", target);
    const int seed = static_cast<int>(truths.size());
    truths.push_back(day(2 * seed));
    truths.push_back(day(2 * seed + 1));
  }

  for (std::size_t run = 1; run <= truths.size(); ++run) {
    for (const auto& audience : world.emulator().audiences()) {
      const auto answer = members({audience.id, "--as-of", std::to_string(run)});
      EXPECT_EQ(answer.code, kDone) << answer.err;
      EXPECT_EQ(listed(answer.out), truths[run - 1].at(audience.id)) << "run " << run << ", " << audience.name;
    }
  }
  const auto rolled = world.seamed_rollback(2, "count");
  expect_told(rolled, kDone, {"goes back to the memberships after run 2", "converged"});
  // The target still has records of the older layouts, which go one after the other.
  for (const auto& [id, people] : restorable(truths[1], truths.back())) EXPECT_EQ(listed(members({id}).out), people);
}

TEST_F(PastTest, AListGoesIntoAPrivateFileOfAnyForm) {
  const auto truth = day(0);
  const auto first = world.emulator().audiences().front();
  for (const auto* name : {"list.csv", "list.parquet", "list.ndjson"}) {
    const auto path = world.folder() / name;
    const auto answer = members({first.id, "--out", path.string()});
    EXPECT_EQ(answer.code, kDone) << answer.err;
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::ifstream csv(world.folder() / "list.csv");
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line, "personID\r");
  People people;
  while (std::getline(csv, line)) people.insert(line.substr(0, line.size() - 1));
  EXPECT_EQ(people, truth.at(first.id));
  std::ifstream parquet(world.folder() / "list.parquet", std::ios::binary);
  std::string mark(4, ' ');
  parquet.read(mark.data(), 4);
  EXPECT_EQ(mark, "PAR1");
}

TEST_F(PastTest, WhatCannotBeAskedForIsSaidWithTheWayOut) {
  day(0);
  const auto first = world.emulator().audiences().front();
  auto misspelt = first.name;
  misspelt.back() = '#';
  expect_told(members({misspelt}), kNotThere, {"has no audience", "did you mean '" + first.name + "'?"});
  expect_told(members({first.id, "--as-of", "77"}), kNotThere, {"has no run 77", "audiencesync history"});
  expect_told(members({first.id, "--format", "parquet"}), 64, {"--out FILE"});
  expect_told(members({first.id, "--as-of", "yesterday"}), 64, {"'yesterday' is not the number of a run"});
}

TEST_F(PastTest, ARollbackBringsBackWhoStillIsThereAndSuspendsTheSync) {
  const auto then = day(0);
  day(1);
  const auto now = day(2);
  const auto back = restorable(then, now);
  ASSERT_NE(without_empty(back), without_empty(now)) << "nothing would be seen";

  const auto rolled = world.seamed_rollback(1, "count");

  expect_told(rolled, kDone, {"goes back to the memberships after run 1", "converged"});
  EXPECT_EQ(in_target(world), without_empty(back));
  world.emulator().clear_calls();
  expect_told(world.seamed_apply("count"), kRefusedHere, {"suspended since", "a story", "audiencesync resume loyalty"});
  EXPECT_THAT(changes_made(world.emulator()), SizeIs(0)) << "not even an export is made";
  expect_told(world.seamed({"plan"}, "count"), kDone, {"the sync is suspended since"});
  expect_told(world.run({"status", "--config", config()}), kDone, {"loyalty: suspended", "rollback to run 1: a story"});
  expect_told(world.run({"history", "--config", config()}), kDone, {"rollback to run 1: a story", "suspended by"});
  for (const auto& [id, people] : back) {
    EXPECT_EQ(listed(members({id}).out), people) << "the past has one more state now";
    EXPECT_EQ(listed(members({id, "--as-of", "3"}).out), now.at(id));
  }

  expect_told(world.run({"resume", "loyalty", "--reason", "repaired", "--config", config()}), kDone, {"resumed"});
  EXPECT_EQ(world.seamed_apply("count").code, kDone);
  EXPECT_EQ(world.difference(), "");
}

TEST_F(PastTest, ARollbackCountsWhatStaysAwayAndKeepsWhatJoinedLater) {
  const auto all = world.emulator().audiences();
  world.declared = {{all[0].id, all[0].name}, {all[1].id, all[1].name}};
  const auto then = day(0);
  world.declared = {{all[1].id, all[1].name}, {all[2].id, all[2].name}};
  const auto now = day(1);

  const auto dry = world.seamed({"rollback", "loyalty", "--to", "1", "--dry-run"}, "count", {}, "--manifest");

  expect_told(dry, kDone,
              {"joined the sync after run 1", all[2].name, "audiences that the manifest no longer has do not come back",
               all[0].name, "audiencesync rollback loyalty --to 1"});
  EXPECT_EQ(world.seamed_rollback(1, "count").code, kDone);
  const auto target = in_target(world);
  EXPECT_FALSE(target.contains(all[0].id));
  EXPECT_EQ(target.at(all[2].id), now.at(all[2].id));
  const Audiences declared_now{{all[1].id, now.at(all[1].id)}, {all[2].id, now.at(all[2].id)}};
  EXPECT_EQ(target.at(all[1].id), restorable(then, declared_now)[all[1].id]);
}

TEST_F(PastTest, AGuardHoldsARollbackUntilItIsApproved) {
  const auto then = day(0);
  day(1);
  const auto now = day(2);
  world.guard = "guard: { max_removals: 0.1%, min_people: 1 }";
  day(0);

  const auto refused = world.seamed_rollback(1, "count");

  expect_told(refused, kRefusedHere, {"guard.max_removals", "audiencesync approve"});
  const auto at = refused.out.find("audiencesync approve ");
  ASSERT_NE(at, std::string::npos) << refused.out;
  const auto digest = refused.out.substr(at + 21, 16);
  EXPECT_EQ(in_target(world), without_empty(now)) << "nothing was done";
  EXPECT_EQ(world.run({"approve", digest, "--reason", "meant", "--config", config()}).code, kDone);
  EXPECT_EQ(world.seamed_apply("count").code, kDone);
  EXPECT_EQ(in_target(world), without_empty(restorable(then, now)));
  expect_told(world.seamed_apply("count"), kRefusedHere, {"suspended since"});
}

TEST_F(PastTest, ASuspensionEndsByItself) {
  day(0);
  expect_told(world.run({"suspend", "loyalty", "--until", "1h", "--reason", "freeze", "--config", config()}), kDone,
              {"suspended until"});
  expect_told(world.seamed_apply("count"), kRefusedHere, {"freeze"});
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2h"})");
  EXPECT_EQ(world.seamed_apply("count").code, kDone);
}

TEST_F(PastTest, RetentionLimitsThePastAndSaysSo) {
  world.extra = "retention: { generations: 1 }\n";
  std::vector<Audiences> truths;
  for (int seed = 0; seed < 4; ++seed) truths.push_back(day(seed));
  const auto first = world.emulator().audiences().front();

  EXPECT_THAT(deltas(), SizeIs(1));
  EXPECT_EQ(listed(members({first.id, "--as-of", "3"}).out), truths[2].at(first.id));
  expect_told(members({first.id, "--as-of", "2"}), kNotThere, {"the history goes back to run 3", "retention"});
  expect_told(world.seamed_rollback(1, "count"), kNotThere, {"the history goes back to run 3"});
}

TEST_F(PastTest, ALostOrDamagedStepShortensThePastLoudlyAndStopsNoRun) {
  std::vector<Audiences> truths;
  for (int seed = 0; seed < 3; ++seed) truths.push_back(day(seed));
  const auto first = world.emulator().audiences().front();
  const auto files = deltas();
  ASSERT_THAT(files, SizeIs(2));
  for (const auto& file : files) std::ofstream(file, std::ios::binary) << "no delta";

  expect_told(members({first.id, "--as-of", "1"}), kNotThere, {"delta-"});
  EXPECT_EQ(listed(members({first.id}).out), truths[2].at(first.id));
  for (const auto& file : files) std::filesystem::remove(file);
  world.emulator().evolve(0.2, 9);
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
  const auto next = world.seamed_apply("count");

  expect_told(next, kDone, {"history.shortened"});
  EXPECT_EQ(listed(members({first.id, "--as-of", "3"}).out), truths[2].at(first.id)) << "the new step is whole";
  expect_told(members({first.id, "--as-of", "2"}), kNotThere, {"the history goes back to run 3"});
}

// P2: a rollback may die at any call and any durable write; called again it ends as if nothing had happened.
std::string survive_rollback(int place, int* places) {
  World world(Emulator::Options{.profiles = 60, .audiences = 3, .seed = 11, .record = ""});
  std::vector<Audiences> truths;
  for (int seed = 0; seed < 2; ++seed) {
    if (seed > 0) world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
    if (seed > 0) world.emulator().evolve(0.4, 5);
    if (const auto run = world.seamed_apply("count"); run.code != kDone) return "a first run failed: " + run.err;
    truths.push_back(truth_of(world.emulator()));
  }
  const auto wanted = without_empty(restorable(truths[0], truths[1]));
  if (places != nullptr) {
    const auto count = world.folder() / "count";
    if (const auto run = world.seamed_rollback(1, "count", count); run.code != kDone) return run.out + run.err;
    *places = std::stoi(read_file(count));
    return {};
  }
  const auto where = fmt::format("killed at {}: ", place);
  const auto killed = world.seamed_rollback(1, fmt::format("kill@{}", place));
  if (killed.code != kKilledHere && killed.code != kDone) return where + killed.err;
  const auto again = world.seamed_rollback(1, "count");
  if (again.code != kDone) return where + again.out + again.err;
  if (in_target(world) != wanted) return where + "the target is not what it was after run 1";
  if (auto wrong = world.leftovers(); !wrong.empty()) return where + wrong;
  if (const auto next = world.seamed_apply("count"); next.code != kRefusedHere)
    return where + "the sync is not suspended";
  return {};
}

TEST(KilledRollback, EndsAsIfNothingHadHappened) {
  int places = 0;
  ASSERT_EQ(survive_rollback(0, &places), "");
  ASSERT_GT(places, 30);
  const int step = number_from_environment("AUDIENCESYNC_KILL_STEP", 3);
  std::string wrong;
  for (const auto& text :
       in_parallel(places / step, [&](int number) { return survive_rollback(1 + number * step, nullptr); })) {
    if (!text.empty()) wrong += text + "\n";
  }
  EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace audiencesync::testing
