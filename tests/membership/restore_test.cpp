// Going back: who is in what comes from a past snapshot, who still is there from an export.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class RestoreTest : public EngineTest {
 protected:
  /// Goes back to `past` from `now`; only people of `there` are in the export.
  Bulk restore(const Digest& past, const Digest& now, const std::vector<std::string>& there) {
    source.rows.clear();
    for (const auto& person : there) source.rows.push_back({person, {{"ups", "A1", "realized"}}});
    auto ref = export_named("batch-9");
    ref.restore = past;
    return must(engine->compare(spec, ref, {now, false}, {}));
  }

  Digest written(const std::map<std::string, std::vector<std::string>>& people, std::optional<Digest> base = {}) {
    source.rows.clear();
    for (const auto& [person, audiences] : people) {
      ExportRow row{person, {}};
      for (const auto& id : audiences) row.memberships.push_back({"ups", id, "realized"});
      source.rows.push_back(std::move(row));
    }
    return compare({std::move(base), false}).candidate;
  }
};

TEST_F(RestoreTest, OnlyPeopleWhomTheExportHasComeBackAndTheOthersAreCounted) {
  const auto past = written({{"ann", {"A1"}}, {"bob", {"A1", "A2"}}, {"cid", {"A2"}}});
  const auto now = written({{"ann", {"A2"}}, {"dee", {"A1"}}}, past);

  const auto bulk = restore(past, now, {"ann", "dee", "eve"});

  EXPECT_EQ(read_members(*engine, bulk.candidate), (Members{{"ann", {"A1"}}, {"bob", {}}, {"cid", {}}, {"dee", {}}}));
  EXPECT_EQ(bulk.people, 2U) << "ann and dee change; bob and cid are tombstones already";
  EXPECT_EQ(bulk.left_out, (LeftOut{2, 3}));
  EXPECT_EQ(must(Bulk::from_value(bulk.to_value())), bulk);
}

TEST_F(RestoreTest, AudiencesComeBackUnderTheirNameOfTodayAndHeldOnesStay) {
  spec.audiences.push_back(audience("A3", "Late"));
  const auto past = written({{"ann", {"A1", "A2"}}, {"bob", {"A3"}}});
  const auto now = written({{"ann", {"A3"}}, {"bob", {"A1", "A3"}}}, past);
  spec.audiences[0].name = "Azure";
  spec.audiences[2].held = true;
  spec.audiences.erase(spec.audiences.begin() + 1);  // A2 is withdrawn

  const auto bulk = restore(past, now, {"ann", "bob"});

  EXPECT_EQ(read_members(*engine, bulk.candidate), (Members{{"ann", {"A1", "A3"}}, {"bob", {"A3"}}}));
  for (const auto& audience : must(engine->people(bulk.candidate))) {
    EXPECT_NE(audience.name, "Blue") << "of A1, which is Azure today";
  }
  EXPECT_EQ(bulk.left_out, LeftOut{});
}

TEST_F(RestoreTest, ItIsAnotherQuestionThanWithoutThePast) {
  auto ref = export_named("batch-1");
  const auto plain = engine->question(spec, ref, {});
  ref.restore = "c1";
  EXPECT_NE(engine->question(spec, ref, {}), plain);
}

class RestoreOfRandomWorlds : public RestoreTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(RestoreOfRandomWorlds, IsWhatANaiveModelSays) {
  std::mt19937 random(GetParam());
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const auto some = [&] {
    Members people;
    const auto count = below(GetParam() % 5 == 0 ? 60000 : 80) + 1;
    for (unsigned i = 0; i < count; ++i) {
      auto& in_these = people[fmt::format("p{}", below(count * 2))];
      in_these.clear();
      for (const auto* id : {"A1", "A2"}) {
        if (below(2) == 0) in_these.emplace_back(id);
      }
    }
    std::erase_if(people, [](const auto& each) { return each.second.empty(); });
    return people;
  };
  const auto past_people = some();
  const auto now_people = some();
  const auto past = written(past_people);
  const auto now = written(now_people, past);
  std::vector<std::string> there;
  for (const auto& [person, audiences] : past_people) {
    if (below(3) != 0) there.push_back(person);
  }
  for (const auto& [person, audiences] : now_people) {
    if (below(3) != 0 && !past_people.contains(person)) there.push_back(person);
  }

  const auto bulk = restore(past, now, there);

  auto expected = read_members(*engine, now);
  LeftOut left_out;
  for (auto& [person, audiences] : expected) audiences.clear();
  const std::set<std::string> present(there.begin(), there.end());
  for (const auto& [person, audiences] : past_people) {
    if (present.contains(person)) {
      expected[person] = audiences;
    } else {
      ++left_out.people;
      left_out.memberships += audiences.size();
    }
  }
  EXPECT_EQ(read_members(*engine, bulk.candidate), expected);
  EXPECT_EQ(bulk.left_out, left_out);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestoreOfRandomWorlds, ::testing::Range(1U, kSanitized ? 8U : 16U));

}  // namespace
}  // namespace audiencesync::testing
