// P9: what we know of the target may be lost in any way; it is read back from the dataset, equal to what was lost, and
// never taken for empty.
#include "tests/spine/rebuild_bench.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kKilled = 137;

Emulator::Options small() { return {.profiles = 80, .audiences = 4, .seed = 11, .record = ""}; }

class RebuildTest : public ::testing::Test {
 protected:
  RebuildTest() : world(small()) {}
  World world;

  void advance() { world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})"); }
  std::string manifest() const { return world.manifest().string(); }
};

TEST_F(RebuildTest, ApplyReadsALostSnapshotBackAndSaysSo) {
  live_through(world);
  const auto name = snapshot_name(world);
  std::filesystem::remove(snapshot_file(world));
  world.emulator().clear_calls();

  const auto planned = world.plan({"--detailed-exitcode"});
  EXPECT_EQ(planned.code, 2) << planned.out << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("the snapshot is missing"));
  EXPECT_THROW(snapshot_file(world), std::runtime_error) << "a plan rebuilds nothing";

  const auto applied = world.apply({"--no-refresh"});
  EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  EXPECT_THAT(applied.err, HasSubstr("snapshot.rebuilt"));
  EXPECT_THAT(applied.out, HasSubstr("read back"));
  EXPECT_EQ(snapshot_name(world), name) << "not the memberships that were lost";
  EXPECT_THAT(world.emulator().writes(), IsEmpty()) << "nothing had to be written to the platform";
  EXPECT_EQ(world.difference(), "");
  const auto again = world.plan({"--detailed-exitcode"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_THAT(again.out, Not(HasSubstr("read back"))) << "it was told";
}

TEST_F(RebuildTest, ADamagedSnapshotIsReadBackWhereverTheDamageIs) {
  live_through(world);
  const auto file = snapshot_file(world);
  const auto whole = read_file(file);
  std::mt19937 random(5);
  for (const auto at : {std::size_t{0}, std::size_t{9}, whole.size() / 2, whole.size() - 100, whole.size() - 3}) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    write_file(file, random() % 2 == 0 ? damaged : whole.substr(0, at));
    world.emulator().evolve(0.05, static_cast<int>(at));
    advance();
    const auto applied = world.apply();
    ASSERT_EQ(applied.code, 0) << "damaged at " << at << ": " << applied.out << applied.err;
    EXPECT_THAT(applied.err, HasSubstr("snapshot.rebuilt")) << at;
    EXPECT_EQ(world.difference(), "");
    write_file(file, whole);  // each damage begins with a snapshot that is current
    std::filesystem::remove(file);
    ASSERT_EQ(rebuild_state(world).code, 0);
    if (snapshot_file(world) != file) break;
  }
}

TEST_F(RebuildTest, TheCommandShowsWhatItFound) {
  live_through(world);
  const auto name = snapshot_name(world);
  std::filesystem::remove(snapshot_file(world));
  const auto rebuilt = rebuild_state(world);
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr("read back from dataset"));
  EXPECT_THAT(rebuilt.out, HasSubstr("of 3 batches"));
  EXPECT_THAT(rebuilt.out, HasSubstr(world.emulator().audiences().front().name));
  EXPECT_EQ(snapshot_name(world), name);
  EXPECT_EQ(world.difference(), "");
  const auto history = world.run({"history", "--config", world.emulator().config().string()});
  EXPECT_THAT(history.out, HasSubstr("read back")) << history.out;
}

TEST_F(RebuildTest, AnEmptyStateFolderTakesTheDatasetOver) {
  live_through(world);
  const auto name = snapshot_name(world);
  const auto old_state = world.folder() / "old-state";
  std::filesystem::rename(world.state(), old_state);

  const auto refused = rebuild_state(world);
  EXPECT_EQ(refused.code, 4) << refused.out << refused.err;
  EXPECT_THAT(refused.out, HasSubstr("state rebuild"));
  EXPECT_THAT(refused.out, HasSubstr("--take-over"));
  const auto applied = world.apply();
  EXPECT_EQ(applied.code, 4) << applied.out;

  const auto taken = rebuild_state(world, {"--take-over"});
  ASSERT_EQ(taken.code, 0) << taken.out << taken.err;
  EXPECT_THAT(taken.out, HasSubstr("of another state folder"));
  EXPECT_EQ(snapshot_name(world), name);
  world.emulator().evolve(0.1, 9);
  advance();
  const auto next = world.apply();
  EXPECT_EQ(next.code, 0) << next.out << next.err;
  EXPECT_EQ(world.difference(), "");
  EXPECT_EQ(world.leftovers(), "");

  // The old machine comes back.
  const auto stale = world.apply({"--state", old_state.string()});
  EXPECT_EQ(stale.code, 4) << stale.out;
  EXPECT_EQ(world.difference(), "");
}

