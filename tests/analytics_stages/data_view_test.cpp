#include <gmock/gmock.h>

#include "plugins/data_view/component_check.h"
#include "plugins/data_view/data_view_stage.h"
#include "plugins/data_view/view_choice.h"
#include "tests/analytics_stages/analytics_world.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DataViewTest : public testing::Test {
 protected:
  DataViewTest() {
    world.outputs.put("connection", {{"connection_id", Value(kLuma)}});
    components({kIdDimension, kNameDimension});
  }
  void components(const std::vector<ListedDimension>& dimensions) {
    world.client.on("GET /data/dataviews/dv_1/dimensions", listed(dimensions));
  }
  Observed look(const std::vector<ListedView>& views, const std::vector<ListedView>& elsewhere = {}) {
    world.client.on("GET /data/dataviews", listed(elsewhere))
        .on(fmt::format("GET /data/dataviews?parentDataGroupId={}", kLuma), listed(views));
    return world.observe(data_view_stage());
  }
  static std::vector<std::string> present(const Observed& observed) {
    std::vector<std::string> names;
    for (const auto& resource : observed.resources) names.push_back(resource.key.name);
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::string reason(const Observed& observed, const ResourceKey& key) {
    const auto found = observed.guides.find(key);
    return found == observed.guides.end() ? "" : found->second.reason;
  }
  static std::string steps(const Observed& observed, const ResourceKey& key) {
    const auto found = observed.guides.find(key);
    return found == observed.guides.end() ? "" : fmt::format("{}", fmt::join(found->second.steps, "\n"));
  }
  static Change shell_change(Action action) {
    Change change;
    change.key = kViewShell;
    change.action = action;
    change.after["name"] = Value("Luma audiences");
    change.after["connection"] = Value(kLuma);
    change.after["time_zone"] = Value("UTC");
    return change;
  }
  Result<Applied> apply(const Change& change, FakeWriteContext& context) {
    return data_view_stage().make()->apply(change, context);
  }
  const std::string marked =
      fmt::format("GET /data/dataviews?parentDataGroupId={}&externalIds=audiencesync_luma", kLuma);

  AnalyticsWorld world;
};

TEST_F(DataViewTest, AViewOfThatNameIsUsedAsItIsWithTwoCalls) {
  const auto observed = look({ListedView{}});
  EXPECT_THAT(present(observed), ElementsAre("components", "shell", "view"));
  EXPECT_THAT(observed.guides, IsEmpty());
  EXPECT_THAT(observed.findings, IsEmpty());
  EXPECT_EQ(observed.outputs.at("data_view_id"), Value("dv_1"));
  EXPECT_EQ(observed.outputs.at("id_dimension"), Value(kIdDimension.id));
  EXPECT_EQ(observed.outputs.at("name_dimension"), Value(kNameDimension.id));
  EXPECT_EQ(world.client.calls.size(), 2U);
}

