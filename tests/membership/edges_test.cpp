#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <set>

#include "engine/membership/difference.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/row_sorter.h"
#include "tests/membership/fixture.h"
#include "tests/membership/sanitized.h"

namespace audiencesync::testing {
namespace {

class EdgesTest : public EngineTest {};

TEST_F(EdgesTest, OnePersonEntersMovesAndLeaves) {
  source.rows = {{"anna", {{"ups", "A1", "realized"}}}};
  const auto entered = compare();
  EXPECT_EQ(entered.people, 1U);
  EXPECT_EQ(entered.added, 1U);
  source.rows[0].memberships[0].audience = "A2";
  const auto moved = compare({entered.candidate});
  EXPECT_EQ(moved.people, 1U);
  EXPECT_EQ(moved.removed, 0U);
  source.rows[0].memberships.clear();
  const auto left = compare({moved.candidate});
  EXPECT_EQ(left.removed, 1U);
  EXPECT_EQ(read_members(*engine, left.candidate), (Members{{"anna", {}}}));
  EXPECT_EQ(compare({left.candidate}).people, 0U);
}

// Everybody leaves at once, in an export that is not empty: everybody gets a tombstone, and nobody is forgotten.
TEST_F(EdgesTest, EverybodyLeaves) {
  Members tombstones;
  for (int i = 0; i < 40'000; ++i) {
    const auto person = fmt::format("person-{}", i);
    source.rows.push_back({person, {{"ups", i % 2 == 0 ? "A1" : "A2", "realized"}}});
    tombstones[person] = {};
  }
  const auto before = compare();
  for (auto& row : source.rows) row.memberships[0].status = "exited";
  const auto after = compare({before.candidate});
  EXPECT_EQ(after.people, 40'000U);
  EXPECT_EQ(after.removed, 40'000U);
  EXPECT_EQ(after.audiences[0].after + after.audiences[1].after, 0U);
  EXPECT_EQ(read_members(*engine, after.candidate), tombstones);
  // And come back.
  for (auto& row : source.rows) row.memberships[0].status = "realized";
  const auto back = compare({after.candidate});
  EXPECT_EQ(back.people, 40'000U);
  EXPECT_EQ(back.added, 0U);
  EXPECT_EQ(read_members(*engine, back.candidate), read_members(*engine, before.candidate));
}

// A buffer that is full after one row, after two, and so on: wherever runs begin and end, however many are merged.
TEST_F(EdgesTest, EverySpillBoundaryGivesTheSameRows) {
  std::mt19937_64 random(5);
  std::map<std::string, std::set<Rank>> expected;
  std::vector<std::pair<std::string, Ranks>> rows;
  for (int i = 0; i < 160; ++i) {
    Ranks audiences;
    for (Rank rank = 0; rank < 40; ++rank) {
      if (random() % 8 == 0) audiences.push_back(rank);
    }
    if (audiences.empty()) audiences.push_back(0);
    // Long names fill chunks; some people come again.
    auto person = fmt::format("person-{}{}", random() % 120, std::string(random() % 5 * 200, 'x'));
    expected[person].insert(audiences.begin(), audiences.end());
    rows.emplace_back(std::move(person), std::move(audiences));
  }
  std::set<std::size_t> runs;
  for (std::size_t budget = 0; budget < 110'000; budget += 613) {
    for (const bool weak : {false, true}) {
      std::uint64_t (*const hash_of)(std::string_view) =
          weak ? [](std::string_view person) { return std::uint64_t{person.size() % 2}; } : person_hash;
      // Hashes in the file, or found again.
      const bool written = budget % 2 == 0;
      RowSorter sorter(files, folder.path() / "runs", "rows", {budget}, 40, written ? nullptr : hash_of);
      for (const auto& [person, audiences] : rows) must(sorter.add(hash_of(person), person, audiences));
      must(sorter.finish(3));
      runs.insert(sorter.runs());
      RunScratch scratch;
      const auto merge = sorter.stream({}, scratch);
      std::map<std::string, std::set<Rank>> seen;
      std::pair<std::uint64_t, std::string> last;
      while (const auto* row = must(next_row(*merge))) {
        const std::pair<std::uint64_t, std::string> here{row->hash, std::string(row->person)};
        ASSERT_TRUE(seen.empty() || last < here) << budget;
        last = here;
        seen[here.second] = {row->audiences.begin(), row->audiences.end()};
      }
      ASSERT_EQ(seen, expected) << "budget " << budget;
    }
    EXPECT_TRUE(names_below(folder.path()).empty());
  }
  EXPECT_TRUE(runs.contains(0) && runs.contains(1) && runs.contains(3)) << "in memory, one run, and some";
  EXPECT_GT(*runs.rbegin(), 3U) << "more than there is space for, until the buffer makes some";
  EXPECT_LE(*runs.rbegin(), 12U) << "never more: they were merged";
}

std::uint64_t peak_kilobytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1));
  }
  return 0;
}

/// Four thousand audiences, and people who are in most of them.
class CrowdedSource final : public PersonSource {
 public:
  static constexpr std::size_t kAudiences = 4000;
  std::size_t people = 0;
  std::size_t shift = 0;