TEST_F(RebuildTest, GenerationsGoOnAfterThoseOfTheLostFolder) {
  live_through(world);
  std::filesystem::remove_all(world.state());
  ASSERT_EQ(rebuild_state(world, {"--take-over"}).code, 0);
  world.emulator().evolve(0.3, 21);
  advance();
  ASSERT_EQ(world.apply().code, 0);
  EXPECT_EQ(world.difference(), "") << "records of a generation used twice hide each other";
}

TEST_F(RebuildTest, AnOlderBackupOfTheStateCatchesUp) {
  ASSERT_EQ(world.apply().code, 0);
  const auto backup = world.folder() / "backup";
  std::filesystem::copy(world.state(), backup, std::filesystem::copy_options::recursive);
  world.emulator().evolve(0.3, 5);
  advance();
  ASSERT_EQ(world.apply().code, 0);
  std::filesystem::remove_all(world.state());
  std::filesystem::rename(backup, world.state());

  world.emulator().evolve(0.1, 6);
  advance();
  const auto applied = world.apply();
  EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  EXPECT_THAT(applied.err, HasSubstr("snapshot.rebuilt"));
  EXPECT_EQ(world.difference(), "");
  EXPECT_EQ(world.leftovers(), "");
}

TEST_F(RebuildTest, ABatchThatVanishedIsFoundOutAndEveryoneIsWrittenAgain) {
  live_through(world);
  to_batches(world, fmt::format(R"({{"do":"vanish","batch":"{}"}})", live_batches(world).back()));
  const auto applied = world.apply({"--no-refresh"});
  EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  EXPECT_THAT(applied.err, HasSubstr("snapshot.rebuilt"));
  EXPECT_EQ(world.difference(), "");
  const auto again = world.plan({"--detailed-exitcode"});
  EXPECT_EQ(again.code, 0) << again.out;
}

TEST_F(RebuildTest, ConsolidatedBatchesAreReadWhereTheirRowsAre) {
  live_through(world);
  const auto name = snapshot_name(world);
  to_batches(world, fmt::format(R"({{"do":"compact","dataset":"{}"}})", world.target()));
  std::filesystem::remove(snapshot_file(world));
  ASSERT_EQ(rebuild_state(world).code, 0);
  EXPECT_EQ(snapshot_name(world), name);
  // The same with nothing left of the log: the batches behind the consolidation carry the tags.
  std::filesystem::remove_all(world.state());
  const auto taken = rebuild_state(world, {"--take-over"});
  ASSERT_EQ(taken.code, 0) << taken.out << taken.err;
  EXPECT_EQ(snapshot_name(world), name);
  EXPECT_EQ(world.plan().code, 0);
}

