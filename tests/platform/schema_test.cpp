#include <gmock/gmock.h>

#include "plugins/schema/field_group.h"
#include "plugins/schema/registry_view.h"
#include "plugins/schema/schema_stage.h"
#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kRegistry = "/data/foundation/schemaregistry/tenant/";

TEST(FieldGroup, IsASupersetOfItself) {
  const auto there = tenant_properties(field_group_body("_demo"), "_demo");
  EXPECT_EQ(there.pointer, "/definitions/customFields/properties/_demo/properties");
  const auto patch = additive_patch(membership_properties(), there.properties, there.pointer);
  EXPECT_THAT(patch.operations, IsEmpty());
  EXPECT_THAT(patch.conflicts, IsEmpty());
}

TEST(FieldGroup, MissingFieldsAreAddedWhereTheyBelong) {
  auto observed = membership_properties();
  observed.object_if()->erase("audienceMembershipCount");
  observed["audienceMembership"]["items"]["properties"].object_if()->erase("audienceMembershipName");
  observed["foreign"]["type"] = "string";
  const auto patch = additive_patch(membership_properties(), observed, "/p");
  ASSERT_EQ(patch.operations.size(), 2U);
  EXPECT_EQ(patch.operations[0].text("path"), "/p/audienceMembership/items/properties/audienceMembershipName");
  EXPECT_EQ(patch.operations[1].text("path"), "/p/audienceMembershipCount");
  EXPECT_EQ(patch.operations[1].text("op"), "add");
  EXPECT_THAT(patch.conflicts, IsEmpty());
}

TEST(FieldGroup, AnotherTypeIsAConflictAndNeverPatched) {
  auto observed = membership_properties();
  observed["audienceMembershipId"]["type"] = "integer";
  observed["audienceMembership"]["items"]["type"] = "string";
  const auto patch = additive_patch(membership_properties(), observed, "/p");
  EXPECT_THAT(patch.operations, IsEmpty());
  EXPECT_THAT(patch.conflicts, ElementsAre("audienceMembership[] is of type string, not object",
                                           "audienceMembershipId is of type integer, not string"));
}

TEST(FieldGroup, PointersEscapeSlashesAndTildes) {
  Value wanted;
  wanted["a/b~c"]["type"] = "string";
  const auto patch = additive_patch(wanted, Value(Value::Object{}), "/p");
  EXPECT_EQ(patch.operations.at(0).text("path"), "/p/a~1b~0c");
}

platform::IdentityDescriptor identity(const char* property, const char* space, bool primary) {
  return {"@1", "S", property, space, primary};
}

TEST(Identity, IsOursOnlyWhenItIsThePrimaryOne) {
  EXPECT_TRUE(view_identity({identity("/personID", "Email", true)}, "T", "Email").matches);
  EXPECT_FALSE(view_identity({}, "T", "Email").matches);
  EXPECT_FALSE(view_identity({}, "T", "Email").finding.has_value());
  for (const auto& other : {identity("/personID", "ECID", true), identity("/_demo/x", "Email", true),
                            identity("/personID", "Email", false)}) {
    const auto view = view_identity({other}, "T", "Email");
    EXPECT_FALSE(view.matches);
    ASSERT_TRUE(view.finding.has_value());
    EXPECT_EQ(view.finding->severity, Severity::Refuse);
  }
  EXPECT_TRUE(
      view_identity({identity("/personID", "Email", true), identity("/_demo/x", "ECID", false)}, "T", "Email").matches);
}

class SchemaStageTest : public testing::Test {
 protected:
  void has(const char* kind, const char* title, const char* id, const Value& document) {
    auto listed = fmt::format(R"({{"results":[{{"$id":"{}","title":"{}"}}],"_page":{{"next":null}}}})", id, title);
    auto stored = document;
    stored["$id"] = id;
    world.client.on(fmt::format("GET {}{}", kRegistry, kind), listed)
        .on(fmt::format("GET {}{}/{}", kRegistry, kind, id), to_json(stored));
  }
  void lacks(const char* kind) {
    world.client.on(fmt::format("GET {}{}", kRegistry, kind), R"({"results":[],"_page":{"next":null}})");
  }
  Observed observe() {
    auto context = world.read();
    auto observed = schema_stage().make()->observe({}, context);
    EXPECT_TRUE(observed.ok()) << observed.error().text();
    return observed.ok() ? *observed : Observed();
  }
  FakeWorld world;
};

