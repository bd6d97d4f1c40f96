#include "engine/membership/query/refresh_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/digest.h"
#include "tests/membership_query/lake.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;

RelationSpec luma() {
  RelationSpec spec;
  spec.relation = "luma/analytics";
  spec.uid = "luma";
  spec.tenant = "_acme";
  spec.identity_field = "_acme.core.email";
  spec.statuses = {"realized", "existing"};
  spec.audiences = {{"a-2", "Gold", "ups"}, {"a-1", "It's \\ Blue+", "ups"}};
  return spec;
}

// Arrays are shown in braces, as over the wire.
class RefreshSql : public testing::Test {
 protected:
  std::vector<std::string> people(Extent extent = Extent::Changes) {
    lake.create(create_changeset("changeset", changeset_select(spec, relations, extent), "marker 1"));
    return lake.rows("SELECT person, memberships, total, known, entered, gone FROM changeset WHERE part = 'person'");
  }
  std::vector<std::string> people_restored(const Restore& restore) {
    lake.create(create_changeset("changeset", changeset_select(spec, relations, Extent::Changes, restore), "marker 3"));
    return lake.rows("SELECT person, memberships, total, known, entered, gone FROM changeset WHERE part = 'person'");
  }
  std::vector<std::string> counts() { return lake.rows(count_changeset("changeset")); }

  Lake lake;
  RelationSpec spec = luma();
  RefreshRelations relations{"profiles", "records"};
};

TEST_F(RefreshSql, EverybodyOfAFirstExportIsNew) {
  relations.target.clear();
  lake.profile("ann@x.io", {{"ups", "a-2", "realized"}, {"ups", "a-1", "existing"}, {"ups", "zz", "realized"}});
  lake.profile("bob@x.io", {{"ups", "a-1", "exited"}});
  lake.profile("cy@x.io", {});
  EXPECT_THAT(people(), ElementsAre("ann@x.io|{(a-1,It's \\ Blue+),(a-2,Gold)}|2|0|a-1,a-2|"));
  EXPECT_THAT(counts(), ElementsAre("audience|a-1|It's \\ Blue+|~|0|1|1|0|0", "audience|a-2|Gold|~|0|1|1|0|0",
                                    "everyone|~|~|~|0|1|0|0|0", "people|~|~|~|1|1|0|0|0", "rows|~|~|~|3|0|0|0|0"));
}

TEST_F(RefreshSql, OnlyWhoChangedIsInIt) {
  lake.record("ann@x.io", {{"a-1", "It's \\ Blue+"}}, 1);
  lake.record("ann@x.io", {{"a-2", "Gold"}}, 2);  // the newest counts
  lake.record("bob@x.io", {{"a-2", "Gold"}}, 1);
  lake.record("cy@x.io", {{"a-2", "Gold"}}, 1);
  lake.record("di@x.io", {}, 1);
  lake.profile("ann@x.io", {{"ups", "a-2", "realized"}});
  lake.profile("bob@x.io", {{"ups", "a-1", "realized"}});
  lake.profile("ed@x.io", {{"ups", "a-1", "realized"}});
  EXPECT_THAT(people(), ElementsAre("bob@x.io|{(a-1,It's \\ Blue+)}|1|1|a-1|a-2", "cy@x.io|{}|0|1||a-2",
                                    "ed@x.io|{(a-1,It's \\ Blue+)}|1|0|a-1|"));
  EXPECT_THAT(counts(), ElementsAre("audience|a-1|It's \\ Blue+|~|0|2|2|0|0", "audience|a-2|Gold|~|3|1|0|2|0",
                                    "everyone|~|~|~|3|3|2|0|0", "people|~|~|~|3|1|1|0|0", "rows|~|~|~|3|0|0|0|0"));
  EXPECT_THAT(lake.rows(sample_changeset("changeset", SampleKind::Leaves, 3)), ElementsAre("cy@x.io||a-2|0"));
  EXPECT_THAT(lake.rows(sample_changeset("changeset", SampleKind::New, 3)), ElementsAre("ed@x.io|a-1||1"));
  EXPECT_THAT(lake.rows(sample_changeset("changeset", SampleKind::Changed, 3)), ElementsAre("bob@x.io|a-1|a-2|1"));
}

