#include "plugins/membership/question.h"

#include <gmock/gmock.h>

#include "tests/membership_stage/fake_memberships.h"

namespace audiencesync {
namespace {

using testing::HasSubstr;

class QuestionTest : public testing::Test, protected FakeWorld {
 protected:
  QuestionTest() {
    question.spec.relation = "luma/analytics";
    question.spec.uid = "luma";
    question.spec.dataset = "D1";
    question.spec.audiences = {{"A1", "Gold", "ups", false}};
    question.batches = {"E1", "E2"};
    engine.answer.relation = "luma/analytics";
    engine.answer.content = "changes-1";
    engine.answer.candidate = "snapshot-1";
    engine.answer.people = 3;
    engine.answer.added = 2;
    engine.answer.removed = 1;
    engine.answer.bytes = 300;
    engine.answer.audiences = {{"A1", "Gold", 5, 6, 2, 1}};
    engine.answer.dropped.read = 10;
  }

  Result<Bulk> ask() {
    RunServices own{client, engine,   records,  files,     clock,         server,
                    events, manifest, settings, "state-1", folder.path(), {}};
    ReadContext context(own, outputs);
    return compare_memberships(question, context);
  }
  Bulk answered() {
    auto bulk = ask();
    if (!bulk.ok()) {
      ADD_FAILURE() << bulk.error().text();
      return {};
    }
    return std::move(bulk).take();
  }
  void proven(const Digest& content) {
    question.current = SnapshotRecord{};
    question.current->content = content;
  }
  Path kept() const { return folder.path() / "comparison.json"; }

