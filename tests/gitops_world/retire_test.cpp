#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/world.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RetireTest : public ::testing::Test {
 protected:
  ProcessResult retire(const std::vector<std::string>& more) {
    std::vector<std::string> words{"retire",     world_.uid,
                                   "--config",   world_.emulator().config().string(),
                                   "--manifest", world_.manifest().string()};
    words.insert(words.end(), more.begin(), more.end());
    return world_.run(words);
  }
  std::string connection() { return world_.emulator().ready().text("connection"); }
  std::vector<std::string> ours() { return world_.emulator().datasets_tagged("uid:" + world_.uid); }

  World world_{{}, Analysts::Present};
};

TEST_F(RetireTest, AsksAPersonFirstAndThenDeletesWhatIsOursAndNothingElse) {
  ASSERT_EQ(world_.apply().code, 3);  // a person has to add it to a connection
  const auto target = world_.target();
  world_.emulator().person(fmt::format(
      R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}","person_id":"personID","namespace":"Email"}})",
      connection(), target));
  // Of another sync.
  world_.uid = world_.name = "other";
  ASSERT_EQ(world_.apply().code, 3);
  const auto others = ours();
  world_.uid = world_.name = "loyalty";
  write_file(world_.manifest(), world_.manifest_text());

  world_.emulator().clear_calls();
  auto ran = retire({"--delete", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("retire/connection: analysts still report on it: dataset"));
  EXPECT_THAT(ran.out, HasSubstr("when the steps are done: audiencesync retire loyalty\n"));
  EXPECT_THAT(world_.emulator().writes(), IsEmpty());

  // While analysts report on it nothing is deleted, whoever confirms.
  ran = retire({"--delete", "--auto-approve", "--reason", "campaign is over"});
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(world_.emulator().writes(), IsEmpty());
  EXPECT_EQ(world_.target(), target);
  // From now on it is left alone.
  EXPECT_EQ(world_.apply().code, 4);
  EXPECT_THAT(world_.apply().err, HasSubstr("retired: campaign is over"));

  world_.emulator().person(fmt::format(R"({{"do":"remove_dataset_from_connection","connection":"{}","dataset":"{}"}})",
                                       connection(), target));
  ran = retire({"--delete", "--auto-approve"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ours(), IsEmpty());
  EXPECT_EQ(world_.emulator().datasets_tagged("uid:other"), others);
  // Nothing is left to do.
  world_.emulator().clear_calls();
  EXPECT_EQ(retire({"--delete", "--auto-approve"}).code, 0);
  EXPECT_THAT(world_.emulator().writes(), IsEmpty());
}

TEST_F(RetireTest, WithoutDeleteTheDatasetsExpire) {
  ASSERT_EQ(world_.apply().code, 3);
  const auto target = world_.target();
  auto ran = retire({"--auto-approve"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(world_.target(), target);
  world_.emulator().clear_calls();
  EXPECT_EQ(retire({"--auto-approve"}).code, 0);
  EXPECT_THAT(world_.emulator().writes(), IsEmpty());
  world_.emulator().control("PUT", "/_emulator/clock", R"({"advance":"743h"})");
  EXPECT_THAT(ours(), IsEmpty());
}

TEST_F(RetireTest, NeedsAnApproval) {
  ASSERT_EQ(world_.apply().code, 3);
  const auto target = world_.target();
  world_.emulator().clear_calls();
  // Nobody is at a terminal, and nobody said that nobody need be asked.
  const auto ran = retire({"--delete"});
  EXPECT_EQ(ran.code, 64);
  EXPECT_THAT(ran.err, HasSubstr("--auto-approve"));
  EXPECT_THAT(world_.emulator().writes(), IsEmpty());
}

TEST_F(RetireTest, WhatAnotherStateFolderOwnsIsLeftAlone) {
  ASSERT_EQ(world_.apply().code, 3);
  const auto target = world_.target();
  std::filesystem::rename(world_.state(), world_.folder() / "lost");
  // Another state folder with the same manifest: it only knows its own.
  const auto ran = retire({"--delete", "--auto-approve"});
  EXPECT_NE(ran.code, 0);
  EXPECT_EQ(world_.target(), target);
}

}  // namespace
}  // namespace audiencesync::testing
