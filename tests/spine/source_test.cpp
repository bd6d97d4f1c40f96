// Memberships that come from elsewhere than an export job of ours: files somebody lands on this machine, and the
// dataset the platform itself writes each night.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 4;
constexpr int kNotFinished = 5;
constexpr int kInvalid = 65;

/// A sync that reads a folder which the settings allow.
class LandingZone : public ::testing::Test {
 protected:
  LandingZone() {
    std::filesystem::create_directories(zone);
    std::ofstream(world.emulator().config(), std::ios::app) << fmt::format("source_folders: [\"{}\"]\n", zone.string());
    point_at(zone);
  }

  void point_at(const std::filesystem::path& path) {
    world.extra = fmt::format("source: {{ from: files, path: \"{}\" }}\n", path.string());
  }

  // All people the emulator knows to be in an audience, as profiles in JSON lines over so many files. They look as if
  // they had been complete for some minutes.
  void land(int count, std::chrono::seconds age = std::chrono::minutes{5}) {
    std::map<std::string, std::set<std::string>> people;
    for (const auto& audience : emulator.audiences()) {
      for (const auto& person : emulator.truth(audience.id)) people[person].insert(audience.id);
    }
    std::vector<std::string> parts(static_cast<std::size_t>(count));
    std::size_t at = 0;
    for (const auto& [person, audiences] : people) {
      std::string memberships;
      for (const auto& id : audiences) {
        memberships += fmt::format(R"({}"{}":{{"status":"realized"}})", memberships.empty() ? "" : ",", id);
      }
      parts[at++ % parts.size()] += fmt::format(
          R"({{"_demoemea":{{"identification":{{"core":{{"email":"{}"}}}}}},"segmentMembership":{{"ups":{{{}}}}}}})"
          "\n",
          person, memberships);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      put(fmt::format("part-{}.jsonl", i), parts[i], age);
    }
  }

  void put(const std::string& name, const std::string& text, std::chrono::seconds age = std::chrono::minutes{5}) {
    std::ofstream(zone / name, std::ios::trunc) << text;
    std::filesystem::last_write_time(zone / name, std::filesystem::file_time_type::clock::now() - age);
  }

  World world{Emulator::Options{.profiles = 300, .audiences = 4}};
  Emulator& emulator = world.emulator();
  std::filesystem::path zone = world.folder() / "landing";
};

TEST_F(LandingZone, IsComparedAndWrittenWithoutAnyExport) {
  land(3);
  put("_SUCCESS", "");
  put(".hidden.jsonl", "no profile at all");
  put("part-9.jsonl.tmp", "half a pro");
  expect_told(world.apply(), kOk, {"converged"});
  EXPECT_EQ(world.difference(), "");
  EXPECT_THAT(emulator.writes(), Not(Contains(StartsWith("POST /data/core/ups/export/jobs"))));
  EXPECT_TRUE(emulator.datasets_tagged("role:export").empty());

  emulator.evolve(0.1, 3);
  expect_told(world.plan(), kOk, {"nothing to do"});
  land(2);
  std::filesystem::remove(zone / "part-2.jsonl");
  expect_told(world.plan({"--detailed-exitcode"}), 2, {"membership"});
  expect_told(world.apply(), kOk, {});
  EXPECT_EQ(world.difference(), "");
  emulator.clear_calls();
  expect_told(world.apply(), kOk, {});
  EXPECT_TRUE(emulator.writes().empty());
}

// An export of ids so long that sorting it takes more than the least memory, and what is sorted more disk than allowed.
TEST_F(LandingZone, SortingMoreThanTheDiskMayHoldEndsTheRunAndAHigherCapLetsTheNextOneFinish) {
  constexpr int kPeople = 21'000;
  std::string lines;
  std::uint64_t random = 1;
  for (int i = 0; i < kPeople; ++i) {
    std::string person = fmt::format("{}-", i);
    while (person.size() < 1'000)
      person += fmt::format("{:016x}", random = random * 6364136223846793005 + 1442695040888963407);
    lines +=
        fmt::format(R"({{"_demoemea":{{"identification":{{"core":{{"email":"{}"}}}}}},"segmentMembership":{{"ups":)"
                    R"({{"{}":{{"status":"realized"}}}}}}}})"
                    "\n",
                    person, emulator.audiences().front().id);
  }
  put("part-0.jsonl", lines);
  const auto settings = read_file(world.emulator().config());
  write_file(world.emulator().config(), settings + "limits: { memory: 64MB, disk: 3MB }\n");
  const auto full = world.apply();
  expect_told(full, kFailed,
              {"/memberships/tmp/", "would hold more than limits.disk allows", "raise it, or make room"});
  EXPECT_EQ(world.leftovers(), "");
  EXPECT_THAT(emulator.writes(), Not(Contains(StartsWith("POST /data/foundation/import/batches"))));
  std::vector<std::string> large;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.state())) {
    if (entry.is_regular_file() && entry.file_size() > 1'000'000) large.push_back(entry.path().string());
  }
  EXPECT_EQ(large, std::vector<std::string>()) << "what was sorted is gone";

  write_file(world.emulator().config(), settings + "limits: { memory: 64MB, disk: 1GB }\n");
  expect_told(world.apply(), kOk, {"converged"});
  const auto rows = emulator.control_text("GET", "/_emulator/datasets/" + world.target() + "/rows");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), kPeople);
}

