#include <gmock/gmock.h>

#include "plugins/dataset/dataset_stage.h"
#include "plugins/dataset/target_view.h"
#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

platform::Dataset target(std::vector<std::string> ours, platform::Tags tags = {}) {
  platform::Dataset dataset;
  dataset.id = "D";
  dataset.name = "audiencesync membership: luma";
  dataset.schema = "SC";
  dataset.version = "1.0.1";
  dataset.tags = std::move(tags);
  if (!ours.empty()) dataset.tags["audiencesync"] = std::move(ours);
  return dataset;
}

struct TargetCase {
  const char* name;
  FoundBy found_by;
  std::optional<platform::Dataset> dataset;
  SchemaFit fit;
  std::vector<std::string> refused;
  std::vector<std::string> warned;
};

const std::vector<std::string> kOurs{"uid:luma", "role:target", "state:state-1"};

class ViewTarget : public testing::TestWithParam<TargetCase> {};

TEST_P(ViewTarget, DecidesWhoMayWrite) {
  const auto& tested = GetParam();
  FakeWorld world;
  TargetFacts facts;
  facts.found_by = tested.found_by;
  facts.id = "D";
  facts.dataset = tested.dataset;
  facts.fit = tested.fit;
  facts.state_id = "state-1";
  const auto observed = view_target(world.manifest, facts);
  EXPECT_EQ(codes_of(observed.findings, Severity::Refuse), tested.refused);
  EXPECT_EQ(codes_of(observed.findings, Severity::Warning), tested.warned);
  EXPECT_EQ(observed.outputs.contains("dataset_id"), tested.dataset.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Table, ViewTarget,
    testing::Values(TargetCase{"ours", FoundBy::Remembered, target(kOurs), SchemaFit::Ours, {}, {}},
                    TargetCase{"not_yet_there", FoundBy::Tags, {}, SchemaFit::Ours, {}, {}},
                    TargetCase{"known_id_vanished", FoundBy::Remembered, {}, SchemaFit::Ours, {"dataset-vanished"}, {}},
                    TargetCase{"declared_id_unknown", FoundBy::DatasetId, {}, SchemaFit::Ours, {"dataset-unknown"}, {}},
                    TargetCase{
                        "taken_over", FoundBy::DatasetId, target({}), SchemaFit::Compatible, {}, {"dataset-take-over"}},
                    TargetCase{"taken_over_with_a_foreign_schema",
                               FoundBy::DatasetId,
                               target({}),
                               SchemaFit::Foreign,
                               {"dataset-schema"},
                               {"dataset-take-over"}},
                    TargetCase{"of_another_sync",
                               FoundBy::DatasetId,
                               target({"uid:other", "role:target"}),
                               SchemaFit::Ours,
                               {"dataset-other-sync"},
                               {}},
                    TargetCase{"a_staging_dataset",
                               FoundBy::DatasetId,
                               target({"uid:luma", "role:export"}),
                               SchemaFit::Ours,
                               {"dataset-other-role"},
                               {}},
                    TargetCase{"of_another_state_folder",
                               FoundBy::Tags,
                               target({"uid:luma", "role:target", "state:x"}),
                               SchemaFit::Ours,
                               {"dataset-other-state"},
                               {}},
                    TargetCase{"tags_removed_by_hand", FoundBy::Remembered, target({}), SchemaFit::Ours, {}, {}},
                    TargetCase{"profile_enabled",
                               FoundBy::Tags,
                               target(kOurs, {{"unifiedProfile", {"enabled:true"}}}),
                               SchemaFit::Ours,
                               {"dataset-profile-enabled"},
                               {}}),
    [](const auto& tested) { return tested.param.name; });

TEST(ViewTarget, LooksIncompleteWithoutTheTagOfItsState) {
  FakeWorld world;
  TargetFacts facts;
  facts.state_id = "state-1";
  facts.dataset = target({"uid:luma", "role:target"});
  const auto observed = view_target(world.manifest, facts);
  EXPECT_EQ(std::get<Value>(observed.resources.at(0).fields.at("tags")), Value(Value::Array{}));
  facts.dataset = target(kOurs);
  EXPECT_EQ(std::get<Value>(view_target(world.manifest, facts).resources.at(0).fields.at("tags")).array_if()->size(),
            3U);
}

TEST(Tags, OursAreReplacedAndForeignOnesStay) {
  const auto tags =
      tags_with_ours({{"audiencesync", {"uid:old", "note:kept"}}, {"adobe/pqs/table", {"t"}}}, "luma", "s");
  EXPECT_THAT(tags.at("audiencesync"), ElementsAre("uid:luma", "role:target", "state:s", "note:kept"));
  EXPECT_THAT(tags.at("adobe/pqs/table"), ElementsAre("t"));
}

class DatasetStageTest : public testing::Test {
 protected:
  DatasetStageTest() { world.outputs.put("schema", {{"schema_id", Value("SC")}, {"field_group_id", Value("FG")}}); }

  static std::string body(const char* name, const char* version, const char* tags) {
    return fmt::format(R"({{"D":{{"name":"{}","version":"{}","schemaRef":{{"id":"SC"}},"created":5,"tags":{}}}}})",
                       name, version, tags);
  }
  Observed observe() {
    auto context = world.read();
    auto observed = dataset_stage().make()->observe({}, context);
    EXPECT_TRUE(observed.ok()) << observed.error().text();
    return observed.ok() ? *observed : Observed();
  }
  Change update() const {
    Change change;
    change.key = {"dataset", "target"};
    change.action = Action::Update;
    change.after["name"] = Value("new name");
    change.after["schema"] = Value("SC");
    change.expected_version = "1.0.1";
    return change;
  }
  const char* tags = R"({"audiencesync":["uid:luma","role:target","state:state-1"],"adobe/pqs/table":["t"]})";
  const std::string one = "GET /data/foundation/catalog/dataSets/D";
  FakeWorld world;
};

TEST_F(DatasetStageTest, AListThatIsEmptyByMistakeDoesNotMakeASecondDataset) {
  world.client.on("GET /data/foundation/catalog/dataSets",
                  std::vector<Answer>{{200, "{}"}, {200, body("audiencesync membership: luma", "1", tags)}});
  const auto observed = observe();
  EXPECT_EQ(observed.outputs.at("dataset_id"), Value("D"));
  EXPECT_EQ(observed.remember.at("dataset"), Value("D"));
}

TEST_F(DatasetStageTest, AKnownDatasetIsOnlyVanishedWhenThePlatformSaysSoTwice) {
  world.records.kept["dataset"] = Value("D");
  world.client.on(one, {{404, ""}, {200, body("n", "1", tags)}});
  EXPECT_THAT(observe().findings, IsEmpty());
  world.client.on(one, {{404, ""}});
  EXPECT_THAT(text_of(observe().findings, "dataset-vanished"), HasSubstr("Customer Journey Analytics"));
}

TEST_F(DatasetStageTest, OfTwoWithOurTagsTheOldestIsUsed) {
  world.client.on(
      "GET /data/foundation/catalog/dataSets",
      R"({"E":{"name":"e","created":9,"schemaRef":{"id":"SC"},"tags":{"audiencesync":["uid:luma","role:target","state:state-1"]}},
                      "F":{"name":"f","created":3,"schemaRef":{"id":"SC"},"tags":{"audiencesync":["uid:luma","role:target","state:state-1"]}}})");
  const auto observed = observe();
  EXPECT_EQ(observed.outputs.at("dataset_id"), Value("F"));
  EXPECT_THAT(codes_of(observed.findings, Severity::Note), ElementsAre("dataset-twice"));
}

