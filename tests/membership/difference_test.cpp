#include "engine/membership/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "engine/base/json.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

/// Two exports that a test wrote down, told apart by the names of their files.
class TwoSources final : public PersonSource {
 public:
  MemorySource from;
  MemorySource to;

  Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                             const std::function<Result<void>(const SourceRow&)>& each) override {
    return files.front() == "from" ? from.read(files, columns, each) : to.read(files, columns, each);
  }
};

std::uint64_t three_hashes(std::string_view person) { return person.size() % 3; }

class DifferenceTest : public ::testing::Test {
 protected:
  std::string lines(const DifferenceSide& old_side, const DifferenceSide& new_side, MemoryBudget budget = kAmpleMemory,
                    LocalMemberships::PersonHash hash = person_hash) {
    std::string out;
    Difference difference(files, source, folder.path() / "work", budget, hash);
    const auto write = [&](std::string_view some) -> Result<void> {
      out += some;
      return {};
    };
    counts = must(difference.run(spec, old_side, new_side, write, {}));
    return out;
  }
  std::string lines(MemoryBudget budget = kAmpleMemory, LocalMemberships::PersonHash hash = person_hash) {
    return lines({{"from"}, {}}, {{"to"}, {}}, budget, hash);
  }

  void random_rows(int people, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (auto* const side : {&source.from, &source.to}) {
      side->rows.clear();
      for (int i = 0; i < people; ++i) {
        ExportRow row{fmt::format("person-{}", i), {}};
        for (const char* id : {"A1", "A2", "A9"}) {
          if (random() % 4 != 0) row.memberships.push_back({"ups", id, random() % 5 == 0 ? "exited" : "realized"});
        }
        if (random() % 20 != 0) side->rows.push_back(std::move(row));
      }
      std::shuffle(side->rows.begin(), side->rows.end(), random);
    }
  }

  // The slow and obvious way; people in the order of their names.
  std::map<std::string, std::string> naive() const {
    std::map<std::string, std::map<std::string, int>> seen;
    for (const auto* const side : {&source.from, &source.to}) {
      for (const auto& row : side->rows) {
        for (const auto& one : row.memberships) {
          if (one.audience == "A9" || one.status != "realized") continue;
          seen[row.person][one.audience] |= side == &source.from ? 1 : 2;
        }
      }
    }
    std::map<std::string, std::string> out;
    for (const auto& [person, audiences] : seen) {
      std::string text[3];
      for (const auto& [id, sides] : audiences) {
        if (sides == 3) continue;
        text[sides] += fmt::format("{}\"{}\"", text[sides].empty() ? "" : ",", id);
      }
      if (text[1].empty() && text[2].empty()) continue;
      out[person] = fmt::format(R"({{"personID":"{}","entered":[{}],"left":[{}]}})", person, text[2], text[1]);
    }
    return out;
  }

  static std::map<std::string, std::string> by_person(const std::string& text) {
    std::map<std::string, std::string> out;
    std::size_t at = 0;
    for (auto end = text.find('\n'); end != std::string::npos; at = end + 1, end = text.find('\n', at)) {
      const auto line = text.substr(at, end - at);
      EXPECT_TRUE(out.emplace(must(parse_json(line)).text("personID"), line).second);
    }
    EXPECT_EQ(at, text.size());
    return out;
  }

  PosixFiles files;
  TwoSources source;
  TestFolder folder;
  RelationSpec spec = simple_spec();
  DifferenceCounts counts;
};

// Whatever the memory, however people collide: the same lines.
TEST_F(DifferenceTest, DoesNotDependOnTheBudgetOrTheHash) {
  random_rows(3000, 11);
  const auto expected = naive();
  std::set<std::string> seen;
  for (const std::size_t budget : {std::size_t{0}, std::size_t{20'000}, std::size_t{300'000}, kAmpleMemory.bytes}) {
    const auto text = lines({budget});
    EXPECT_EQ(by_person(text), expected) << budget;
    seen.insert(text);
    EXPECT_EQ(by_person(lines({budget}, three_hashes)), expected) << budget;
    EXPECT_TRUE(names_below(folder.path()).empty());
  }
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(counts.people, expected.size());
}