TEST_F(LandingZone, TakesAPatternOfPaths) {
  std::filesystem::create_directories(zone / "2026-01-01");
  std::filesystem::create_directories(zone / "2026-01-02");
  land(2);
  std::filesystem::rename(zone / "part-0.jsonl", zone / "2026-01-02" / "people-0.json");
  std::filesystem::rename(zone / "part-1.jsonl", zone / "2026-01-02" / "people-1.json");
  put("2026-01-01/people-0.json", "of another day and not even JSON\n");
  point_at(zone / "*-02" / "people-[0-9].json");
  expect_told(world.apply(), kOk, {});
  EXPECT_EQ(world.difference(), "");
}

TEST_F(LandingZone, ThatIsEmptyOrNotThereMakesTheRunWaitAndRemovesNobody) {
  land(1);
  expect_told(world.apply(), kOk, {});
  std::filesystem::remove(zone / "part-0.jsonl");
  emulator.clear_calls();
  expect_told(world.apply(), kNotFinished,
              {"there is no file of profiles at", "run again when the files have arrived"});
  expect_told(world.plan(), kOk, {"there is no file of profiles at"});
  point_at(zone / "nowhere" / "*.parquet");
  expect_told(world.apply(), kNotFinished, {"there is no file of profiles at"});
  EXPECT_TRUE(emulator.writes().empty());
  EXPECT_EQ(world.difference(), "");
}

TEST_F(LandingZone, ThatIsStillBeingWrittenOrTooOldIsNotUsed) {
  land(2);
  expect_told(world.apply(), kOk, {});
  emulator.evolve(0.2, 5);
  land(2, std::chrono::seconds{-3600});
  expect_told(world.apply(), kNotFinished, {"may still be written"});
  land(2, std::chrono::hours{40});
  expect_told(world.apply(), kNotFinished, {"is 40 h old, more than source.max_age (36h) allows"});
  land(2);
  expect_told(world.apply(), kOk, {});
  EXPECT_EQ(world.difference(), "");
}

TEST_F(LandingZone, WithAFileMissingTripsTheGuard) {
  land(4);
  expect_told(world.apply(), kOk, {});
  world.guard = "guard: { min_people: 10 }";
  std::filesystem::remove(zone / "part-2.jsonl");
  expect_told(world.apply(), kRefused, {"max_removals"});
  const auto members = members_by_audience(emulator, world.target());
  for (const auto& audience : emulator.audiences()) EXPECT_EQ(members.at(audience.id), emulator.truth(audience.id));
}

