// What the records of each layout say, and what that means for counting and comparing.
#include <fmt/format.h>

#include <set>

#include "engine/base/json.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class LayoutTest : public EngineTest {
 protected:
  Path upload_folder = folder.path() / "upload";

  Upload encode(const Bulk& bulk) {
    EncodeOptions options;
    options.generation = 7;
    return must(engine->encode(spec, bulk, options, upload_folder, {}));
  }
  std::string text_of(const Upload& upload) {
    std::string text;
    for (const auto& part : upload.parts) text += read_bytes(part.path);
    return text;
  }

  const ExportRow ann{"ann", {{"ups", "A1", "realized"}, {"ups", "A2", "realized"}}};
  const ExportRow bob{"bob", {{"ups", "A2", "realized"}}};
  const ExportRow bob_nowhere{"bob", {}};
};

TEST_F(LayoutTest, MembershipWritesTheRowsOfTheRecipe) {
  spec.layout = RecordLayout::Membership;
  source.rows = {ann};
  const auto bulk = compare();
  EXPECT_EQ(bulk.people, 1U);
  EXPECT_EQ(bulk.records, 2U);
  EXPECT_EQ(bulk.crowded, 1U) << "analytics may keep one of the two rows";

  const auto upload = encode(bulk);
  EXPECT_EQ(upload.records, 2U);
  EXPECT_EQ(upload.people, 1U);
  ASSERT_EQ(upload.parts.size(), 1U);
  EXPECT_EQ(upload.parts[0].records, 2U);
  // printf 'luma\x1fann\x1fA1' | sha256sum
  const auto row = [](const std::string& id, const std::string& name) {
    return R"({"_id":")" +
           sha256(
               "luma\x1F"
               "ann\x1F" +
               id) +
           R"(","personID":"ann","_demo":{"audienceMembershipId":")" + id + R"(","audienceMembershipName":")" + name +
           R"(","audienceSyncGeneration":7}})" + "\n";
  };
  EXPECT_EQ(text_of(upload), row("A1", "Blue") + row("A2", "Gold"));
  EXPECT_EQ(text_of(upload).size(), bulk.bytes);
}

TEST_F(LayoutTest, MembershipHasNoRecordForPeopleInNothing) {
  spec.layout = RecordLayout::Membership;
  source.rows = {ann, bob};
  const auto base = compare().candidate;

  source.rows = {ann, bob_nowhere};
  const auto bulk = compare({base, true});
  EXPECT_EQ(bulk.records, 2U) << "ann's again";
  EXPECT_EQ(bulk.people, 2U);
  EXPECT_EQ(bulk.removed, 1U);
  EXPECT_EQ(text_of(encode(bulk)).find("bob"), std::string::npos);

  const auto again = compare({bulk.candidate, true});
  EXPECT_EQ(again.people, 1U) << "nothing is left to be said of bob";
}

TEST_F(LayoutTest, DelimitedWritesTheIdsInOneString) {
  spec.layout = RecordLayout::Delimited;
  source.rows = {ann, bob};
  const auto base = compare();
  EXPECT_EQ(base.crowded, 0U);
  source.rows = {ann, bob_nowhere};
  const auto bulk = compare({base.candidate, true});
  const auto records = read_records(encode(bulk));
  EXPECT_EQ(to_json(*records.at("ann").find("_demo")),
            R"({"audienceMembershipCount":2,"audienceMembershipIds":"A1,A2","audienceSyncGeneration":7})");
  EXPECT_EQ(to_json(*records.at("bob").find("_demo")),
            R"({"audienceMembershipCount":0,"audienceMembershipIds":"","audienceSyncGeneration":7})")
      << "an empty string is a tombstone";
}

TEST_F(LayoutTest, DelimitedCountsWhoIsInMoreAudiencesThanAnalyticsSplit) {
  spec.layout = RecordLayout::Delimited;
  spec.audiences.clear();
  ExportRow eleven{"eleven", {}};
  ExportRow ten{"ten", {}};
  for (int i = 0; i < 11; ++i) {
    spec.audiences.push_back(audience(fmt::format("A{}", i), fmt::format("Name {}", i)));
    eleven.memberships.push_back({"ups", fmt::format("A{}", i), "realized"});
    if (i > 0) ten.memberships.push_back({"ups", fmt::format("A{}", i), "realized"});
  }
  source.rows = {eleven, ten};
  const auto bulk = compare();
  EXPECT_EQ(bulk.crowded, 1U);
  EXPECT_EQ(compare({bulk.candidate}).crowded, 1U) << "whether they change or not";
  EXPECT_EQ(Bulk::from_value(bulk.to_value()).value(), bulk);
}

