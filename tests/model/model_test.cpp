#include <gtest/gtest.h>

#include "engine/base/json.h"
#include "engine/model/change.h"
#include "engine/model/finding.h"
#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

Bulk some_bulk() {
  Bulk bulk;
  bulk.relation = "loyalty/analytics";
  bulk.source = "export-1,export-2";
  bulk.base = "base";
  bulk.content = "content";
  bulk.candidate = "candidate";
  bulk.people = 5'000'000'000;
  bulk.added = 7;
  bulk.removed = 8;
  bulk.bytes = 9'000'000'000'000;
  bulk.audiences = {{"A1", "Luma - Blue+ Members", 10, 12, 3, 1}, {"A2", "\"quoted\" \xC3\xBC", 0, 1, 1, 0}};
  bulk.dropped = {.read = 100, .without_person = 1, .over_long = 2, .not_utf8 = 3, .unknown_status = 4};
  return bulk;
}

Change some_change() {
  Change change;
  change.key = {"membership", "analytics"};
  change.action = Action::Ingest;
  change.after["dataset"] = Ref{"dataset", "dataset_id"};
  change.after["layout"] = Value("person");
  change.after["nothing"] = Value();
  change.after["looks_like_a_reference"] = Value(Value::Object{{"stage", "x"}, {"output", "y"}, {"value", 1}});
  change.reason = "8 people left";
  change.expected_version = "12";
  change.bulk = some_bulk();
  return change;
}

// Through text, as the store keeps it.
Value stored(const Value& value) { return *parse_json(to_json(value)); }

TEST(Bulk, SurvivesBeingStored) {
  const auto again = Bulk::from_value(stored(some_bulk().to_value()));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, some_bulk());
  EXPECT_EQ(again->dropped.total(), 6U);
}

TEST(Bulk, WithoutAContentDigestIsCorrupt) {
  for (const auto& value : {Value(), Value(Value::Object{}), Value("text"), Value(Value::Object{{"content", 7}})}) {
    EXPECT_EQ(Bulk::from_value(value).error().code(), ErrorCode::Corrupt);
  }
}

TEST(Change, SurvivesBeingStored) {
  const auto change = some_change();
  const auto again = Change::from_value(stored(change.to_value()));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->key, change.key);
  EXPECT_EQ(again->action, change.action);
  EXPECT_EQ(again->after, change.after);
  EXPECT_EQ(again->reason, change.reason);
  EXPECT_EQ(again->expected_version, change.expected_version);
  EXPECT_EQ(again->bulk, change.bulk);
}

TEST(Change, WithoutABulkHasNoneAfterwards) {
  auto change = some_change();
  change.bulk.reset();
  EXPECT_FALSE(Change::from_value(stored(change.to_value()))->bulk.has_value());
}

TEST(Change, OfAnUnknownActionIsCorrupt) {
  for (const auto* action : {"", "explode", "Create"}) {
    auto value = some_change().to_value();
    value["action"] = action;
    EXPECT_EQ(Change::from_value(value).error().code(), ErrorCode::Corrupt) << action;
  }
  auto damaged = some_change().to_value();
  damaged["bulk"] = Value::Object{};
  EXPECT_EQ(Change::from_value(damaged).error().code(), ErrorCode::Corrupt);
}

TEST(Action, WordsAreReadBack) {
  for (const auto action :
       {Action::Create, Action::Update, Action::Delete, Action::Run, Action::Ingest, Action::Person}) {
    EXPECT_EQ(action_from(to_string(action)), action);
  }
  EXPECT_FALSE(action_from("unknown").has_value());
}

TEST(Proof, SaysWhatWasReadBack) {
  const Proof proof{.version = "3", .batch = "B1", .generation = 7, .records = 12, .quarantined = {"f1"}};
  EXPECT_EQ(to_json(proof.to_value()),
            R"({"batch":"B1","generation":7,"quarantined":["f1"],"records":12,"version":"3"})");
}

TEST(Finding, HasAWordForEachSeverity) {
  EXPECT_STREQ(to_string(Severity::Note), "note");
  EXPECT_STREQ(to_string(Severity::Warning), "warning");
  EXPECT_STREQ(to_string(Severity::Wait), "wait");
  EXPECT_STREQ(to_string(Severity::Refuse), "refuse");
  EXPECT_EQ(to_json(Finding{Severity::Refuse, "another-writer", "a batch we did not write"}.to_value()),
            R"({"code":"another-writer","severity":"refuse","text":"a batch we did not write"})");
}

// The documented order, worst first: interruption and bad input, then 1, 7, 4, 6, 5, 3, 2, 0.
constexpr int kWorstFirst[] = {130, 143, 64, 65, 1, 7, 4, 6, 5, 3, 2, 0};

TEST(ExitCode, OfTwoSyncsTheOneThatComesFirstInTheDocumentedOrder) {
  for (std::size_t first = 0; first < std::size(kWorstFirst); ++first) {
    for (std::size_t second = first; second < std::size(kWorstFirst); ++second) {
      const auto worse = static_cast<ExitCode>(kWorstFirst[first]);
      const auto better = static_cast<ExitCode>(kWorstFirst[second]);
      EXPECT_EQ(worst(worse, better), worse) << kWorstFirst[first] << " " << kWorstFirst[second];
      EXPECT_EQ(worst(better, worse), worse) << kWorstFirst[second] << " " << kWorstFirst[first];
    }
  }
}

TEST(ExitCode, ACodeNobodyDocumentedIsAFailure) {
  EXPECT_EQ(worst(static_cast<ExitCode>(99), static_cast<ExitCode>(98)), ExitCode::Failed);
}

TEST(ExitCode, OfVerdictsAndErrors) {
  EXPECT_EQ(static_cast<int>(exit_code(Verdict::Converged)), 0);
  EXPECT_EQ(static_cast<int>(exit_code(Verdict::Failed)), 1);
  EXPECT_EQ(static_cast<int>(exit_code(Verdict::Pending)), 2);
  EXPECT_EQ(static_cast<int>(exit_code(Verdict::Waiting)), 3);
  EXPECT_EQ(static_cast<int>(exit_code(Verdict::Refused)), 4);
  EXPECT_EQ(static_cast<int>(exit_code(Verdict::NotFinished)), 5);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Locked)), 6);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Permission)), 7);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Authentication)), 7);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Usage)), 64);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Invalid)), 65);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Refused)), 4);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Conflict)), 4);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::NotFinished)), 5);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorCode::Interrupted)), 130);
  for (const auto code :
       {ErrorCode::NotFound, ErrorCode::Rejected, ErrorCode::Unavailable, ErrorCode::Timeout, ErrorCode::Unknown,
        ErrorCode::Corrupt, ErrorCode::Io, ErrorCode::NoSpace, ErrorCode::Internal}) {
    EXPECT_EQ(static_cast<int>(exit_code(code)), 1) << to_string(code);
  }
}

}  // namespace
}  // namespace audiencesync