TEST_F(LandingZone, WithADamagedFileChangesNothing) {
  land(2);
  expect_told(world.apply(), kOk, {});
  put("part-1.jsonl", std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 cut", 14));
  emulator.clear_calls();
  expect_told(world.apply(), kFailed, {"part-1.jsonl"});
  EXPECT_TRUE(emulator.writes().empty());
}

TEST_F(LandingZone, NeverLeadsOutOfTheFoldersTheSettingsAllow) {
  const auto secret = world.folder() / "secret.jsonl";
  std::ofstream(secret) << "{}\n";
  std::filesystem::last_write_time(secret, std::filesystem::file_time_type::clock::now() - std::chrono::minutes{5});
  land(1);
  std::filesystem::create_symlink(secret, zone / "link.jsonl");
  expect_told(world.apply(), kRefused, {"leads out of the folders that the settings allow"});
  point_at(world.folder());
  expect_told(world.apply(), kInvalid, {"is in none of the folders that the settings allow"});
  point_at(zone / ".." / "secret.jsonl");
  expect_told(world.apply(), kInvalid, {"has '..' in it"});
}

TEST_F(LandingZone, ExplainsAPersonFromTheFiles) {
  land(2);
  expect_told(world.apply(), kOk, {});
  const auto person = *emulator.truth(emulator.audiences()[0].id).begin();
  std::ofstream(world.folder() / "person") << person << "\n";
  const auto explained =
      run_process({"/bin/sh", "-c",
                   fmt::format("'{}/audiencesync' explain loyalty - --config '{}' < '{}'", AUDIENCESYNC_BIN_DIR,
                               emulator.config().string(), (world.folder() / "person").string())},
                  {}, world.folder());
  expect_told(explained, kOk, {"realized"});
  EXPECT_THAT(explained.out + explained.err, Not(HasSubstr(person)));
}

class ProfileSnapshotTest : public ::testing::Test {
 protected:
  ProfileSnapshotTest() { world.extra = "source: { from: profile-snapshot }\n"; }

  void a_day_passes() { emulator.control("PUT", "/_emulator/clock", R"({"advance":"24h"})"); }
  // The batch is written by the platform at its own pace.
  ProcessResult applied() {
    auto result = world.apply();
    for (int i = 0; i < 40 && result.code == kNotFinished; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{250});
      result = world.apply();
    }
    return result;
  }

  World world{Emulator::Options{.profiles = 300, .audiences = 4}};
  Emulator& emulator = world.emulator();
};

TEST_F(ProfileSnapshotTest, IsReadInsteadOfAnExport) {
  expect_told(world.apply(), kNotFinished, {"has no batch to read yet"});
  expect_told(world.plan(), kOk, {"has no batch to read yet"});
  a_day_passes();
  expect_told(applied(), kOk, {"converged"});
  EXPECT_EQ(world.difference(), "");
  EXPECT_THAT(emulator.writes(), Not(Contains(StartsWith("POST /data/core/ups/export/jobs"))));
  EXPECT_TRUE(emulator.datasets_tagged("role:export").empty());

  // What changes during the day is seen the day after, from the newest batch alone.
  emulator.evolve(0.2, 9);
  emulator.clear_calls();
  expect_told(world.apply(), kOk, {});
  EXPECT_TRUE(emulator.writes().empty());
  a_day_passes();
  for (int i = 0; i < 40 && !world.difference().empty(); ++i) {
    ASSERT_EQ(world.apply().code, kOk);
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  EXPECT_EQ(world.difference(), "");
}

TEST_F(ProfileSnapshotTest, ThatIsTooOldIsNotUsed) {
  a_day_passes();
  expect_told(applied(), kOk, {});
  world.extra = "source: { from: profile-snapshot, max_age: 1h }\n";
  emulator.control("PUT", "/_emulator/clock", R"({"advance":"2h"})");
  expect_told(world.apply(), kNotFinished, {"more than source.max_age (1h) allows"});
}

TEST_F(ProfileSnapshotTest, ThatNobodyShowsUsIsRefused) {
  emulator.control(
      "POST", "/_emulator/audiences",
      fmt::format(R"({{"do":"set_merge_policy","id":"{}","merge_policy":""}})", emulator.audiences()[0].id));
  world.extra = "source: { from: profile-snapshot, merge_policy: Without identity graph }\n";
  a_day_passes();
  const auto result = applied();
  // The audiences belong to the default policy: this manifest cannot have them from another one's snapshot.
  EXPECT_NE(result.code, kOk) << result.out << result.err;
}

TEST(WaitForEvaluationTest, AnExportWaitsForOneThatIsNewerThanTheExportBefore) {
  World world;
  world.extra = "source: { wait_for_evaluation: 2s }\n";
  expect_told(world.apply(), kOk, {});
  world.emulator().evolve(0.1, 3);  // and evaluates
  const auto newer = world.apply();
  EXPECT_EQ(newer.code, kOk) << newer.out << newer.err;
  EXPECT_THAT(told(newer), Not(HasSubstr("wait_for_evaluation")));
  EXPECT_EQ(world.difference(), "");
  const auto missed = world.apply();
  EXPECT_EQ(missed.code, kOk) << "it is a warning only";
  EXPECT_THAT(told(missed), HasSubstr("no evaluation of the audiences came within 2s"));
  EXPECT_EQ(world.difference(), "");
}

}  // namespace
}  // namespace audiencesync::testing