TEST_F(RebuildTest, WhatCannotBeReadChangesNothing) {
  live_through(world);
  const auto target = world.target();
  const auto before = world.run({"status", "--format", "json", "--config", world.emulator().config().string()}).out;
  const auto snapshot = snapshot_file(world);
  const auto bytes = read_file(snapshot);
  for (
      const std::string fault :
      {R"([{"method":"GET","path":"/data/foundation/export/files/*","after":1,"times":99,"action":{"truncate":40}}])",
       R"([{"method":"GET","path":"/data/foundation/export/files/*","times":99,"action":{"status":404}}])",
       R"([{"method":"GET","path":"/data/foundation/export/batches/*","times":99,"action":{"empty_list":true}}])",
       R"([{"method":"GET","path":"/data/foundation/export/batches/*","after":1,"times":99,"action":{"status":404}}])"}) {
    world.emulator().faults(fault);
    const auto rebuilt = rebuild_state(world);
    EXPECT_NE(rebuilt.code, 0) << fault << rebuilt.out;
    world.emulator().faults("[]");
    EXPECT_EQ(read_file(snapshot), bytes) << fault;
    EXPECT_THAT(rebuilt.err, Not(HasSubstr("@"))) << "an id of a person may be in this: " << rebuilt.err;
  }
  ASSERT_EQ(rebuild_state(world).code, 0);
  EXPECT_EQ(snapshot_file(world), snapshot);
}

TEST_F(RebuildTest, ABatchOfAStrangerIsNamedAndNothingIsReadBack) {
  live_through(world);
  const auto target = world.target();
  const auto made =
      world.emulator().api("POST", "/data/foundation/import/batches",
                           fmt::format(R"({{"datasetId":"{}","inputFormat":{{"format":"json"}}}})", target));
  const auto id = made.text("id");
  world.emulator().api(
      "PUT", fmt::format("/data/foundation/import/batches/{}/datasets/{}/files/part.json", id, target),
      fmt::format("{{\"_id\":\"1\",\"personID\":\"x@x.example\",\"{}\":{{\"audienceSyncGeneration\":99}}}}\n",
                  world.emulator().tenant()));
  world.emulator().api("POST", fmt::format("/data/foundation/import/batches/{}?action=COMPLETE", id));
  for (int i = 0; i < 100 && live_batches(world).size() < 4; ++i) usleep(20'000);
  ASSERT_EQ(live_batches(world).size(), 4U);
  std::filesystem::remove(snapshot_file(world));
  const auto rebuilt = rebuild_state(world);
  EXPECT_EQ(rebuilt.code, 4) << rebuilt.out << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr(id));
  EXPECT_THROW(snapshot_file(world), std::runtime_error);
}

enum class Lost { Snapshot, Folder };

/// Kills a rebuild at `place` (0: not at all), then lets another one end: "" when all is as it should be.
std::string survive_rebuild(Lost lost, int place, int* places) {
  World world(small());
  live_through(world);
  const auto name = snapshot_name(world);
  if (lost == Lost::Snapshot) std::filesystem::remove(snapshot_file(world));
  if (lost == Lost::Folder) std::filesystem::remove_all(world.state());
  std::vector<std::string> words{"state", "rebuild"};
  if (lost == Lost::Folder) words.emplace_back("--take-over");
  const auto count = world.folder() / "count";
  const auto first = world.seamed(words, place == 0 ? "count" : fmt::format("kill@{}", place), count);
  if (places != nullptr) *places = std::stoi(read_file(count));
  if (place != 0 && first.code != kKilled) return fmt::format("at {}: ended {}", place, first.code);
  const auto second = world.seamed(words, "count");
  if (second.code != 0)
    return fmt::format("at {}: the next one ended {}: {}{}", place, second.code, second.out, second.err);
  if (snapshot_name(world) != name) return fmt::format("at {}: another snapshot", place);
  world.emulator().evolve(0.2, 8);
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
  const auto applied = world.seamed_apply("count");
  if (applied.code != 0)
    return fmt::format("at {}: apply ended {}: {}{}", place, applied.code, applied.out, applied.err);
  if (auto wrong = world.difference(); !wrong.empty()) return fmt::format("at {}: {}", place, wrong);
  if (auto wrong = world.leftovers(); !wrong.empty()) return fmt::format("at {}: {}", place, wrong);
  return {};
}

void kill_rebuilds(Lost lost) {
  int places = 0;
  ASSERT_EQ(survive_rebuild(lost, 0, &places), "");
  ASSERT_GT(places, 20);
  // Each place has a life of its own before it, which takes seconds.
  const int step = std::max(12, number_from_environment("AUDIENCESYNC_KILL_STEP", 12));
  std::string wrong;
  for (const auto& each :
       in_parallel(places / step, [&](int number) { return survive_rebuild(lost, 1 + number * step, nullptr); })) {
    if (!each.empty()) wrong += each + "\n";
  }
  EXPECT_EQ(wrong, "");
}

TEST(RebuildKill, AnywhereWhileASnapshotIsReadBack) { kill_rebuilds(Lost::Snapshot); }

TEST(RebuildKill, AnywhereWhileAFolderIsTakenOver) { kill_rebuilds(Lost::Folder); }

class RebuildOfLayout : public ::testing::TestWithParam<const char*> {};

TEST_P(RebuildOfLayout, GivesWhatWasLostAndVerifyFindsNoDifference) {
  World world(small());
  world.extra = fmt::format("target: {{ {} }}\n", GetParam());
  live_through(world);
  const auto name = snapshot_name(world);
  const auto verified = verify_rows(world, {"--rows", "full"});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  std::filesystem::remove(snapshot_file(world));

  const auto rebuilt = rebuild_state(world);

  EXPECT_EQ(rebuilt.code, 0) << rebuilt.out << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr("people  " + world.emulator().audiences().front().name))
      << "also where only ids are";
  EXPECT_EQ(snapshot_name(world), name);
  const auto sample = verify_rows(world, {"--rows", "sample", "--seed", "3"});
  EXPECT_EQ(sample.code, 0) << sample.out << sample.err;
  world.emulator().clear_calls();
  const auto applied = world.apply({"--no-refresh"});
  EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  EXPECT_THAT(world.emulator().writes(), IsEmpty()) << "nothing is written again";
  // Without tombstones, who left is in the rows of older batches until those go.
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"5h"})");
  const auto later = world.apply();
  EXPECT_EQ(later.code, 0) << later.out << later.err;
  EXPECT_EQ(world.difference(), "");
}

INSTANTIATE_TEST_SUITE_P(Layouts, RebuildOfLayout,
                         ::testing::Values("layout: membership, accept_one_row_per_person: true",
                                           "layout: delimited, upload: parquet", "name_lookup: true"));

}  // namespace
}  // namespace audiencesync::testing