TEST_F(DataViewTest, EachLayoutHasFieldsOfItsOwn) {
  const auto dimension = [](const std::string& field, const std::string& more, const std::string& dataset = "D") {
    return ListedDimension{"variables/" + dataset + "._demo." + field, "_demo." + field, dataset, field, more};
  };
  const std::string single = R"(,"multiValued":false)";
  const std::string split = R"(,"multiValued":true,"fieldDefinition":[{"func":"raw-field"},{"func":"split"}])";

  world.manifest.target.layout = Layout::Membership;
  components({dimension("audienceMembershipId", single), dimension("audienceMembershipName", single)});
  auto observed = look({ListedView{}});
  EXPECT_THAT(observed.guides, IsEmpty());
  EXPECT_THAT(observed.findings, IsEmpty()) << "one value a row is what this layout has";
  components({kIdDimension, kNameDimension});
  observed = look({ListedView{}});
  EXPECT_THAT(steps(observed, kViewComponents), HasSubstr("drag _demo.audienceMembershipId to Dimensions"));
  EXPECT_THAT(reason(observed, kViewComponents), HasSubstr("which records of layout membership leave empty"));

  world.manifest.target.layout = Layout::Delimited;
  components({dimension("audienceMembershipIds", split)});
  observed = look({ListedView{}});
  EXPECT_THAT(observed.guides, IsEmpty());
  EXPECT_THAT(observed.findings, IsEmpty());
  EXPECT_TRUE(observed.outputs.contains("value_dimension"));
  components({dimension("audienceMembershipIds", single)});
  observed = look({ListedView{}});
  EXPECT_THAT(reason(observed, kViewComponents), HasSubstr("shows all ids of a person as one value"));
  EXPECT_THAT(steps(observed, kViewComponents), HasSubstr("'Convert to array', delimiter ','"));

  world.manifest.target = {};
  world.manifest.target.name_lookup = true;
  world.manifest.target.dataset = "Loyalty";
  world.outputs.put("dataset", {{"dataset_id", Value("D")}, {"names_dataset_id", Value("N")}});
  components({kIdDimension, dimension("audienceName", R"(,"multiValued":true)", "N")});
  observed = look({ListedView{}});
  EXPECT_THAT(observed.guides, IsEmpty());
  components({kIdDimension, kNameDimension});
  observed = look({ListedView{}});
  EXPECT_THAT(steps(observed, kViewComponents),
              HasSubstr("Lookup datasets > 'Loyalty (names)' (N) > drag _demo.audienceName to Dimensions"));
}

TEST_F(DataViewTest, IsSkippedWithoutOne) {
  world.manifest.analytics->data_view.reset();
  EXPECT_EQ(world.observe(data_view_stage()).unchecked, "skipped: no analytics.data_view in the manifest");
  EXPECT_THAT(data_view_stage().desire(world.manifest), IsEmpty());
  world.manifest.analytics.reset();
  EXPECT_EQ(world.observe(data_view_stage()).unchecked, "skipped: no analytics in the manifest");
  EXPECT_THAT(world.client.calls, IsEmpty());
}

TEST_F(DataViewTest, WaitsForTheConnection) {
  world.outputs = OutputTable();
  EXPECT_EQ(world.observe(data_view_stage()).unchecked, "waits for: connection 'Luma web'");
  EXPECT_THAT(world.client.calls, IsEmpty());
}

TEST_F(DataViewTest, WhenNoneHasTheNameAShellIsMadeAndItsComponentsAreForAPerson) {
  const auto observed = look({});
  EXPECT_THAT(present(observed), ElementsAre("view"));
  EXPECT_THAT(reason(observed, kViewShell), HasSubstr("no data view of connection"));
  EXPECT_THAT(steps(observed, kViewComponents), HasSubstr("known after apply"));
  EXPECT_THAT(steps(observed, kViewComponents), HasSubstr("drag _demo.audienceMembership.audienceMembershipId"));
  EXPECT_THAT(steps(observed, kViewComponents), HasSubstr("drag _demo.audienceMembership.audienceMembershipName"));
}

TEST_F(DataViewTest, OursIsFoundByItsMarkAndKeepsTheDeclaredName) {
  ListedView ours;
  ours.name = "renamed by hand";
  ours.external = "audiencesync_luma";
  const auto observed = look({ours});
  const auto shell = std::find_if(observed.resources.begin(), observed.resources.end(),
                                  [](const Resource& resource) { return resource.key == kViewShell; });
  ASSERT_NE(shell, observed.resources.end());
  EXPECT_EQ(std::get<Value>(shell->fields.at("name")), Value("renamed by hand"));
  EXPECT_EQ(shell->version, "2026-02-02T03:04:05Z");
}

TEST_F(DataViewTest, OfTwoOfOneNameAPersonSaysWhich) {
  ListedView second;
  second.id = "dv_2";
  const auto observed = look({ListedView{}, second});
  EXPECT_THAT(reason(observed, kViewInUse), HasSubstr("2 data views of the connection are named 'Luma audiences'"));
  EXPECT_THAT(present(observed), ElementsAre("components", "shell")) << "neither is made nor looked into";
}

