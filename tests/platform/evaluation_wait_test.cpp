#include "plugins/export/evaluation_wait.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

const char* const kFilter = R"({"segments":[{"segmentId":"A1","segmentNs":"ups","status":["realized"]},
                                            {"segmentId":"A2","segmentNs":"ups","status":["realized"]}]})";

class EvaluationWaitTest : public testing::Test {
 protected:
  EvaluationWaitTest() {
    world.manifest.source.wait_for_evaluation = 5min;
    request = {"S", "f", "mp", json_of(kFilter)};
    exported(2h);
  }

  std::string ago(Duration age) const { return std::to_string(to_epoch_ms(world.clock.now() - age)); }
  void exported(Duration age, const std::string& status = "SUCCEEDED") {
    world.client.on("GET /data/core/ups/export/jobs",
                    fmt::format(R"({{"records":[{{"id":7,"status":"{}","creationTime":{},"fields":"f","filter":{},
                      "mergePolicy":{{"id":"mp"}},"destination":{{"datasetId":"S","batchId":"B"}}}}],"link":{{"next":""}}}})",
                                status, ago(age), kFilter));
  }
  std::string job(Duration age, const std::string& source = "scheduler", const std::string& segments = "[]") const {
    return fmt::format(R"({{"children":[{{"id":"E","status":"SUCCEEDED","source":"{}","segments":{},
                      "metrics":{{"totalTime":{{"endTimeInMs":{}}}}}}}]}})",
                       source, segments, ago(age));
  }
  void evaluated(std::vector<std::string> answers) {
    std::vector<Answer> list;
    for (auto& answer : answers) list.push_back({200, std::move(answer)});
    world.client.on("GET /data/core/ups/segment/jobs", std::move(list));
  }
  Result<std::string> wait() {
    auto context = world.write();
    return await_evaluation(request, since, context);
  }

  FakeWorld world;
  ExportRequest request;
  Time since = world.clock.now();
};

TEST_F(EvaluationWaitTest, NobodyWaitsWhoDidNotAsk) {
  world.manifest.source.wait_for_evaluation = Duration(0);
  EXPECT_EQ(*wait(), "");
  EXPECT_THAT(world.client.calls, IsEmpty());
}

TEST_F(EvaluationWaitTest, TheFirstExportWaitsForNothing) {
  exported(2h, "FAILED");
  EXPECT_EQ(*wait(), "");
  EXPECT_EQ(world.client.count("GET /data/core/ups/segment/jobs"), 0U);
}

TEST_F(EvaluationWaitTest, ANewerEvaluationIsEnough) {
  evaluated({job(1h)});
  EXPECT_EQ(*wait(), "");
  EXPECT_THAT(world.events.names, IsEmpty());
}

TEST_F(EvaluationWaitTest, ItIsWaitedForAndTold) {
  evaluated({job(3h), job(3h), job(0s)});
  EXPECT_EQ(*wait(), "");
  EXPECT_THAT(world.events.names, ElementsAre("evaluation.waits", "evaluation.over"));
  EXPECT_EQ(world.clock.now() - since, 2min) << "one look in a poll_export";
}

TEST_F(EvaluationWaitTest, OneOfOtherAudiencesIsNotAnEvaluationOfOurs) {
  evaluated({job(1h, "api", R"([{"segmentId":"A1"},{"segmentId":"A9"}])")});
  EXPECT_THAT(*wait(), HasSubstr("no evaluation of the audiences came within 5m"));
  for (const auto* all : {R"([{"segmentId":"A2"},{"segmentId":"A1"}])", R"([{"segmentId":"*"}])"}) {
    since = world.clock.now();
    exported(2h);
    evaluated({job(1h, "api", all)});
    EXPECT_EQ(*wait(), "") << all;
  }
}

TEST_F(EvaluationWaitTest, WhenTheTimeIsOverTheExportGoesOnAndSaysSo) {
  evaluated({job(3h)});
  const auto waited = wait();
  ASSERT_TRUE(waited.ok()) << waited.error().text();
  EXPECT_THAT(*waited, AllOf(HasSubstr("within 5m"), HasSubstr("this export repeats what was known")));
  EXPECT_EQ(world.clock.now() - since, 5min);
}

TEST_F(EvaluationWaitTest, ALongWaitGoesOverSeveralRuns) {
  world.manifest.source.wait_for_evaluation = 15min;
  evaluated({job(3h)});
  const auto waited = wait();
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), ErrorCode::NotFinished);
  EXPECT_THAT(waited.error().text(), HasSubstr("run again later"));
  world.clock.sleep(2min, {});
  EXPECT_THAT(*wait(), HasSubstr("within 15m"));
  EXPECT_EQ(world.clock.now() - since, 15min);
}

}  // namespace
}  // namespace audiencesync