TEST_F(RefreshSql, AFullGenerationHasEverybodyAndTombstones) {
  lake.record("ann@x.io", {{"a-2", "Gold"}}, 2);
  lake.record("di@x.io", {}, 1);
  lake.profile("ann@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre());
  EXPECT_THAT(people(Extent::Everyone), ElementsAre("ann@x.io|{(a-2,Gold)}|1|1||", "di@x.io|{}|0|1||"));
}

TEST_F(RefreshSql, ARenameIsNoMovement) {
  lake.record("ann@x.io", {{"a-2", "Silver"}}, 2);
  lake.profile("ann@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre("ann@x.io|{(a-2,Gold)}|1|1||"));
  EXPECT_THAT(counts(), ElementsAre("audience|a-2|Gold|Silver|1|1|0|0|1", "everyone|~|~|~|1|1|2|0|0",
                                    "people|~|~|~|1|0|0|0|0", "rows|~|~|~|1|0|0|0|0"));
}

TEST_F(RefreshSql, MembershipsOfAHeldAudienceStay) {
  spec.audiences[0].held = true;
  lake.record("ann@x.io", {{"a-2", "Silver"}}, 2);
  lake.profile("bob@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre());
}

TEST_F(RefreshSql, DuplicatesOfAPersonAreOnePersonInAllOfIt) {
  spec.person = PersonRule::Lower;
  relations.target.clear();
  lake.profile("Ann@x.io", {{"UPS", "a-2", "REALIZED"}});
  lake.profile("ann@X.io", {{"ups", "a-1", "realized"}, {"aam", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre("ann@x.io|{(a-1,It's \\ Blue+),(a-2,Gold)}|2|0|a-1,a-2|"));
}

TEST_F(RefreshSql, LettersBeyondAsciiStayAsTheyAre) {
  spec.person = PersonRule::Lower;
  relations.target.clear();
  lake.profile("J\u00c4NE\u212a@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre("j\u00c4ne\u212a@x.io|{(a-2,Gold)}|1|0|a-2|"));
}

TEST_F(RefreshSql, TrimTakesEveryAsciiBlank) {
  spec.person = PersonRule::Trim;
  relations.target.clear();
  lake.profile(" \t\n\v\f\rAnn x \r", {{"ups", "a-2", "realized"}});
  lake.profile("\t ", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre("Ann x|{(a-2,Gold)}|1|0|a-2|"));
}

TEST_F(RefreshSql, HashedIdsAreThoseOfTheLocalEngine) {
  spec.person = PersonRule::Sha256Lower;
  relations.target.clear();
  lake.profile("Ann@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre(sha256("ann@x.io") + "|{(a-2,Gold)}|1|0|a-2|"));
}

TEST_F(RefreshSql, RowsThatNameNobodyAreCounted) {
  relations.target.clear();
  lake.profile(nullptr, {{"ups", "a-2", "realized"}});
  lake.profile("", {{"ups", "a-2", "realized"}});
  const std::string fits = std::string(kLongestPersonId - 2, 'x') + "\u00e4";
  lake.profile((fits + "x").c_str(), {{"ups", "a-2", "realized"}});
  lake.profile(fits.c_str(), {{"ups", "a-2", "odd"}, {"ups", "a-1", "realized"}});
  EXPECT_THAT(people(), ElementsAre(fits + "|{(a-1,It's \\ Blue+)}|1|0|a-1|"));
  EXPECT_THAT(counts().back(), "rows|~|~|~|4|2|1|1|0");
}

// The schema takes no NUL in a text, and one such record would end the INSERT of all.
TEST_F(RefreshSql, AnIdThatNoRecordCanHaveIsCountedAndLeftOut) {
  relations.target.clear();
  lake.run(
      "INSERT INTO profiles SELECT {'core': {'email': 'a' || chr(0) || 'b'}}, "
      "MAP {'ups': MAP {'a-2': {'status': 'realized'}}}");
  lake.profile("ann@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre("ann@x.io|{(a-2,Gold)}|1|0|a-2|"));
  EXPECT_THAT(counts().back(), "rows|~|~|~|2|0|0|0|1");
}

TEST_F(RefreshSql, AnAudienceThatIsWithdrawnKeepsTheNameItWasWrittenWith) {
  spec.audiences = {{"a-1", "Blue", "ups"}};
  lake.record("ann@x.io", {{"a-2", "Gold"}}, 1);
  people();
  EXPECT_EQ(counts().front(), "audience|a-2|Gold|~|1|0|0|1|0");
}

TEST_F(RefreshSql, UnknownStatusesCountWhoeverHasThem) {
  relations.target.clear();
  lake.profile(nullptr, {{"ups", "a-2", "odd"}});
  EXPECT_THAT(people(), ElementsAre());
  EXPECT_EQ(counts().back(), "rows|~|~|~|1|1|0|1|0") << "as the local engine does";
}

TEST_F(RefreshSql, NamesArriveWhateverIsInThem) {
  relations.target.clear();
  spec.audiences = {{"a-2", "It's \\ \"Big\" `spenders` ${env:HOME} $$$ $1; -- /* \xf0\x9f\x98\x80\tx\ny", "ups"}};
  lake.profile("ann@x.io", {{"ups", "a-2", "realized"}});
  EXPECT_THAT(people(), ElementsAre("ann@x.io|{(a-2," + spec.audiences[0].name + ")}|1|0|a-2|"));
}

TEST_F(RefreshSql, RecordsCarryTheIdsOfTheLocalEngine) {
  lake.record("bob@x.io", {{"a-2", "Gold"}}, 1);
  lake.profile("ann@x.io", {{"ups", "a-2", "entered"}});
  people();
  EXPECT_THAT(
      lake.inserted(insert_changeset(spec, "records", "changeset", 42, "marker 2")),
      testing::UnorderedElementsAre(sha256(std::string("luma\x1f") + "ann@x.io") + "|ann@x.io|({(a-2,Gold)},1,42)",
                                    sha256(std::string("luma\x1f") + "bob@x.io") + "|bob@x.io|({},0,42)"));
}

TEST_F(RefreshSql, ARestoredPastIsThatOfWhomTheExportStillHas) {
  spec.audiences.push_back({"a-3", "Joined later", "ups"});
  spec.audiences.push_back({"a-4", "Was empty", "ups"});
  lake.record("ann@x.io", {{"a-1", "Old name"}}, 1);
  lake.record("bob@x.io", {{"a-2", "Gold"}, {"z-9", "Withdrawn"}}, 1);
  lake.record("gone@x.io", {{"a-1", "Old name"}, {"a-2", "Gold"}}, 2);
  lake.record("di@x.io", {{"a-2", "Gold"}}, 2);
  // After the run that is gone back to:
  lake.record("ann@x.io", {{"a-2", "Gold"}, {"a-3", "Joined later"}}, 3);
  lake.record("di@x.io", {}, 3);
  lake.record("ed@x.io", {{"a-2", "Gold"}, {"a-4", "Was empty"}}, 4);
  for (const auto* email : {"ann@x.io", "bob@x.io", "di@x.io"}) lake.profile(email, {{"ups", "a-4", "realized"}});
  EXPECT_THAT(
      people_restored({2, {"a-1", "a-2", "a-4"}}),
      ElementsAre("ann@x.io|{(a-1,It's \\ Blue+),(a-3,Joined later)}|2|1|a-1|a-2", "bob@x.io|{(a-2,Gold)}|1|1||z-9",
                  "di@x.io|{(a-2,Gold)}|1|1|a-2|", "ed@x.io|{}|0|1||a-2,a-4", "gone@x.io|{}|0|1||a-1,a-2"));
  EXPECT_THAT(counts(), testing::IsSupersetOf({"left_out|~|~|~|1|2|4|0|0", "past|a-1|Old name|~|2|0|0|0|0",
                                               "past|a-2|Gold|~|3|0|0|0|0", "past|z-9|Withdrawn|~|1|0|0|0|0"}));
  // Nobody says that the empty one was in the sync, so it counts as one that joined later.
  EXPECT_THAT(people_restored({2, {}}), testing::Contains("ed@x.io|{(a-4,Was empty)}|1|1||a-2"));
}

TEST(SparkText, EscapesWhatWouldEndIt) {
  EXPECT_EQ(spark_text("it's \\ all"), "'it\\'s \\\\ all'");
  EXPECT_EQ(spark_text("${env:HOME} $$ $1"), "'\\u0024{env:HOME} \\u0024\\u0024 \\u00241'")
      << "variables, parameters and blocks begin with it";
  EXPECT_EQ(spark_name("_acme.two words"), "`_acme`.`two words`");
}

}  // namespace
}  // namespace audiencesync