TEST_F(DataViewTest, OneOfAnotherConnectionIsNeverMadeAgainUnderThatName) {
  ListedView other;
  other.connection = kOther;
  const auto observed = look({}, {other});
  EXPECT_THAT(reason(observed, kViewInUse), HasSubstr(fmt::format("looks at connection {}, not at {}", kOther, kLuma)));
  EXPECT_THAT(present(observed), ElementsAre("components", "shell"));
}

TEST_F(DataViewTest, AnIdThatDoesNotExistIsNoReasonToMakeOne) {
  world.manifest.analytics->data_view = "dv_9";
  world.client.on("GET /data/dataviews?dataViewIds=dv_9", listed<ListedView>({}));
  const auto observed = world.observe(data_view_stage());
  EXPECT_THAT(reason(observed, kViewInUse), HasSubstr("there is no data view dv_9"));
  for (const auto& resource : data_view_stage().desire(world.manifest)) EXPECT_NE(resource.key, kViewShell);
}

TEST_F(DataViewTest, ComponentsOfAnotherDatasetOrBesideTheListAreNamed) {
  auto foreign = kIdDimension;
  foreign.dataset = "X";
  ListedDimension beside{"variables/D._demo.audienceMembershipName", "_demo.audienceMembershipName"};
  components({foreign, beside});
  const auto observed = look({ListedView{}});
  const auto text = reason(observed, kViewComponents);
  EXPECT_THAT(text, HasSubstr("has this path, but comes from dataset X"));
  EXPECT_THAT(text, HasSubstr("is on _demo.audienceMembershipName, which records of layout person leave empty"));
  EXPECT_FALSE(observed.outputs.contains("name_dimension"));
}

struct SettingCase {
  const char* name;
  const char* more;
  const char* says;
  bool reported;  // may a report be made of it
};

class DimensionSetting : public DataViewTest, public testing::WithParamInterface<SettingCase> {};