  WorkFolder folder;
  FakeMemberships engine;
  Question question;
};

TEST_F(QuestionTest, TheSameQuestionIsAnsweredWithoutReadingAgain) {
  const auto first = answered();
  EXPECT_EQ(first.source, "E1,E2");
  EXPECT_EQ(answered(), first);
  EXPECT_EQ(engine.compared, 1);
}

TEST_F(QuestionTest, TheAnswerIsKeptOnlyWhileItsFilesAre) {
  answered();
  engine.whole = false;
  answered();
  EXPECT_EQ(engine.compared, 2);
}

struct OtherQuestion {
  const char* name;
  std::function<void(Question&)> change;
};

class OtherQuestionTest : public QuestionTest, public testing::WithParamInterface<OtherQuestion> {};

TEST_P(OtherQuestionTest, IsComparedAnew) {
  answered();
  GetParam().change(question);
  answered();
  EXPECT_EQ(engine.compared, 2);
  answered();
  EXPECT_EQ(engine.compared, 2) << "and kept in its place";
}

INSTANTIATE_TEST_SUITE_P(
    Table, OtherQuestionTest,
    testing::Values(OtherQuestion{"other_export", [](Question& asked) { asked.batches = {"E3"}; }},
                    OtherQuestion{"other_definition", [](Question& asked) { asked.spec.audiences[0].name = "Gold+"; }},
                    OtherQuestion{"other_dataset", [](Question& asked) { asked.spec.dataset = "D2"; }},
                    OtherQuestion{"audience_held", [](Question& asked) { asked.spec.audiences[0].held = true; }},
                    OtherQuestion{"somebody_in_quarantine",
                                  [](Question& asked) { asked.spec.quarantined.insert(PersonId("a@x")); }},
                    OtherQuestion{"other_base",
                                  [](Question& asked) {
                                    asked.current = SnapshotRecord{};
                                    asked.current->content = "snapshot-0";
                                  }},
                    OtherQuestion{"everyone_again", [](Question& asked) { asked.rewrite = true; }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(QuestionTest, OnceCommittedTheSameExportDiffersInNothing) {
  answered();
  proven("snapshot-1");
  engine.whole = false;  // its files may be cleaned away by then

  const auto bulk = answered();

  EXPECT_EQ(engine.compared, 1);
  EXPECT_EQ(bulk.people, 0U);
  EXPECT_EQ(bulk.added + bulk.removed + bulk.bytes, 0U);
  EXPECT_EQ(bulk.base, "snapshot-1");
  EXPECT_EQ(bulk.candidate, "snapshot-1");
  ASSERT_EQ(bulk.audiences.size(), 1U);
  EXPECT_EQ(bulk.audiences[0], (AudienceDelta{"A1", "Gold", 6, 6, 0, 0}));
  EXPECT_EQ(bulk.dropped.read, 10U) << "what the export could not give is still true";
}

TEST_F(QuestionTest, ASnapshotWithoutSomeOfThemIsComparedAnew) {
  answered();
  proven("snapshot-1-without-two");
  answered();
  EXPECT_EQ(engine.compared, 2);
}

TEST_F(QuestionTest, AfterEveryoneWasWrittenAgainNothingDiffers) {
  proven("snapshot-1");
  question.rewrite = true;
  answered();
  EXPECT_EQ(engine.compared, 1) << "a rewrite is never taken from what is proven";
  question.rewrite = false;

  EXPECT_EQ(answered().people, 0U);
  EXPECT_EQ(engine.compared, 1);
}

TEST_F(QuestionTest, ARewriteIsComparedThoughTheExportWasCommitted) {
  answered();
  proven("snapshot-1");
  question.rewrite = true;
  EXPECT_EQ(answered().people, 3U);
  EXPECT_EQ(engine.compared, 2);
}

TEST_F(QuestionTest, ADamagedKeptAnswerOnlyCostsTheComparison) {
  for (const char* text : {"", "{", "[]", R"({"key":"x"})", R"({"key":"x","bulk":{}})", R"({"bulk":"text"})"}) {
    ASSERT_TRUE(files.write_atomic(kept(), text).ok());
    const int before = engine.compared;
    EXPECT_EQ(answered().people, 3U) << text;
    EXPECT_EQ(engine.compared, before + 1) << text;
    EXPECT_TRUE(kept_comparison(files, folder.path())) << text;
  }
}

TEST_F(QuestionTest, FewerRowsThanTheExportCountedAreNeverPlanned) {
  question.profiles = 11;

  const auto bulk = ask();

  ASSERT_FALSE(bulk.ok());
  EXPECT_EQ(bulk.error().code(), ErrorCode::Corrupt);
  EXPECT_THAT(bulk.error().message(), HasSubstr("counted 11 profiles, its files hold 10 rows"));
  EXPECT_FALSE(files.exists(kept())) << "and never taken from what was kept";
}

TEST_F(QuestionTest, AsManyRowsAsCountedAreFine) {
  question.profiles = 10;
  EXPECT_EQ(answered().people, 3U);
}

TEST_F(QuestionTest, TheExportsFilesAreGoneAfterwardsWhateverHappened) {
  const auto leave = [&] {
    ASSERT_TRUE(files.make_folder(folder.path() / "source").ok());
    ASSERT_TRUE(files.write_atomic(folder.path() / "source" / "E1-00000.parquet", "person ids").ok());
  };
  engine.when_compared = leave;
  answered();
  EXPECT_FALSE(files.exists(folder.path() / "source"));

  engine.failure = Error(ErrorCode::NoSpace, "disk full");
  question.batches = {"E3"};
  const auto bulk = ask();
  ASSERT_FALSE(bulk.ok());
  EXPECT_EQ(bulk.error().code(), ErrorCode::NoSpace);
  EXPECT_FALSE(files.exists(folder.path() / "source"));
}

TEST_F(QuestionTest, NoKeptComparisonIsNone) { EXPECT_FALSE(kept_comparison(files, folder.path())); }

TEST_F(QuestionTest, TheKeptAnswerNamesNobody) {
  question.spec.quarantined.insert(PersonId("bad@x.io"));
  answered();
  const auto text = files.read(kept());
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, testing::Not(HasSubstr("bad@x.io")));
}

}  // namespace
}  // namespace audiencesync
