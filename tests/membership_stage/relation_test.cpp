#include "plugins/membership/relation.h"

#include <gmock/gmock.h>

#include "tests/platform/fake_client.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Manifest luma() {
  Manifest manifest;
  manifest.name = "Luma";
  manifest.uid = "luma";
  manifest.tenant = "_demo";
  manifest.identity = {"_demo.core.email", "Email", Normalize::Lower};
  return manifest;
}

const char* const kAudiences = R"([{"id":"A1","name":"Gold","namespace":"ups"},
                                   {"id":"A2","name":"Silver","namespace":"aam","held":true}])";

TEST(RelationSpec, SaysWhatTheManifestAndTheAudiencesStageSay) {
  const auto made = relation_spec(luma(), json_of(kAudiences), {{"luma/analytics", "bad@x.io", "INGEST-1", "B1", {}}});

  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_EQ(made->relation, "luma/analytics");
  EXPECT_EQ(made->uid, "luma");
  EXPECT_EQ(made->tenant, "_demo");
  EXPECT_EQ(made->identity_field, "_demo.core.email");
  EXPECT_EQ(made->identity_namespace, "Email");
  EXPECT_EQ(made->person, PersonRule::Lower);
  EXPECT_THAT(made->statuses, ElementsAre("realized", "existing"));
  ASSERT_THAT(made->audiences, SizeIs(2));
  EXPECT_EQ(made->audiences[0].id, "A1");
  EXPECT_EQ(made->audiences[0].name, "Gold");
  EXPECT_EQ(made->audiences[0].membership_namespace, "ups");
  EXPECT_FALSE(made->audiences[0].held);
  EXPECT_TRUE(made->audiences[1].held);
  EXPECT_TRUE(made->quarantined.contains(PersonId("bad@x.io")));
  EXPECT_EQ(made->dataset, "") << "the dataset stage says it";
}

TEST(RelationSpec, TheRelationIsNamedByTheUidAndSurvivesARename) {
  auto renamed = luma();
  renamed.name = "Luma Gold";
  EXPECT_EQ(analytics_relation(renamed), "luma/analytics");
  EXPECT_EQ(relation_spec(renamed, json_of(kAudiences), {})->definition(),
            relation_spec(luma(), json_of(kAudiences), {})->definition());
}

TEST(RelationSpec, AHeldAudienceIsNoOtherDefinition) {
  const auto all = relation_spec(luma(), json_of(R"([{"id":"A1","name":"Gold","namespace":"ups"}])"), {});
  const auto held = relation_spec(luma(), json_of(R"([{"id":"A1","name":"Gold","namespace":"ups","held":true}])"), {});
  EXPECT_EQ(all->definition(), held->definition());
}

struct NormalizeCase {
  const char* name;
  Normalize word;
  PersonRule rule;
};

class NormalizeWord : public testing::TestWithParam<NormalizeCase> {};

TEST_P(NormalizeWord, BecomesThePersonRuleOfThatName) {
  auto manifest = luma();
  manifest.identity.normalize = GetParam().word;
  EXPECT_EQ(relation_spec(manifest, json_of("[]"), {})->person, GetParam().rule);
}

INSTANTIATE_TEST_SUITE_P(Table, NormalizeWord,
                         testing::Values(NormalizeCase{"none", Normalize::None, PersonRule::AsIs},
                                         NormalizeCase{"trim", Normalize::Trim, PersonRule::Trim},
                                         NormalizeCase{"lower", Normalize::Lower, PersonRule::Lower},
                                         NormalizeCase{"hash", Normalize::Sha256Lower, PersonRule::Sha256Lower}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(RelationSpec, AnOutputOfAnotherShapeIsOurMistake) {
  const auto made = relation_spec(luma(), json_of(R"({"A1":"Gold"})"), {});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), ErrorCode::Internal);
}

}  // namespace
}  // namespace audiencesync
