#include <gmock/gmock.h>

#include "plugins/audiences/audiences_stage.h"
#include "plugins/audiences/preconditions.h"
#include "plugins/audiences/resolution.h"
#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AudienceEntry entry(std::optional<std::string> id, std::optional<std::string> name, int line = 9) {
  AudienceEntry made;
  made.id = std::move(id);
  made.name = std::move(name);
  made.place = {"luma.yaml", line, 5};
  return made;
}

platform::Audience audience(std::string id, std::string name, std::string lifecycle = "published") {
  platform::Audience made;
  made.id = std::move(id);
  made.name = std::move(name);
  made.lifecycle = std::move(lifecycle);
  made.schema = "_xdm.context.profile";
  made.origin = "CUSTOM_UPLOAD";
  return made;
}

struct ResolutionCase {
  const char* name;
  AudienceEntry declared;
  AudienceKnowledge known;
  const char* label;  // written, nullptr when there is no audience
  const char* code;   // of the finding, "" for none
  Severity severity = Severity::Refuse;
};

AudienceKnowledge by_id(platform::Audience one, std::map<std::string, std::string> labels = {}) {
  AudienceKnowledge known;
  known.by_id.found[one.id] = one;
  known.labels = std::move(labels);
  return known;
}

AudienceKnowledge absent(int status, std::map<std::string, std::string> labels = {}) {
  AudienceKnowledge known;
  known.by_id.missing["A1"] = {status, ""};
  known.labels = std::move(labels);
  return known;
}

AudienceKnowledge named(std::vector<platform::Audience> all) {
  AudienceKnowledge known;
  known.named["Gold"] = std::move(all);
  return known;
}

AudienceKnowledge pinned(platform::Audience one) {
  auto known = by_id(std::move(one));
  known.pins["Gold"] = "A1";
  return known;
}

platform::Audience of_accounts() {
  auto made = audience("A1", "Gold");
  made.schema = "_xom.context.account";
  return made;
}

platform::Audience of_policy(const char* policy) {
  auto made = audience("A1", "Gold");
  made.merge_policy = policy;
  return made;
}

platform::Audience of_namespace(const char* space) {
  auto made = audience("A1", "Gold");
  made.audience_namespace = space;
  return made;
}

class ResolveAudience : public testing::TestWithParam<ResolutionCase> {};

