// Whatever Customer Journey Analytics does with older rows, deleted batches and empty lists: after a full generation,
// and once the older ones are gone, analysts see the truth.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "engine/base/json.h"
#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

constexpr int kOk = 0;

struct RowRules {
  const char* row_rule;
  const char* delete_batch;
  const char* empty_list;
};

void PrintTo(const RowRules& rules, std::ostream* out) {
  *out << rules.row_rule << "_" << rules.delete_batch << "_" << rules.empty_list;
}

class AnalyticsRowRules : public ::testing::TestWithParam<RowRules> {
 protected:
  AnalyticsRowRules() {
    emulator.settings(fmt::format(R"({{"row_rule":"{}","delete_batch":"{}","empty_list":"{}"}})", GetParam().row_rule,
                                  GetParam().delete_batch, GetParam().empty_list));
    // The first one ends with a step for a person: the dataset is in no connection yet.
    world.seamed_apply("count");
    emulator.person(fmt::format(R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}"}})",
                                emulator.ready().text("connection"), world.target()));
  }

  void apply() {
    const auto result = world.seamed_apply("count");
    ASSERT_EQ(result.code, kOk) << result.out << result.err;
  }
  void pass(const std::string& time) {
    emulator.control("PUT", "/_emulator/clock", fmt::format(R"({{"advance":"{}"}})", time));
  }

  using Members = std::set<std::pair<std::string, std::string>>;  // audience, person
  Members truth() {
    Members members;
    for (const auto& audience : emulator.audiences()) {
      for (const auto& person : emulator.truth(audience.id)) members.emplace(audience.id, person);
    }
    return members;
  }
  Members analytics() {
    std::istringstream lines(emulator.control_text(
        "GET", fmt::format("/_emulator/analytics/{}?dataset={}", emulator.ready().text("connection"), world.target())));
    Members members;
    for (std::string line; std::getline(lines, line);) {
      const auto row = parse_json(line).value();
      for (const auto& audience : row.items("audiences")) members.emplace(audience.text("id"), row.text("person"));
    }
    return members;
  }

  World world{{.profiles = 300, .audiences = 4}, Analysts::Present};
  Emulator& emulator = world.emulator();
};

TEST_P(AnalyticsRowRules, AreAllRightAfterAFullGeneration) {
  pass("4h");
  ASSERT_EQ(analytics(), truth()) << "of the first generation";
  for (int seed = 1; seed <= 3; ++seed) {
    emulator.evolve(0.2, seed);
    apply();
    pass("5h");
    const std::string rule = GetParam().row_rule;
    if (rule != "accumulate" && std::string(GetParam().empty_list) == "clears") {
      EXPECT_EQ(analytics(), truth()) << "newer records replace older ones: each difference is enough";
    }
  }
  pass("8d");
  const auto due = world.seamed({"plan", "--fresh"}, "count");
  expect_told(due, kOk, {"everyone is written again: the last full generation is", "target.compact_every: 7 d"});
  apply();
  pass("4h");  // the newest generation has arrived
  apply();     // and the older ones go
  pass("4h");
  EXPECT_EQ(analytics(), truth());
  std::size_t live = 0;
  for (const auto& [id, batch] : emulator.batches(world.target())) live += batch.text("status") == "success" ? 1 : 0;
  EXPECT_EQ(live, 1U);
  EXPECT_EQ(world.difference(), "");
}

TEST_P(AnalyticsRowRules, DeclaredToAccumulateEveryChangeIsAFullGeneration) {
  world.extra = "target: { row_rule: accumulate }\n";
  pass("4h");
  for (int seed = 1; seed <= 2; ++seed) {
    emulator.evolve(0.2, seed);
    apply();
    pass("4h");
    apply();
    pass("4h");
    EXPECT_EQ(analytics(), truth());
  }
  emulator.clear_calls();
  apply();
  for (const auto& call : emulator.writes()) EXPECT_NE(call, "POST /data/foundation/import/batches");
}

INSTANTIATE_TEST_SUITE_P(
    Settings, AnalyticsRowRules,
    ::testing::Values(RowRules{"replace_record", "hide", "clears"}, RowRules{"replace_record", "hide", "ignored"},
                      RowRules{"replace_record", "resurrect_previous", "clears"},
                      RowRules{"replace_record", "resurrect_previous", "ignored"},
                      RowRules{"merge_fields", "hide", "clears"}, RowRules{"merge_fields", "hide", "ignored"},
                      RowRules{"merge_fields", "resurrect_previous", "clears"},
                      RowRules{"merge_fields", "resurrect_previous", "ignored"},
                      RowRules{"accumulate", "hide", "clears"}, RowRules{"accumulate", "hide", "ignored"},
                      RowRules{"accumulate", "resurrect_previous", "clears"},
                      RowRules{"accumulate", "resurrect_previous", "ignored"}),
    [](const auto& each) { return ::testing::PrintToString(each.param); });

}  // namespace
}  // namespace audiencesync::testing