// Large enough for several threads, each with sections of its own.
TEST_F(DifferenceTest, ThreadsGiveTheLinesInOrder) {
  random_rows(50'000, 5);
  const auto text = lines({256 << 10});
  EXPECT_EQ(by_person(text), naive());
  EXPECT_EQ(text, lines());
  std::uint64_t last = 0;
  std::size_t at = 0;
  for (auto end = text.find('\n'); end != std::string::npos; at = end + 1, end = text.find('\n', at)) {
    const auto hash = person_hash(must(parse_json(text.substr(at, end - at))).text("personID"));
    EXPECT_GE(hash, last);
    last = hash;
  }
}

TEST_F(DifferenceTest, AnErrorOfTheWriterEndsIt) {
  random_rows(50'000, 3);
  Difference difference(files, source, folder.path() / "work");
  int calls = 0;
  const auto full = [&](std::string_view) -> Result<void> {
    if (++calls < 3) return {};
    return Error(ErrorCode::NoSpace, "the disk is full");
  };
  const auto result = difference.run(spec, {{"from"}, {}}, {{"to"}, {}}, full, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::NoSpace);
  EXPECT_EQ(calls, 3) << "nobody writes behind a failure";
  EXPECT_TRUE(names_below(folder.path()).empty());
}

TEST_F(DifferenceTest, StopsWhenAsked) {
  random_rows(100, 3);
  std::stop_source stop;
  stop.request_stop();
  Difference difference(files, source, folder.path() / "work");
  const auto result = difference.run(
      spec, {{"from"}, {}}, {{"to"}, {}}, [](std::string_view) { return Result<void>(); }, stop.get_token());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Interrupted);
}

TEST_F(DifferenceTest, AnAudienceNamedTwiceIsRefused) {
  spec.audiences.push_back(audience("A1", "Again"));
  Difference difference(files, source, folder.path() / "work");
  const auto result =
      difference.run(spec, {{"from"}, {}}, {{"to"}, {}}, [](std::string_view) { return Result<void>(); }, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Invalid);
}

// A member under the old name and one under the new are both in the audience, and tombstones in none.
TEST_F(DifferenceTest, ASnapshotsNamesAndTombstonesAreNoDifference) {
  LocalMemberships engine(files, source.to, folder.path() / "state");
  source.to.rows = {{"anna", {{"ups", "A1", "realized"}}}, {"bela", {{"ups", "A1", "realized"}}}};
  auto snapshot = must(engine.compare(spec, export_named("b"), {}, {})).candidate;
  spec.audiences[0].name = "Renamed";
  spec.quarantined = {PersonId("anna")};
  source.to.rows.push_back({"carla", {{"ups", "A2", "realized"}}});
  snapshot = must(engine.compare(spec, export_named("b"), {snapshot}, {})).candidate;
  source.to.rows.pop_back();
  snapshot = must(engine.compare(spec, export_named("b"), {snapshot}, {})).candidate;

  EXPECT_EQ(lines({{}, snapshot_path(folder.path() / "state", snapshot)}, {{"to"}, {}}), "");
  EXPECT_EQ(counts.from.people, 2U) << "carla has a tombstone";
  EXPECT_EQ(counts.to.people, 2U);
  source.to.rows.erase(source.to.rows.begin());
  EXPECT_EQ(lines({{}, snapshot_path(folder.path() / "state", snapshot)}, {{"to"}, {}}),
            "{\"personID\":\"anna\",\"entered\":[],\"left\":[\"A1\"]}\n");
  EXPECT_EQ(counts.audiences.front().left, 1U);
}

}  // namespace
}  // namespace audiencesync::testing
