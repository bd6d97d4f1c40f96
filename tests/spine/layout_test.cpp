// Every layout of the records, from the export to what analysts see.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "engine/base/json.h"
#include "tests/spine/layout_bench.h"

namespace audiencesync::testing {
namespace {

constexpr int kOk = 0;
constexpr int kRefused = 4;

struct LayoutCase {
  const char* layout;
  const char* row_rule;
  const char* delete_batch;
};

std::string name_of(const ::testing::TestParamInfo<LayoutCase>& info) {
  return fmt::format("{}_{}_{}", info.param.layout, info.param.row_rule, info.param.delete_batch);
}

class LayoutRules : public ::testing::TestWithParam<LayoutCase> {};

TEST_P(LayoutRules, AreAllRightAfterAFullGeneration) {
  const auto& each = GetParam();
  LayoutBench bench;
  bench.emulator.settings(fmt::format(R"({{"row_rule":"{}","delete_batch":"{}"}})", each.row_rule, each.delete_batch));
  const bool several = std::string(each.layout) != "membership" || std::string(each.row_rule) == "accumulate";
  // One row of each person is all that is left under the other rules, which is all of them if there is one audience.
  if (!several) bench.world.declared.resize(1);
  bench.declare(each.layout, "accept_one_row_per_person: true");
  bench.begin();
  EXPECT_EQ(bench.analytics(), bench.truth()) << "of the first generation";
  for (int seed = 1; seed <= 2; ++seed) {
    bench.emulator.evolve(0.2, seed);
    bench.apply();
    bench.pass("5h");  // the new generation has arrived
    bench.apply();     // and older ones go
    bench.pass("5h");
    if (std::string(each.layout) == "membership" || std::string(each.row_rule) != "accumulate") {
      EXPECT_EQ(bench.analytics(), bench.truth()) << "after change " << seed;
    }
  }
  bench.pass("8d");
  bench.apply();
  bench.pass("5h");
  bench.apply();
  bench.pass("5h");
  EXPECT_EQ(bench.analytics(), bench.truth());
  EXPECT_EQ(bench.world.difference(), "");
  EXPECT_EQ(bench.world.leftovers(), "");
}

INSTANTIATE_TEST_SUITE_P(Settings, LayoutRules,
                         ::testing::Values(LayoutCase{"membership", "replace_record", "hide"},
                                           LayoutCase{"membership", "replace_record", "resurrect_previous"},
                                           LayoutCase{"membership", "merge_fields", "hide"},
                                           LayoutCase{"membership", "merge_fields", "resurrect_previous"},
                                           LayoutCase{"membership", "accumulate", "hide"},
                                           LayoutCase{"membership", "accumulate", "resurrect_previous"},
                                           LayoutCase{"delimited", "replace_record", "hide"},
                                           LayoutCase{"delimited", "replace_record", "resurrect_previous"},
                                           LayoutCase{"delimited", "merge_fields", "hide"},
                                           LayoutCase{"delimited", "merge_fields", "resurrect_previous"},
                                           LayoutCase{"delimited", "accumulate", "hide"},
                                           LayoutCase{"delimited", "accumulate", "resurrect_previous"}),
                         name_of);

TEST(Layout, MembershipIsRefusedWhileSomeoneIsInTwoAudiences) {
  LayoutBench bench;
  bench.declare("membership");
  expect_told(bench.world.seamed_apply("count"), kRefused,
              {"people are in more than one audience, and Customer Journey Analytics may keep one row of each",
               "use target.layout: person, or write target.accept_one_row_per_person: true"});
  EXPECT_TRUE(bench.emulator.datasets_tagged("role:target").empty()) << "nothing is made of a refused plan";

  bench.declare("membership", "accept_one_row_per_person: true");
  expect_told(bench.world.seamed_apply("count"), 3, {"(accepted: target.accept_one_row_per_person)"});
  EXPECT_EQ(bench.world.difference(), "");
}

TEST(Layout, MembershipWithoutAnyoneInTwoAudiencesNeedsNoAcknowledgement) {
  LayoutBench bench;
  bench.world.declared.resize(1);
  bench.declare("membership");
  bench.begin();
  EXPECT_EQ(bench.world.difference(), "");
}

TEST(Layout, MembershipWithNothingNewWritesNothing) {
  LayoutBench bench;
  bench.declare("membership", "accept_one_row_per_person: true");
  bench.begin();
  bench.emulator.clear_calls();
  bench.apply();
  EXPECT_TRUE(bench.batches_opened().empty());
}

TEST(Layout, DelimitedIsRefusedForPeopleInMoreThanTenAudiences) {
  LayoutBench bench({.profiles = 200, .audiences = 40});
  bench.declare("delimited");
  expect_told(bench.world.seamed_apply("count"), kRefused,
              {"in more than 10 audiences, and analytics split no more than that out of one string",
               "declare fewer audiences, or use target.layout: person"});
  bench.world.declared.resize(10);
  bench.begin();
  EXPECT_EQ(bench.world.difference(), "");
}

TEST(Layout, AnotherLayoutIsAFullGenerationAndTheOlderOneGoes) {
  LayoutBench bench;
  bench.declare("person");
  bench.begin();
  for (const auto* layout : {"delimited", "membership", "person"}) {
    bench.declare(layout, "accept_one_row_per_person: true");
    expect_told(bench.world.seamed({"plan", "--fresh"}, "count"), kOk,
                {"everyone is written again: records are of layout " + std::string(layout) + " now"});
    bench.apply();
    bench.pass("5h");
    bench.apply();
    bench.pass("5h");
    EXPECT_EQ(bench.live_batches(), 1U) << layout;
    EXPECT_EQ(bench.world.difference(), "") << layout;
  }
  EXPECT_EQ(bench.analytics(), bench.truth());
}

TEST(Layout, ARenamedAudienceIsAPlannedUpdateOfItsPeople) {
  LayoutBench bench;
  bench.declare("person");
  bench.begin();
  const auto& audience = bench.world.declared.front();
  const auto people = bench.emulator.truth(audience.id).size();
  const auto before = audience.name;
  bench.world.declared.front().name = "Quite another name";
  const auto sentence = fmt::format(
      "audience '{}' is 'Quite another name' now: the records of {} people are written again", before, people);
  expect_told(bench.world.seamed({"plan"}, "count"), kOk, {sentence, "renamed"});
  expect_told(bench.world.seamed({"plan", "--format", "markdown"}, "count"), kOk, {sentence});
  const auto plan = parse_json(bench.world.seamed({"plan", "--format", "json"}, "count").out);
  ASSERT_TRUE(plan.ok());
  const auto& rows = plan->items("syncs").front().find("plan")->items("memberships");
  std::size_t renamed = 0;
  for (const auto& row : rows) {
    if (row.text("id") != audience.id) continue;
    ++renamed;
    EXPECT_EQ(row.number("renamed"), static_cast<std::int64_t>(people));
    EXPECT_EQ(row.text("name_before"), before);
  }
  EXPECT_EQ(renamed, 1U);
  bench.apply();
  EXPECT_EQ(labels_by_audience(bench.emulator, bench.world.target())[audience.id],
            (std::set<std::string>{"Quite another name"}));
}

}  // namespace
}  // namespace audiencesync::testing
