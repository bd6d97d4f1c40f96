// The real rows beside what was proven: equal after every run, and whatever differs is named, without naming anybody.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "tests/spine/rebuild_bench.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class VerifyTest : public ::testing::Test {
 protected:
  World world{Emulator::Options{.profiles = 80, .audiences = 4, .seed = 11, .record = ""}};

  Value as_json(const std::vector<std::string>& more) {
    auto words = more;
    words.insert(words.end(), {"--format", "json"});
    const auto run = verify_rows(world, words);
    const auto value = parse_json(run.out);
    if (!value.ok()) throw std::runtime_error(run.out + run.err);
    EXPECT_EQ(value->number("exit_code"), run.code);
    return *value;
  }

  /// One more batch with the tags of the sync, that the sync knows nothing of.
  void write_behind_its_back(const std::string& line) {
    const auto batches = live_batches(world);
    const auto target = world.target();
    const auto before = world.emulator().batches(target);
    const auto tags = to_json(*before.at(batches.front()).find("tags"));
    const auto made = world.emulator().api(
        "POST", "/data/foundation/import/batches",
        fmt::format(R"({{"datasetId":"{}","inputFormat":{{"format":"json"}},"tags":{}}})", target, tags));
    const auto id = made.text("id");
    const auto batch = "/data/foundation/import/batches/" + id;
    world.emulator().api("PUT", fmt::format("{}/datasets/{}/files/part.json", batch, target), line);
    world.emulator().api("POST", batch + "?action=COMPLETE");
    for (int i = 0; i < 200 && live_batches(world).size() == batches.size(); ++i) usleep(20'000);
  }

  std::string record(const std::string& person, int generation) {
    return fmt::format(
        "{{\"_id\":\"1\",\"personID\":\"{}\",\"{}\":{{\"audienceMembership\":[],\"audienceMembershipCount\":0,"
        "\"audienceSyncGeneration\":{}}}}}\n",
        person, world.emulator().tenant(), generation);
  }
};

TEST_F(VerifyTest, WhatWasProvenIsWhatIsThere) {
  live_through(world);
  for (const std::string share : {"full", "sample"}) {
    const auto run = verify_rows(world, {"--rows", share});
    EXPECT_EQ(run.code, 0) << share << run.out << run.err;
    EXPECT_THAT(run.out, HasSubstr("are as proven"));
  }
  const auto value = as_json({"--rows", "full"});
  EXPECT_TRUE(value.flag("equal"));
  EXPECT_EQ(value.find("rows")->number("batches"), 3);
  EXPECT_GT(value.find("rows")->number("people").value_or(0), 10);
  const auto status = world.run({"status", "--config", world.emulator().config().string()});
  EXPECT_THAT(status.out, HasSubstr("read back"));
  EXPECT_THAT(world.emulator().writes(), Not(::testing::Contains(HasSubstr("verify"))));
}

TEST_F(VerifyTest, ARecordWrittenBehindItsBackIsFound) {
  live_through(world);
  const auto members = members_by_audience(world.emulator(), world.target());
  std::string person;
  for (const auto& [audience, people] : members) {
    if (!people.empty()) person = *people.begin();
  }
  ASSERT_FALSE(person.empty());
  write_behind_its_back(record(person, 900) + record("nobody.knows@x.example", 900));

  const auto run = verify_rows(world, {"--rows", "full"});
  EXPECT_EQ(run.code, 1) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("differ from what was"));
  EXPECT_THAT(run.out + run.err, Not(HasSubstr(person)));
  EXPECT_THAT(run.out + run.err, Not(HasSubstr("nobody.knows")));
  const auto value = as_json({"--rows", "full"});
  const auto& differences = *value.find("rows")->find("differences");
  EXPECT_EQ(differences.number("other_audiences"), 1);
  EXPECT_EQ(differences.number("unknown"), 1);
  EXPECT_EQ(differences.number("other_id"), 2);
  EXPECT_EQ(differences.number("missing"), 0);

  // The truth becomes the base, and what differs is written.
  ASSERT_EQ(rebuild_state(world).code, 0);
  const auto applied = world.apply({"--no-refresh"});
  ASSERT_EQ(applied.code, 0) << applied.out << applied.err;
  EXPECT_EQ(world.difference(), "");
}

TEST_F(VerifyTest, ABatchThatIsGoneIsNamedAndItsPeopleAreMissing) {
  ASSERT_EQ(world.apply().code, 0);
  to_batches(world, fmt::format(R"({{"do":"vanish","batch":"{}"}})", live_batches(world).back()));
  const auto value = as_json({"--rows", "full"});
  EXPECT_EQ(value.number("exit_code"), 1);
  EXPECT_GT(value.find("rows")->find("differences")->number("missing").value_or(0), 0);
  EXPECT_EQ(value.find("rows")->items("findings").at(0).text("code"), "drift");
}

TEST_F(VerifyTest, NothingProvenIsNothingToCompareWith) {
  const auto run = verify_rows(world);
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.err, HasSubstr("run apply first"));
}

}  // namespace
}  // namespace audiencesync::testing