  CrowdedSource() {
    for (std::size_t i = 0; i < kAudiences; ++i)
      ids.push_back(fmt::format("{:08x}-aaaa-4bbb-8ccc-{:012x}", i, i * 7919));
  }
  // The first ones are in all of them; the others in one of forty, and every fiftieth in others after a shift.
  std::size_t first_of(std::size_t person) const { return (person * 31 + (person % 50 == 0 ? shift : 0)) % 40; }
  static std::size_t step_of(std::size_t person) { return person < 3 ? 1 : 40; }
  Result<std::uint64_t> read(const std::vector<Path>&, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>& each) override {
    std::vector<SourceRow::Membership> memberships;
    for (std::size_t i = 0; i < people; ++i) {
      const auto person = fmt::format("somebody-{}@example.org", i);
      memberships.clear();
      for (auto audience = step_of(i) == 1 ? 0 : first_of(i); audience < kAudiences; audience += step_of(i)) {
        memberships.push_back({"ups", ids[audience], "realized"});
      }
      SourceRow row;
      row.person = person;
      row.memberships = &memberships;
      TRY(each(row));
    }
    return people;
  }
  std::vector<std::string> ids;
};

TEST(EdgesBudget, FourThousandAudiencesStayWithinTheMemory) {
  const TestFolder folder;
  PosixFiles files;
  CrowdedSource source;
  source.people = 8'000;  // about 3 MB as rows
  auto spec = simple_spec();
  spec.audiences.clear();
  for (std::size_t i = 0; i < CrowdedSource::kAudiences; ++i) {
    spec.audiences.push_back(audience(source.ids[i], fmt::format("Audience {}", i)));
  }
  LocalMemberships engine(files, source, folder.path(), {2 << 20});
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again here
  const auto before = peak_kilobytes("VmRSS");
  const auto first = must(engine.compare(spec, export_named("b"), {}, {}));
  source.shift = 1;
  const auto second = must(engine.compare(spec, export_named("b"), {first.candidate}, {}));
  if (!kSanitized) {
    EXPECT_LT(peak_kilobytes("VmHWM"), before + 16'000U);
  }
  EXPECT_EQ(first.people, 8'000U);
  EXPECT_EQ(second.people, 159U) << "every fiftieth, but for the one who is in all";
  const auto sample = must(engine.sample(second, 1));
  ASSERT_EQ(sample.size(), 1U);
  EXPECT_EQ(sample.front().before.size(), 100U);
  EXPECT_EQ(must(engine.people(second.candidate)).size(), CrowdedSource::kAudiences);
  const auto upload = must(engine.encode(spec, second, EncodeOptions(), folder.path() / "upload", {}));
  EXPECT_EQ(upload.records, 159U);
}

/// People with long ids, all in one audience; nobody in the file "none".
class LongIdsSource final : public PersonSource {
 public:
  static constexpr int kPeople = 70'000;

  Result<std::uint64_t> read(const std::vector<Path>& paths, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>& each) override {
    if (paths.front() == "none") return 0;
    const std::vector<SourceRow::Membership> memberships{{"ups", "A1", "realized"}};
    std::string person(700, 'x');
    for (int i = 0; i < kPeople; ++i) {
      const auto number = std::to_string(i);
      person.replace(0, number.size(), number);
      SourceRow row;
      row.person = person;
      row.memberships = &memberships;
      TRY(each(row));
    }
    return kPeople;
  }
};

TEST(EdgesBudget, LinesThatWereWrittenTakeNoMemory) {
  const TestFolder folder;
  PosixFiles files;
  LongIdsSource source;
  Difference difference(files, source, folder.path(), {2 << 20});
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again here
  const auto before = peak_kilobytes("VmRSS");
  std::uint64_t bytes = 0;
  const auto write = [&](std::string_view lines) -> Result<void> {
    bytes += lines.size();
    return {};
  };
  const auto counts = must(difference.run(simple_spec(), {{"none"}, {}}, {{"all"}, {}}, write, {}));
  EXPECT_EQ(counts.people, LongIdsSource::kPeople);
  ASSERT_GT(bytes, 50'000'000U);
  if (!kSanitized) {
    EXPECT_LT(peak_kilobytes("VmHWM"), before + 20'000U);
  }
}

}  // namespace
}  // namespace audiencesync::testing