TEST_P(ResolveAudience, GivesALabelOrAReason) {
  const auto& tested = GetParam();
  const auto resolution = resolve_audiences({tested.declared}, tested.known, "mp-1");
  if (tested.label == nullptr) {
    EXPECT_THAT(resolution.audiences, IsEmpty());
  } else {
    ASSERT_EQ(resolution.audiences.size(), 1U);
    EXPECT_EQ(resolution.audiences[0].label, tested.label);
    EXPECT_EQ(resolution.audiences[0].held, std::string_view(tested.code) == "audience-held");
  }
  if (std::string_view(tested.code).empty()) {
    EXPECT_THAT(resolution.findings, IsEmpty());
  } else {
    ASSERT_EQ(resolution.findings.size(), 1U);
    EXPECT_EQ(resolution.findings[0].code, tested.code);
    EXPECT_EQ(resolution.findings[0].severity, tested.severity);
    EXPECT_THAT(resolution.findings[0].text, HasSubstr("luma.yaml:9:5"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ResolveAudience,
    testing::Values(
        ResolutionCase{"id_and_name", entry("A1", "Gold"), by_id(audience("A1", "Gold")), "Gold", ""},
        ResolutionCase{"upstream_rename_is_shown_not_followed", entry("A1", "Gold"), by_id(audience("A1", "Gold+")),
                       "Gold", "audience-renamed", Severity::Note},
        ResolutionCase{"id_only_takes_the_platforms_name", entry("A1", {}), by_id(audience("A1", "Gold+")), "Gold+",
                       ""},
        ResolutionCase{"name_only_exact", entry({}, "Gold"), named({audience("A1", "Gold")}), "Gold", ""},
        ResolutionCase{"name_only_pinned_keeps_its_name", entry({}, "Gold"), pinned(audience("A1", "Gold")), "Gold",
                       ""},
        ResolutionCase{"pin_wins_over_a_rename", entry({}, "Gold"), pinned(audience("A1", "Silver")), "Gold",
                       "audience-renamed", Severity::Note},
        ResolutionCase{"name_matching_none", entry({}, "Gold"), named({}), nullptr, "audience-unknown"},
        ResolutionCase{"name_matching_two", entry({}, "Gold"), named({audience("A1", "Gold"), audience("A2", "Gold")}),
                       nullptr, "audience-ambiguous"},
        ResolutionCase{"an_archived_namesake_does_not_count", entry({}, "Gold"),
                       named({audience("A1", "Gold"), audience("A2", "Gold", "archived")}), "Gold", ""},
        ResolutionCase{"only_a_draft", entry({}, "Gold"), named({audience("A1", "Gold", "draft")}), nullptr,
                       "audience-unpublished"},
        ResolutionCase{"unknown_id", entry("A1", {}), absent(404), nullptr, "audience-unreadable"},
        ResolutionCase{"deleted_after_a_sync_is_held", entry("A1", {}), absent(404, {{"A1", "Gold"}}), "Gold",
                       "audience-held", Severity::Warning},
        ResolutionCase{"forbidden_after_a_sync_is_held", entry("A1", "Gold"), absent(403, {{"A1", "Old"}}), "Gold",
                       "audience-held", Severity::Warning},
        ResolutionCase{"archived_after_a_sync_is_held", entry("A1", {}),
                       by_id(audience("A1", "Gold", "archived"), {{"A1", "Gold"}}), "Gold", "audience-held",
                       Severity::Warning},
        ResolutionCase{"archived_and_new_is_refused", entry("A1", {}), by_id(audience("A1", "Gold", "archived")),
                       nullptr, "audience-unreadable"},
        ResolutionCase{"accounts_are_not_people", entry("A1", {}), by_id(of_accounts()), nullptr,
                       "audience-not-people"},
        ResolutionCase{"another_merge_policy", entry("A1", {}), by_id(of_policy("mp-2")), nullptr,
                       "audience-merge-policy"},
        ResolutionCase{"the_same_merge_policy", entry("A1", {}), by_id(of_policy("mp-1")), "Gold", ""},
        ResolutionCase{"platform_namespace_is_ups", entry("A1", {}), by_id(of_namespace("AEPSegments")), "Gold", ""},
        ResolutionCase{"imported_namespace_is_noted", entry("A1", {}), by_id(of_namespace("AAM")), "Gold",
                       "audience-namespace", Severity::Note}),
    [](const auto& tested) { return tested.param.name; });

TEST(ResolveAudiences, TwoEntriesOfOneAudienceAreRefusedWithBothPlaces) {
  auto known = named({audience("A1", "Gold")});
  known.by_id.found["A1"] = audience("A1", "Gold");
  const auto resolution = resolve_audiences({entry("A1", {}, 9), entry({}, "Gold", 10)}, known, "mp-1");
  EXPECT_EQ(resolution.audiences.size(), 1U);
  EXPECT_THAT(text_of(resolution.findings, "audience-twice"),
              AllOf(HasSubstr("luma.yaml:9:5"), HasSubstr("luma.yaml:10:5")));
}

TEST(ResolveAudiences, AmbiguityNamesIdsAndOrigins) {
  const auto resolution =
      resolve_audiences({entry({}, "Gold")}, named({audience("A1", "Gold"), audience("A2", "Gold")}), "mp-1");
  EXPECT_THAT(resolution.findings.at(0).text, AllOf(HasSubstr("A1 (CUSTOM_UPLOAD)"), HasSubstr("A2 (CUSTOM_UPLOAD)")));
}

TEST(Preconditions, TenantNamesBoth) {
  Manifest manifest;
  manifest.tenant = "_x";
  const auto finding = check_tenant(manifest, "y");
  ASSERT_TRUE(finding.has_value());
  EXPECT_THAT(finding->text, AllOf(HasSubstr("'_x'"), HasSubstr("'_y'")));
  EXPECT_FALSE(check_tenant(manifest, "x").has_value());
}

TEST(Preconditions, SandboxMustExistAndBeActive) {
  Manifest manifest;
  manifest.sandbox = "dev";
  EXPECT_THAT(check_sandbox(manifest, {{"prod", "active", ""}})->text, HasSubstr("may use: prod"));
  EXPECT_THAT(check_sandbox(manifest, {{"dev", "resetting", ""}})->text, HasSubstr("is resetting"));
  EXPECT_FALSE(check_sandbox(manifest, {{"dev", "active", ""}}).has_value());
}

TEST(Preconditions, NamespaceCaseIsSuggested) {
  Manifest manifest;
  manifest.identity.namespace_code = "email";
  EXPECT_THAT(check_identity_namespace(manifest, {{"6", "Email", "Email", "email", "ACTIVE"}})->text,
              HasSubstr("did you mean 'Email'"));
  manifest.identity.namespace_code = "Email";
  EXPECT_FALSE(check_identity_namespace(manifest, {{"6", "Email", "Email", "email", ""}}).has_value());
}

TEST(Preconditions, MergePolicyByDefaultIdOrName) {
  using platform::DefaultPolicy;
  const std::vector<platform::MergePolicy> policies{{"p1", "Timestamp", DefaultPolicy::Yes},
                                                    {"p2", "Private", DefaultPolicy::No},
                                                    {"p3", "Private", DefaultPolicy::No}};
  Manifest manifest;
  EXPECT_EQ(choose_merge_policy(manifest, policies).id, "p1");
  manifest.source.merge_policy = "p2";
  EXPECT_EQ(choose_merge_policy(manifest, policies).id, "p2");
  manifest.source.merge_policy = "Timestamp";
  EXPECT_EQ(choose_merge_policy(manifest, policies).id, "p1");
  manifest.source.merge_policy = "Private";
  EXPECT_EQ(choose_merge_policy(manifest, policies).finding->code, "merge-policy-ambiguous");
  manifest.source.merge_policy = "Other";
  EXPECT_EQ(choose_merge_policy(manifest, policies).finding->code, "merge-policy-unknown");
}

class AudiencesStageTest : public testing::Test {
 protected:
  AudiencesStageTest() {
    world.manifest.audiences = {entry("A2", "Platinum"), entry({}, "Gold")};
    world.client.on("GET /data/foundation/sandbox-management/", R"({"sandboxes":[{"name":"prod","state":"active"}]})")
        .on("GET /data/foundation/schemaregistry/stats", R"({"tenantId":"demo"})")
        .on("GET /data/core/idnamespace/identities", R"([{"id":6,"code":"Email","status":"ACTIVE"}])")
        .on("GET /data/core/ups/config/mergePolicies", R"({"children":[{"id":"mp-1","name":"d","default":true}]})")
        .on("POST /data/core/ups/audiences/bulk-get",
            std::vector<Answer>{{207, R"({"results":{"A2":{"id":"A2","name":"Platinum","lifecycleState":"published"},
               "A1":{"id":"A1","name":"Gold","lifecycleState":"published"}}})"}})
        .on("GET /data/core/ups/audiences", R"({"children":[{"id":"A1","name":"Gold"}]})")
        .on("GET /data/core/ups/segment/jobs",
            R"({"children":[{"id":"1","status":"SUCCEEDED","metrics":{"segmentedProfileCounter":{"A1":7}}}]})");
  }
  FakeWorld world;
};

TEST_F(AudiencesStageTest, HandsOnAudiencesSortedByIdAndPinsNames) {
  auto context = world.read();
  const auto observed = audiences_stage().make()->observe({}, context);
  ASSERT_TRUE(observed.ok()) << observed.error().text();
  EXPECT_THAT(observed->findings, IsEmpty());
  EXPECT_EQ(to_json(observed->outputs.at("audiences")),
            R"([{"expected":7,"held":false,"id":"A1","name":"Gold","namespace":"ups"},)"
            R"({"expected":null,"held":false,"id":"A2","name":"Platinum","namespace":"ups"}])");
  EXPECT_EQ(observed->remember.at("pin:Gold"), Value("A1"));
  EXPECT_EQ(observed->remember.at("audience:A2").text("name"), "Platinum");
}

TEST_F(AudiencesStageTest, APinnedNameIsNotLookedUpAgain) {
  world.records.kept["pin:Gold"] = Value("A1");
  auto context = world.read();
  const auto observed = audiences_stage().make()->observe({}, context);
  ASSERT_TRUE(observed.ok());
  EXPECT_EQ(world.client.count("GET /data/core/ups/audiences?"), 0U);
  EXPECT_THAT(observed->findings, IsEmpty());
}

TEST_F(AudiencesStageTest, MissingSizesDoNotStopASync) {
  world.client.on("GET /data/core/ups/segment/jobs", {{503, ""}});
  auto context = world.read();
  const auto observed = audiences_stage().make()->observe({}, context);
  ASSERT_TRUE(observed.ok());
  EXPECT_THAT(world.events.names, ElementsAre("audiences.sizes_unknown"));
}

}  // namespace
}  // namespace audiencesync
