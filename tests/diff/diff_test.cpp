#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "engine/base/json.h"
#include "engine/manifest/settings.h"
#include "engine/membership/row_sorter.h"
#include "tests/diff/diff_bench.h"

namespace audiencesync::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> names_in(const Path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

class DiffWorlds : public ::testing::TestWithParam<std::uint64_t> {};

// Exports in every form, snapshots, one of each: always what the naive implementation says, in the same bytes.
TEST_P(DiffWorlds, PrintsWhatTheNaiveImplementationSays) {
  DiffWorld world(GetParam());
  const DiffBench bench;
  const auto before = world.profiles(1 + world.below(300));
  const auto after = world.evolved(before);
  world.write(bench.folder() / "old", before, static_cast<ExportForm>(world.below(6)));
  world.write(bench.folder() / "new", after, static_cast<ExportForm>(world.below(6)));
  auto from = bench.folder() / "old";
  auto to = bench.folder() / "new";
  if (world.chance(50)) from = bench.snapshot_of(from, "state-old");
  if (world.chance(30)) to = bench.snapshot_of(to, "state-new");

  const auto told = bench.diff({"--from", from.string(), "--to", to.string()});
  ASSERT_EQ(told.code, 0) << told.err;
  EXPECT_EQ(told.err, "");
  EXPECT_EQ(parse_changes(told.out), changes_between(DiffWorld::truth(before), DiffWorld::truth(after)));

  const auto back = bench.diff({"--to", from.string(), "--from", to.string()});
  EXPECT_EQ(parse_changes(back.out), changes_between(DiffWorld::truth(after), DiffWorld::truth(before)));
  EXPECT_EQ(bench.diff({"--from", from.string(), "--to", to.string()}).out, told.out);
  EXPECT_EQ(bench.diff({"--from", from.string(), "--to", from.string()}).out, "");
  EXPECT_THAT(names_in(bench.temporary()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, DiffWorlds, ::testing::Range<std::uint64_t>(0, 24));

class DiffTest : public ::testing::Test {
 protected:
  DiffTest() {
    const auto before = world.profiles(200);
    const auto after = world.evolved(before);
    truth = changes_between(DiffWorld::truth(before), DiffWorld::truth(after));
    world.write(bench.folder() / "old", before, ExportForm::Lines);
    world.write(bench.folder() / "new", after, ExportForm::Lines);
  }

  ProcessResult diff(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--from", old_folder(), "--to", new_folder()});
    return bench.diff(more);
  }
  std::string old_folder() const { return (bench.folder() / "old").string(); }
  std::string new_folder() const { return (bench.folder() / "new").string(); }

  DiffWorld world{7};
  DiffBench bench;
  Changes truth;
};

TEST_F(DiffTest, WritesAFileThatIsWholeAndPrivate) {
  const auto out = bench.folder() / "changes.jsonl";
  write_file(out, "what was there before");
  std::filesystem::permissions(out, std::filesystem::perms::all);
  const auto told = diff({"--out", out.string()});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_EQ(told.out, "");
  EXPECT_EQ(parse_changes(read_file(out)), truth);
  struct stat about {};
  ASSERT_EQ(::stat(out.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(DiffTest, AFailureLeavesTheFileThatWasThere) {
  const auto out = bench.folder() / "changes.jsonl";
  write_file(out, "what was there before");
  write_file(bench.folder() / "new" / "cut.json", R"([{"_demo":{"email":"a@x.io"}},)");
  const auto told = diff({"--out", out.string()});
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.err, HasSubstr("cut.json: cannot be read as JSON"));
  EXPECT_EQ(read_file(out), "what was there before");
  EXPECT_FALSE(std::filesystem::exists(out.string() + ".part"));
  EXPECT_THAT(names_in(bench.temporary()), IsEmpty());
}

TEST_F(DiffTest, StatisticsGoToStderrAndHoldNoPeople) {
  const auto text = diff({"--stats"});
  EXPECT_EQ(parse_changes(text.out), truth);
  EXPECT_THAT(text.err, AllOf(HasSubstr("from "), HasSubstr("Größe"), HasSubstr(" s, at most "), Not(HasSubstr("@"))));
  std::size_t at = 0;
  for (auto end = text.err.find('\n'); end != std::string::npos; at = end + 1, end = text.err.find('\n', at)) {
    EXPECT_LE(end - at, 81U) << text.err.substr(at, end - at);
  }

  const auto json = diff({"--stats", "--format", "json"});
  const auto value = parse_json(json.err);
  ASSERT_TRUE(value.ok()) << json.err;
  EXPECT_EQ(value->number("changed"), static_cast<std::int64_t>(truth.size()));
  std::int64_t entered = 0;
  for (const auto& audience : value->items("audiences")) entered += audience.number("entered").value_or(0);
  std::int64_t expected = 0;
  for (const auto& [person, change] : truth) expected += static_cast<std::int64_t>(change.first.size());
  EXPECT_EQ(entered, expected);
  EXPECT_GT(value->number("peak_memory").value_or(0), 1'000'000);
}

TEST_F(DiffTest, RowsThatCannotBeUsedAreCounted) {
  write_file(bench.folder() / "new" / "bad.json", "{\"_demo\":{\"email\":\"\"}}\nno json at all secret@x.io\n");
  const auto told = diff();
  EXPECT_EQ(told.code, 0);
  EXPECT_EQ(parse_changes(told.out), truth);
  EXPECT_THAT(told.err, AllOf(HasSubstr("warning: --to: 2 of "), HasSubstr("1 without a person id"),
                              HasSubstr("1 no readable record"), Not(HasSubstr("secret"))));
}

TEST_F(DiffTest, AnAudienceWithoutIdIsFoundInASnapshotOrRefused) {
  bench.write_manifest("  - { id: a-0, name: Blue }\n  - name: Old 1\n");
  const auto refused = diff();
  EXPECT_EQ(refused.code, 65);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("manifest.yaml:7:5: audience 'Old 1' has no id"), HasSubstr("write its id")));

  const auto snapshot = bench.snapshot_of(old_folder(), "state").string();
  const auto told = bench.diff({"--from", snapshot, "--to", new_folder()});
  ASSERT_EQ(told.code, 0) << told.err;
  Changes expected;
  for (auto [person, change] : truth) {
    std::erase_if(change.first, [](const auto& id) { return id > "a-1"; });
    std::erase_if(change.second, [](const auto& id) { return id > "a-1"; });
    if (!change.first.empty() || !change.second.empty()) expected[person] = change;
  }
  EXPECT_EQ(parse_changes(told.out), expected);
}

TEST_F(DiffTest, SaysWhatIsWrongWithItsInputs) {
  const auto snapshot = bench.snapshot_of(old_folder(), "state").string();
  const auto empty = (bench.folder() / "empty").string();
  std::filesystem::create_directories(empty);
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string says;
  };
  const std::vector<Case> cases{
      {{"--from", old_folder()}, 64, "diff needs both --from and --to"},
      {{"--from", old_folder(), "--to", "/not/there"}, 1, "--to /not/there: there is no such file or folder"},
      {{"--from", old_folder(), "--to", "/dev/null"}, 65, "--to /dev/null: this is neither a file nor a folder"},
      {{"--from", empty, "--to", new_folder()}, 1, "there is no file in it"},
      {{"--from", snapshot, old_folder(), "--to", new_folder()}, 65, "one snapshot alone"},
      {{"--from", (bench.folder() / "state").string(), "--to", new_folder()}, 65, "one snapshot alone"},
      {{"--from", old_folder(), "--to", new_folder(), "--out", "/not/there/x"}, 1, "there is no folder /not/there"},
  };
  for (const auto& one : cases) {
    const auto told = bench.diff(one.words);
    EXPECT_EQ(told.code, one.code) << told.err;
    EXPECT_THAT(told.err, HasSubstr(one.says));
    EXPECT_EQ(told.out, "");
  }
  // A changeset is no side of a comparison.
  for (const auto& name : names_in(bench.folder() / "state")) {
    if (!name.starts_with("changes-")) continue;
    const auto told = bench.diff({"--from", (bench.folder() / "state" / name).string(), "--to", new_folder()});
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.err, HasSubstr("it holds something else than its name says"));
  }
}

TEST_F(DiffTest, ADamagedSnapshotIsNeverAShorterOne) {
  const auto snapshot = bench.snapshot_of(old_folder(), "state");
  const auto whole = read_file(snapshot);
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 30) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    write_file(snapshot, damaged);
    const auto told = bench.diff({"--from", snapshot.string(), "--to", new_folder()});
    EXPECT_NE(told.code, 0) << at;
    EXPECT_EQ(told.out, "") << at;
  }
}