TEST_P(DimensionSetting, IsAWarning) {
  auto dimension = kNameDimension;
  dimension.more = GetParam().more;
  components({kIdDimension, dimension});
  const auto observed = look({ListedView{}});
  EXPECT_THAT(text_of(observed.findings, "dimension-settings"), HasSubstr(GetParam().says));
  EXPECT_EQ(observed.outputs.contains("name_dimension"), GetParam().reported);
  EXPECT_THAT(observed.guides, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, DimensionSetting,
    testing::Values(SettingCase{"rules", R"(,"multiValued":true,"includeExcludeSetting":{"enabled":true})",
                                "include/exclude", false},
                    SettingCase{"hidden", R"(,"multiValued":true,"hidden":true)", "hidden from analysts", true},
                    SettingCase{"single", R"(,"multiValued":false)", "not multi-valued", true},
                    SettingCase{"substring",
                                R"(,"multiValued":true,"fieldDefinition":[{"func":"raw-field"},{"func":"split"}])",
                                "changes values", false}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(DataViewTest, OfSeveralDimensionsOfAFieldTheOneWithoutRulesIsTaken) {
  auto filtered = kNameDimension;
  filtered.id = "variables/a-first-by-id";
  filtered.more = R"(,"multiValued":true,"includeExcludeSetting":{"enabled":true})";
  components({filtered, kIdDimension, kNameDimension});
  const auto observed = look({ListedView{}});
  EXPECT_EQ(observed.outputs.at("name_dimension"), Value(kNameDimension.id));
  EXPECT_THAT(observed.findings, IsEmpty());
}

TEST_F(DataViewTest, ThePlatformsOwnDimensionsAreAWarning) {
  components({kIdDimension, kNameDimension, {"variables/N.name", "x.name", "N", "Exited Audience Name"}});
  EXPECT_THAT(codes_of(look({ListedView{}}).findings, Severity::Warning), ElementsAre("native-audience-analysis"));
}

TEST_F(DataViewTest, AShellIsValidatedAndMadeOnce) {
  ListedView ours;
  ours.external = "audiencesync_luma";
  world.client.on("POST /data/dataviews/validate", R"({"valid":true})")
      .on("POST /data/dataviews", R"({"id":"dv_1"})")
      .on(marked, listed<ListedView>({ours}));
  auto context = world.write();
  auto applied = apply(shell_change(Action::Create), context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->outputs.at("data_view_id"), Value("dv_1"));
  applied = apply(shell_change(Action::Create), context);
  ASSERT_TRUE(applied.ok());
  EXPECT_EQ(world.client.count("POST /data/dataviews") - world.client.count("POST /data/dataviews/validate"), 1U);
  EXPECT_THAT(world.client.bodies.at(1), HasSubstr(R"("externalId":"audiencesync_luma")"));
  EXPECT_THAT(world.client.bodies.at(1), HasSubstr(R"("timezoneDesignator":"UTC")"));
}

TEST_F(DataViewTest, AShellThatALostAnswerMadeIsFoundAndNotMadeAgain) {
  ListedView ours;
  ours.external = "audiencesync_luma";
  world.client.on("POST /data/dataviews/validate", R"({"valid":true})")
      .on("POST /data/dataviews", {{0, ""}, {200, R"({"id":"dv_2"})"}})
      .on(marked, listed<ListedView>({ours}));
  auto context = world.write();
  const auto applied = apply(shell_change(Action::Create), context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->outputs.at("data_view_id"), Value("dv_1"));
  EXPECT_EQ(world.client.count("POST /data/dataviews") - world.client.count("POST /data/dataviews/validate"), 1U);
}

TEST_F(DataViewTest, WhatThePlatformWouldNotTakeIsNotSent) {
  world.client.on("POST /data/dataviews/validate", R"({"valid":false,"message":"name is too long"})");
  auto context = world.write();
  const auto applied = apply(shell_change(Action::Create), context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_THAT(applied.error().text(), HasSubstr("name is too long"));
}

TEST_F(DataViewTest, WithoutRightsToMakeOneTheChangeDoesNotStayOpen) {
  world.client.on("POST /data/dataviews/validate", R"({"valid":true})").on("POST /data/dataviews", {{403, ""}});
  auto context = world.write();
  const auto applied = apply(shell_change(Action::Create), context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_THAT(applied.error().text(), HasSubstr("by hand"));
}

TEST_F(DataViewTest, ARenamedShellGetsItsNameBackOnce) {
  ListedView before;
  before.name = "renamed by hand";
  before.external = "audiencesync_luma";
  before.more = R"(,"sessionDefinition":[{"numPeriods":30,"granularity":"minute","func":"inactivity"}])";
  auto after = before;
  after.name = "Luma audiences";
  world.client.on("PUT /data/dataviews/dv_1", R"({"id":"dv_1"})")
      .on(marked, std::vector<Answer>{{200, listed<ListedView>({before})}, {200, listed<ListedView>({after})}});
  auto context = world.write();
  auto change = shell_change(Action::Update);
  change.expected_version = "2026-02-02T03:04:05Z";
  ASSERT_TRUE(apply(change, context).ok());
  ASSERT_TRUE(apply(change, context).ok());
  EXPECT_EQ(world.client.count("PUT"), 1U);
  // Answers have these words in lower case; requests must not.
  EXPECT_THAT(world.client.bodies, Contains(AllOf(HasSubstr(R"("MINUTE")"), HasSubstr(R"("INACTIVITY")"))));
  change.expected_version = "older";
  world.client.on(marked, listed<ListedView>({before}));
  auto other = world.write();
  const auto moved = apply(change, other);
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code(), ErrorCode::Conflict);
}

}  // namespace
}  // namespace audiencesync
