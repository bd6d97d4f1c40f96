// Plans that wait: what an operator does when a guard trips, when a plan was reviewed elsewhere, and what cannot slip
// in meanwhile. Told through the real program, judged by what stands on the platform and in the history.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/json.h"
#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kPending = 2;
constexpr int kRefused = 4;
constexpr int kUsage = 64;

class ApprovalTest : public ::testing::Test {
 protected:
  ApprovalTest() {
    world.guard = "guard: { max_removals: 100%, max_audience_shrink: 100%, max_audience_growth: 100000% }";
    const auto first = world.seamed_apply("count");
    EXPECT_EQ(first.code, kOk) << first.out << first.err;
    emulator.clear_calls();
  }

  std::string config() { return emulator.config().string(); }
  void empty_an_audience() {
    emulator.control("POST", "/_emulator/audiences",
                     fmt::format(R"({{"do":"empty","id":"{}"}})", emulator.audiences()[0].id));
  }
  ProcessResult apply() { return world.seamed_apply("count"); }
  ProcessResult approve(const std::string& digest, std::vector<std::string> more = {"--reason", "a campaign ended"}) {
    std::vector<std::string> words{"approve", digest, "--config", config()};
    words.insert(words.end(), more.begin(), more.end());
    return world.run(words);
  }
  /// The digest in the line that says how to approve.
  static std::string digest_in(const ProcessResult& result) {
    const auto said = told(result);
    const auto at = said.find("audiencesync approve ");
    if (at == std::string::npos) return {};
    const auto begin = at + 21;
    return said.substr(begin, said.find(' ', begin) - begin);
  }
  std::vector<std::string> uploads() {
    std::vector<std::string> out;
    for (const auto& call : emulator.writes()) {
      if (call.find("/batches") != std::string::npos) out.push_back(call);
    }
    return out;
  }

  World world{{.profiles = 1500, .audiences = 4}};
  Emulator& emulator = world.emulator();
};

TEST_F(ApprovalTest, AGuardRefusesTheApprovalNamesTheWayAndLetsExactlyThatPlanThrough) {
  empty_an_audience();

  const auto refused = apply();
  expect_told(refused, kRefused, {"would be emptied", "guard.allow_empty_audience", "audiencesync approve "});
  EXPECT_NE(world.difference(), "") << "nothing of it was written";
  const auto digest = digest_in(refused);
  ASSERT_FALSE(digest.empty());

  emulator.clear_calls();
  expect_told(apply(), kRefused, {digest, "is held since"});
  EXPECT_THAT(emulator.writes(), IsEmpty()) << "what is held is not refreshed";

  expect_told(approve(digest), kOk, {"is approved", "audiencesync apply"});
  emulator.clear_calls();
  expect_told(apply(), kOk, {"let through by"});
  EXPECT_EQ(world.difference(), "");
  for (const auto& call : emulator.writes()) EXPECT_THAT(call, Not(HasSubstr("export/jobs")));

  const auto history = world.run({"history", "--config", config()});
  expect_told(history, kOk, {"a campaign ended", "approved by"});
  expect_told(world.run({"history", "--format", "json", "--config", config()}), kOk, {"a campaign ended"});
  expect_told(apply(), kOk, {"nothing to do"});
}

TEST_F(ApprovalTest, ARejectedPlanMakesRoomForANewExport) {
  empty_an_audience();
  const auto digest = digest_in(apply());
  expect_told(approve(digest, {"--reject", "--reason", "the segment was broken"}), kOk, {"is rejected"});
  emulator.clear_calls();
  apply();
  const auto writes = emulator.writes();
  EXPECT_TRUE(std::any_of(writes.begin(), writes.end(), [](const auto& call) {
    return call.find("export/jobs") != std::string::npos;
  })) << "a new export is made";
  expect_told(world.run({"history", "--config", config()}), kOk, {"rejected", "the segment was broken"});
}

TEST_F(ApprovalTest, AnApprovalDoesNotCoverWhatHappensAfterIt) {
  empty_an_audience();
  const auto digest = digest_in(apply());
  approve(digest);
  world.declared = {{world.emulator().audiences()[0].id, "Renamed by the manifest"},
                    {world.emulator().audiences()[1].id, ""},
                    {world.emulator().audiences()[2].id, ""},
                    {world.emulator().audiences()[3].id, ""}};
  const auto result = apply();
  expect_told(result, kRefused, {"no longer counts (stale): the manifest has changed since"});
  EXPECT_NE(digest_in(result), digest);
}