// Without settings the rows had half as much again as with the default ones, and a hundred million people took more
// than the whole limit.
TEST(DiffMemoryTest, WithoutSettingsItIsWhatTheDefaultLimitGives) {
  EXPECT_EQ(MemoryBudget().bytes, MemoryBudget::within(Limits().memory).bytes);
}

// A killed process cannot clean up; the next one does, and leaves alone what a living one uses.
TEST_F(DiffTest, WhatAKilledProcessLeftIsRemovedByTheNext) {
  const auto pipe = bench.folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  // Its output goes into a pipe nobody reads, so it is there until it is killed.
  std::string many;
  for (int i = 0; i < 20'000; ++i) {
    many += fmt::format(
        R"({{"_demo":{{"email":"p{}@x.io"}},"segmentMembership":{{"ups":{{"a-1":{{"status":"realized"}}}}}}}})"
        "\n",
        i);
  }
  write_file(bench.folder() / "many.json", many);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  const auto pid =
      start_process(bench.command({"--from", old_folder(), "--to", (bench.folder() / "many.json").string()}),
                    bench.environment(), pipe, bench.folder() / "err");
  for (int i = 0; i < 1000 && names_in(bench.temporary()).empty(); ++i) ::usleep(10'000);
  ASSERT_EQ(names_in(bench.temporary()).size(), 1U);
  const auto theirs = bench.temporary() / names_in(bench.temporary()).front();
  const auto make_old = [&] {
    std::filesystem::last_write_time(theirs, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  };
  make_old();
  EXPECT_EQ(diff().code, 0);
  EXPECT_TRUE(std::filesystem::exists(theirs)) << "the other one lives";

  ::kill(pid, SIGKILL);
  EXPECT_EQ(wait_process(pid), 128 + SIGKILL);
  ::close(reader);
  EXPECT_TRUE(std::filesystem::exists(theirs));
  make_old();
  EXPECT_EQ(diff().code, 0);
  EXPECT_THAT(names_in(bench.temporary()), IsEmpty());
}

}  // namespace
}  // namespace audiencesync::testing