TEST_F(SchemaStageTest, SeesWhatItMade) {
  has("fieldgroups", kFieldGroupTitle, "FG", field_group_body("_demo"));
  has("schemas", "audiencesync audience membership (Email)", "SC", schema_body("Email", "FG"));
  world.client.on(
      fmt::format("GET {}descriptors", kRegistry),
      R"({"results":[{"@id":"i","@type":"xdm:descriptorIdentity","xdm:sourceSchema":"SC","xdm:sourceProperty":"/personID","xdm:namespace":"Email","xdm:isPrimary":true}]})");
  const auto observed = observe();
  EXPECT_THAT(observed.findings, IsEmpty());
  EXPECT_EQ(observed.resources.size(), 3U);
  EXPECT_EQ(observed.outputs.at("schema_id"), Value("SC"));
  EXPECT_EQ(observed.outputs.at("field_group_id"), Value("FG"));
}

TEST_F(SchemaStageTest, AForeignFieldGroupOfOurTitleIsRefused) {
  auto foreign = field_group_body("_demo");
  foreign["description"] = "made by hand";
  has("fieldgroups", kFieldGroupTitle, "FG", foreign);
  lacks("schemas");
  EXPECT_THAT(codes_of(observe().findings, Severity::Refuse), ElementsAre("registry-foreign"));
}

TEST_F(SchemaStageTest, AnotherTypeInTheFieldGroupIsRefused) {
  auto drifted = field_group_body("_demo");
  drifted["definitions"]["customFields"]["properties"]["_demo"]["properties"]["audienceMembershipId"]["type"] =
      "integer";
  has("fieldgroups", kFieldGroupTitle, "FG", drifted);
  lacks("schemas");
  EXPECT_THAT(text_of(observe().findings, "field-group-drift"), HasSubstr("audienceMembershipId is of type integer"));
}

TEST_F(SchemaStageTest, AFieldGroupThatTheListHidIsFoundAndNotMadeTwice) {
  world.client.on(fmt::format("POST {}fieldgroups", kRegistry), {{400, ""}});
  has("fieldgroups", kFieldGroupTitle, "FG", field_group_body("_demo"));
  Change change;
  change.key = {"schema", "field-group"};
  change.after["tenant"] = Value("_demo");
  auto context = world.write();
  const auto applied = schema_stage().make()->apply(change, context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Conflict);
}

TEST_F(SchemaStageTest, AFieldGroupWhoseAnswerWasLostIsAdopted) {
  world.client.on(fmt::format("POST {}fieldgroups", kRegistry), {{0, ""}});
  has("fieldgroups", kFieldGroupTitle, "FG", field_group_body("_demo"));
  Change change;
  change.key = {"schema", "field-group"};
  change.after["tenant"] = Value("_demo");
  auto context = world.write();
  const auto applied = schema_stage().make()->apply(change, context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->outputs.at("field_group_id"), Value("FG"));
  EXPECT_EQ(world.client.count("POST"), 1U);
}

TEST_F(SchemaStageTest, AnExtensionThatIsThereAlreadyIsNotAddedTwice) {
  has("schemas", "audiencesync audience membership (Email)", "SC", schema_body("Email", "FG"));
  Change change;
  change.key = {"schema", "schema"};
  change.action = Action::Update;
  change.after["namespace"] = Value("Email");
  change.after["field_group"] = Value("FG");
  auto context = world.write();
  const auto applied = schema_stage().make()->apply(change, context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(world.client.count("PATCH"), 0U);
}

}  // namespace
}  // namespace audiencesync