TEST_F(ApprovalTest, WhatIsApprovedMustBeKnownAndOne) {
  expect_told(approve("0123456789abcdef"), kFailed,
              {"no plan with digest 0123456789abcdef waits", "audiencesync status"});
  expect_told(approve("xyz"), kUsage, {"'xyz' is not the digest of a plan"});
  empty_an_audience();
  const auto digest = digest_in(apply());
  expect_told(approve(digest, {}), kUsage, {"--reason"});
  expect_told(approve(digest, {"--reason", "  "}), kUsage, {"--reason"});
  expect_told(approve(digest.substr(0, 8)), kOk, {"is approved"});
  expect_told(approve(digest), kOk, {"was approved already"});
}

TEST_F(ApprovalTest, StatusSaysWhatWaitsForAnApproval) {
  empty_an_audience();
  const auto digest = digest_in(apply());
  expect_told(world.run({"status", "--config", config()}), kOk, {"waits for an approval", digest.substr(0, 8)});
}

class ReviewedPlan : public ApprovalTest {
 protected:
  ReviewedPlan() {
    emulator.evolve(0.05, 3);
    file = world.folder() / "plan.json";
    const auto planned = world.plan({"--fresh", "--detailed-exitcode", "--out", file.string()});
    EXPECT_EQ(planned.code, kPending) << planned.out << planned.err;
    EXPECT_THAT(planned.out, HasSubstr("memberships")) << "the person reads text, the file holds JSON";
    emulator.clear_calls();
  }
  ProcessResult apply_reviewed(const std::filesystem::path& of) {
    return world.run({"apply", "--plan", of.string(), "--config", config()});
  }

  std::filesystem::path file;
};

TEST_F(ReviewedPlan, IsAppliedAsItIsWithoutATerminalAndOnce) {
  expect_told(apply_reviewed(file), kOk, {"applied and proven"});
  EXPECT_EQ(world.difference(), "");
  for (const auto& call : emulator.writes()) EXPECT_THAT(call, Not(HasSubstr("export/jobs")));
  expect_told(apply_reviewed(file), kRefused, {"is stale"});
}

TEST_F(ReviewedPlan, IsRefusedWhenTheManifestSaysSomethingElseByNow) {
  world.extra = "source: { statuses: [realized] }\n";
  write_file(world.manifest(), world.manifest_text());
  expect_told(apply_reviewed(file), kRefused, {"is stale: the manifest has changed", "audiencesync plan --fresh"});
  EXPECT_THAT(uploads(), IsEmpty());
}

TEST_F(ReviewedPlan, IsRefusedWhenSomebodyAppliedMeanwhile) {
  emulator.evolve(0.05, 4);
  ASSERT_EQ(apply().code, kOk);
  emulator.clear_calls();
  expect_told(apply_reviewed(file), kRefused, {"is stale"});
  EXPECT_THAT(uploads(), IsEmpty());
}

TEST_F(ReviewedPlan, AFileThatIsNoPlanSaysHowToMakeOne) {
  const auto expect_unusable = [&](const std::string& content, const std::string& why) {
    write_file(file, content);
    expect_told(apply_reviewed(file), kUsage, {file.string(), why, "audiencesync plan --fresh --out plan.json"});
  };
  expect_unusable("plan for loyalty", "this is no plan in JSON");
  expect_unusable("[]", "this is no plan in JSON");
  expect_unusable(R"({"version":7,"syncs":[]})", "its version is not 1");
  expect_unusable(R"({"version":1,"syncs":[]})", "it holds no plan");
  expect_unusable(R"({"version":1,"syncs":[{"sync":"loyalty"}]})", "'loyalty' has no plan in it");
  expect_told(apply_reviewed(world.folder() / "none.json"), kFailed, {"none.json"});
}

TEST_F(ApprovalTest, APlanThatDoesNotKnowItsMembershipsBindsNobody) {
  World fresh{{.profiles = 200, .audiences = 2}};
  const auto file = fresh.folder() / "plan.json";
  fresh.plan({"--out", file.string()});
  expect_told(fresh.run({"apply", "--plan", file.string(), "--config", fresh.emulator().config().string()}), kUsage,
              {"does not know its memberships yet"});
}

TEST_F(ApprovalTest, EqualInputsGiveByteEqualJsonPlans) {
  emulator.evolve(0.1, 5);
  ASSERT_EQ(world.plan({"--fresh"}).code, kOk);
  const auto one = world.plan({"--format", "json"});
  const auto other = world.plan({"--format", "json"});
  const auto third = world.run({"plan", "--format", "json", "--config", config(), world.manifest().string()},
                               {"LC_ALL=de_DE.UTF-8", "TZ=Asia/Kathmandu"});
  ASSERT_EQ(one.code, kOk);
  EXPECT_THAT(one.out, HasSubstr("\"samples\""));
  EXPECT_EQ(one.out, other.out);
  EXPECT_EQ(one.out, third.out);
}

}  // namespace
}  // namespace audiencesync::testing
