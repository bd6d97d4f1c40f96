#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"
#include "tests/membership/fixture.h"
#include "tests/membership/sanitized.h"

namespace audiencesync::testing {
namespace {

/// People made on the fly, so that the test itself needs no memory for them.
class CountingSource final : public PersonSource {
 public:
  std::uint64_t people = 0;
  std::uint64_t shift = 0;  // of the audiences

  Result<std::uint64_t> read(const std::vector<Path>&, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>& each) override {
    std::string person;
    std::vector<SourceRow::Membership> memberships;
    for (std::uint64_t i = 0; i < people; ++i) {
      person = fmt::format("somebody-{}@example.org", i * 7919 % people);
      memberships.assign(1, {"ups", (i + shift) % 50 == 0 ? "A1" : "A2", "realized"});
      SourceRow row;
      row.person = person;
      row.memberships = &memberships;
      TRY(each(row));
    }
    return people;
  }
};

std::uint64_t status_kilobytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1));
  }
  return 0;
}

TEST(BoundsTest, MemoryDoesNotGrowWithThePeople) {
  if (kSanitized) GTEST_SKIP() << "sanitizers keep freed memory";
  const TestFolder folder;
  PosixFiles files;
  CountingSource source;
  source.people = 300'000;  // about 18 MB as rows
  LocalMemberships engine(files, source, folder.path(), {4 << 20});
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again here
  const auto before = status_kilobytes("VmRSS");

  const auto first = must(engine.compare(simple_spec(), export_named("b"), {}, {}));
  source.shift = 1;
  const auto second = must(engine.compare(simple_spec(), export_named("b"), {first.candidate}, {}));

  EXPECT_EQ(first.people, 300'000U);
  EXPECT_EQ(second.people, 12'000U);
  const auto upload = must(engine.encode(simple_spec(), second, EncodeOptions(), folder.path() / "upload", {}));
  EXPECT_EQ(upload.records, 12'000U);
  EXPECT_LT(status_kilobytes("VmHWM"), before + 10'000U);
}

// Equal input gives equal files, however the rows were ordered, cut, spilled and merged.
TEST(BoundsTest, FilesDoNotDependOnTheBudgetOrTheOrderOfRows) {
  MemorySource source;
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    ExportRow row{fmt::format("person-{}", i % 1800), {}};
    for (const char* id : {"A1", "A2"}) {
      if (random() % 2 == 0) row.memberships.push_back({"ups", id, "realized"});
    }
    source.rows.push_back(std::move(row));
  }
  PosixFiles files;
  const TestFolder folder;
  std::vector<std::string> seen;
  for (const std::size_t budget : {std::size_t{0}, std::size_t{20'000}, std::size_t{300'000}, kAmpleMemory.bytes}) {
    const auto here = folder.path() / std::to_string(budget);
    LocalMemberships engine(files, source, here, {budget});
    const auto base = must(engine.compare(simple_spec(), export_named("b"), {}, {})).candidate;
    auto changed = simple_spec();
    changed.audiences[1].name = "Renamed";
    const auto bulk = must(engine.compare(changed, export_named("c"), {base}, {}));
    must(engine.encode(changed, bulk, EncodeOptions(), here / "upload", {}));
    std::string all;
    for (const auto& name : names_below(here)) all += name + "\n" + read_bytes(here / name);
    seen.push_back(std::move(all));
    std::shuffle(source.rows.begin(), source.rows.end(), random);
  }
  for (const auto& one : seen) EXPECT_TRUE(one == seen.front());
}

std::uint64_t one_hash(std::string_view) { return 42; }

// Everybody collides: order and identity come from the ids alone, across blocks and runs.
TEST(BoundsTest, PeopleWithOneHashAreStillDifferentPeople) {
  const TestFolder folder;
  PosixFiles files;
  MemorySource source;
  Members expected;
  for (int i = 0; i < 3000; ++i) {
    const auto person = fmt::format("person-{}", i * 31 % 3000);
    source.rows.push_back({person, {{"ups", "A1", "realized"}}});
    expected[person] = {"A1"};
  }
  LocalMemberships engine(files, source, folder.path(), {30'000}, one_hash);
  const auto first = must(engine.compare(simple_spec(), export_named("b"), {}, {}));
  EXPECT_EQ(read_members(engine, first.candidate), expected);
  EXPECT_EQ(must(engine.compare(simple_spec(), export_named("b"), {first.candidate}, {})).people, 0U);
}

// One person in very many rows is one person, and costs no more memory than another.
TEST(BoundsTest, ManyRowsOfOnePersonAreMerged) {
  const TestFolder folder;
  PosixFiles files;
  MemorySource source;
  for (int i = 0; i < 5'000; ++i) source.rows.push_back({"same", {{"ups", i % 2 == 0 ? "A1" : "A2", "realized"}}});
  LocalMemberships engine(files, source, folder.path(), {0});
  const auto bulk = must(engine.compare(simple_spec(), export_named("b"), {}, {}));
  EXPECT_EQ(bulk.people, 1U);
  EXPECT_EQ(read_members(engine, bulk.candidate), (Members{{"same", {"A1", "A2"}}}));
}

}  // namespace
}  // namespace audiencesync::testing
