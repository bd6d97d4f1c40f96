#include "engine/plugin/registry.h"

#include <gmock/gmock.h>

#include "engine/reconcile/pass.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;

StageDescriptor named(std::string name, std::vector<std::string> needs = {}, Phase phase = Phase::Converge) {
  StageDescriptor made;
  made.name = std::move(name);
  made.needs = std::move(needs);
  made.phase = phase;
  return made;
}

std::vector<std::string> order_of(std::vector<StageDescriptor> stages) {
  const auto registry = Registry::of(std::move(stages));
  if (!registry.ok()) {
    ADD_FAILURE() << registry.error().text();
    return {};
  }
  std::vector<std::string> names;
  for (const auto& stage : registry->stages()) names.push_back(stage.name);
  return names;
}

std::string refusal_of(std::vector<StageDescriptor> stages) {
  const auto registry = Registry::of(std::move(stages));
  if (registry.ok()) return "accepted";
  EXPECT_EQ(registry.error().code(), ErrorCode::Internal);
  return registry.error().message();
}

TEST(Registry, PutsEachStageAfterThoseItNeeds) {
  EXPECT_THAT(order_of({named("membership", {"export", "dataset"}), named("dataset", {"schema"}), named("schema"),
                        named("export", {}, Phase::Refresh)}),
              ElementsAre("schema", "dataset", "export", "membership"));
}

TEST(Registry, KeepsTheGivenOrderWhereNeedsLeaveAChoice) {
  EXPECT_THAT(order_of({named("c"), named("a"), named("b")}), ElementsAre("c", "a", "b"));
}

TEST(Registry, FindsAStageByName) {
  const auto registry = Registry::of({named("a"), named("b")});
  ASSERT_TRUE(registry.ok());
  ASSERT_NE(registry->find("b"), nullptr);
  EXPECT_EQ(registry->find("b")->name, "b");
  EXPECT_EQ(registry->find("c"), nullptr);
}

struct BadRegistryCase {
  const char* name;
  std::vector<StageDescriptor> stages;
  const char* refusal;
};

class BadRegistry : public testing::TestWithParam<BadRegistryCase> {};

TEST_P(BadRegistry, IsRefusedWithItsReason) { EXPECT_EQ(refusal_of(GetParam().stages), GetParam().refusal); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadRegistry,
    testing::Values(
        BadRegistryCase{"two_of_one_name", {named("a"), named("b"), named("a")}, "two stages are called 'a'"},
        BadRegistryCase{"unknown_need", {named("a", {"ghost"})}, "stage 'a' needs 'ghost', which does not exist"},
        BadRegistryCase{
            "circle", {named("a", {"b"}), named("b", {"a"}), named("c")}, "the stages need each other in a circle"},
        BadRegistryCase{"needs_itself", {named("a", {"a"})}, "the stages need each other in a circle"},
        BadRegistryCase{"later_phase",
                        {named("late"), named("early", {"late"}, Phase::Refresh)},
                        "stage 'early' needs 'late', which is of a later phase"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(OutputTable, GivesWhatWasPutAndSaysWhatIsNotKnownYet) {
  OutputTable table;
  const auto before = table.get({"dataset", "dataset_id"});
  ASSERT_FALSE(before.ok());
  EXPECT_EQ(before.error().code(), ErrorCode::NotFound);
  EXPECT_EQ(before.error().message(), "dataset_id of stage dataset is known after apply");

  table.put("dataset", {{"dataset_id", Value("d1")}});
  EXPECT_EQ(*table.get({"dataset", "dataset_id"}), Value("d1"));
  EXPECT_FALSE(table.get({"dataset", "other"}).ok());
  EXPECT_FALSE(table.get({"schema", "dataset_id"}).ok());
}

TEST(OutputTable, TheNewerValueReplacesTheOlderAndOthersStay) {
  OutputTable table;
  table.put("s", {{"a", Value(1)}, {"b", Value(2)}});
  table.put("s", {{"a", Value(3)}});
  EXPECT_EQ(*table.get({"s", "a"}), Value(3));
  EXPECT_EQ(*table.get({"s", "b"}), Value(2));
}

TEST(Resolve, ReplacesWhatIsKnownAndLeavesTheRest) {
  OutputTable table;
  table.put("dataset", {{"id", Value("d1")}});
  const Ref later{"schema", "id"};

  const auto fields = resolve({{"plain", Value(1)}, {"known", Ref{"dataset", "id"}}, {"unknown", later}}, table);

  EXPECT_EQ(fields.at("plain"), Field(Value(1)));
  EXPECT_EQ(fields.at("known"), Field(Value("d1")));
  EXPECT_EQ(fields.at("unknown"), Field(later));
}

}  // namespace
}  // namespace audiencesync