TEST_F(DatasetStageTest, RenamingKeepsForeignTagsAndHappensOnce) {
  world.records.kept["dataset"] = Value("D");
  world.client
      .on(one, std::vector<Answer>{{200, body("old name", "1.0.1", tags)}, {200, body("new name", "1.0.2", tags)}})
      .on("PATCH /data/foundation/catalog/dataSets/D", R"(["@/dataSets/D"])");
  auto context = world.write();
  auto applied = dataset_stage().make()->apply(update(), context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->proof.version, "1.0.2");
  applied = dataset_stage().make()->apply(update(), context);
  EXPECT_TRUE(applied.ok());
  EXPECT_EQ(world.client.count("PATCH"), 1U);
}

TEST_F(DatasetStageTest, TagsArePutBackBesideForeignOnes) {
  world.records.kept["dataset"] = Value("D");
  world.client.on(one, body("new name", "1.0.1", R"({"adobe/pqs/table":["t"]})"))
      .on("PATCH /data/foundation/catalog/dataSets/D", R"(["@/dataSets/D"])");
  auto context = world.write();
  ASSERT_TRUE(dataset_stage().make()->apply(update(), context).ok());
  EXPECT_EQ(world.client.bodies.at(1),
            R"({"tags":{"adobe/pqs/table":["t"],"audiencesync":["uid:luma","role:target","state:state-1"]}})");
}

TEST_F(DatasetStageTest, ADatasetThatMovedSinceIsAConflict) {
  world.records.kept["dataset"] = Value("D");
  world.client.on(one, body("old name", "1.0.9", tags));
  auto context = world.write();
  const auto applied = dataset_stage().make()->apply(update(), context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Conflict);
  EXPECT_THAT(applied.error().text(), HasSubstr("1.0.9"));
}

}  // namespace
}  // namespace audiencesync