TEST_F(LayoutTest, ARenamedAudienceIsCountedWithItsPeople) {
  source.rows = {ann, bob};
  const auto base = compare().candidate;
  spec.audiences = {audience("A1", "Blue"), audience("A2", "Gold 24")};
  source.rows = {ann, bob, {"new", {{"ups", "A2", "realized"}}}};

  const auto bulk = compare({base});

  ASSERT_EQ(bulk.audiences.size(), 2U);
  EXPECT_EQ(bulk.audiences[0].renamed, 0U);
  EXPECT_EQ(bulk.audiences[0].name_before, "");
  EXPECT_EQ(bulk.audiences[1].renamed, 2U) << "not those who enter under the new name";
  EXPECT_EQ(bulk.audiences[1].entered, 1U);
  EXPECT_EQ(bulk.audiences[1].name, "Gold 24");
  EXPECT_EQ(bulk.audiences[1].name_before, "Gold");
  EXPECT_EQ(bulk.people, 3U);
  EXPECT_EQ(Bulk::from_value(bulk.to_value()).value(), bulk);
}

TEST_F(LayoutTest, NamesThatAreLookedUpChangeNobody) {
  spec.names = RecordNames::LookedUp;
  source.rows = {ann, bob};
  const auto first = compare();
  EXPECT_EQ(first.audiences[1].name, "Gold") << "as people are told of it";
  EXPECT_EQ(to_json(*read_records(encode(first)).at("bob").find("_demo")),
            R"({"audienceMembership":[{"audienceMembershipId":"A2"}],"audienceMembershipCount":1,)"
            R"("audienceSyncGeneration":7})");

  spec.audiences = {audience("A1", "Blue"), audience("A2", "Gold 24")};
  const auto renamed = compare({first.candidate});
  EXPECT_EQ(renamed.people, 0U);
  EXPECT_EQ(renamed.audiences[1].name, "Gold 24");
  EXPECT_EQ(renamed.audiences[1].renamed, 0U);

  spec.audiences.pop_back();
  const auto withdrawn = compare({first.candidate});
  EXPECT_EQ(withdrawn.people, 2U);
  EXPECT_EQ(withdrawn.audiences[1].name, "A2") << "nobody remembers another name of it";
}

TEST_F(LayoutTest, ASnapshotKnowsTheShapeOfItsRecords) {
  source.rows = {ann, bob};
  const auto person = compare().candidate;
  EXPECT_EQ(must(engine->shape(person)), "person");

  spec.names = RecordNames::LookedUp;
  const auto bulk = compare({person, true});
  EXPECT_EQ(must(engine->shape(bulk.candidate)), "person, ids only");
  EXPECT_EQ(bulk.people, 2U);
  EXPECT_EQ(bulk.audiences[0].renamed, 0U) << "it is no renaming that names are no longer written";

  EncodeOptions smaller;
  smaller.generation = 9;
  smaller.leave_out = {PersonId("bob")};
  const auto upload = must(engine->encode(spec, bulk, smaller, upload_folder, {}));
  EXPECT_EQ(must(engine->shape(upload.candidate)), "person, ids only");
}

TEST_F(LayoutTest, TheSameRowsInAnotherShapeAreAnotherSnapshot) {
  source.rows = {ann, bob};
  const auto person = compare().candidate;
  spec.layout = RecordLayout::Membership;
  const auto bulk = compare({person, true});
  EXPECT_NE(bulk.candidate, person) << "or one would overwrite what the other says about its records";
  EXPECT_EQ(must(engine->shape(person)), "person");
  EXPECT_EQ(must(engine->shape(bulk.candidate)), "membership");
  must(engine->check(bulk.candidate));
  EXPECT_EQ(encode(bulk).people, 2U);
}

TEST_F(LayoutTest, WhoIsInAHeldAudienceIsWrittenInTheNewShape) {
  source.rows = {ann, bob};
  const auto base = compare().candidate;
  spec.audiences[1].held = true;
  for (const auto names : {RecordNames::LookedUp, RecordNames::Written}) {
    spec.names = names;
    const auto bulk = compare({base, true});
    const auto records = read_records(encode(bulk));
    const auto& memberships = records.at("bob").find("_demo")->items("audienceMembership");
    ASSERT_EQ(memberships.size(), 1U);
    EXPECT_EQ(memberships[0].text("audienceMembershipName"), names == RecordNames::Written ? "Gold" : "");
  }
}

TEST_F(LayoutTest, AnotherLayoutIsAnotherDefinition) {
  std::set<Digest> definitions{spec.definition()};
  for (const auto layout : {RecordLayout::Membership, RecordLayout::Delimited}) {
    spec.layout = layout;
    definitions.insert(spec.definition());
  }
  EXPECT_EQ(definitions.size(), 3U);
}

}  // namespace
}  // namespace audiencesync::testing
