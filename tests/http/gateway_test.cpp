#include "engine/http/gateway.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/http/fake_clock.h"
#include "tests/http/scripted_transport.h"

namespace audiencesync::http {
namespace {

using namespace std::chrono_literals;

struct Recorder final : CallObserver {
  void attempted(const CallRecord& record) override { records.push_back(record); }
  std::vector<CallRecord> records;
};

class GatewayTest : public testing::Test {
 protected:
  static Request get(std::string path) { return {.method = Method::Get, .path = std::move(path)}; }
  static Request post(Repeat repeat) {
    return {.method = Method::Post,
            .path = "/data/things",
            .body = Body::text(R"({"name":"a thing of some length"})", "application/json"),
            .repeat = repeat};
  }

  FakeClock clock;
  ScriptedTransport platform;
  TokenSource tokens{platform, clock, "https://ims.example", {"client-1", Secret("s3cr3t"), {}}};
  RateLimiter limiter{{}, clock};
  ServerTime server_time{clock};
  Recorder recorder;
  Core core{{platform, tokens, limiter, clock, server_time, &recorder},
            {"https://platform.example", "https://cja.example"},
            {"ORG@AdobeOrg", "prod"},
            {.version = "1.2.3", .seed = 1}};
  std::stop_source stop;
  PosixFiles files;
  Reader reader{core, files, stop.get_token()};
  Writer writer{core, stop.get_token()};
};

TEST_F(GatewayTest, CompletesAndAuthorisesEveryCall) {
  platform.then(answer(200));
  auto request = get("/data/x");
  request.query = {{"name", "Luma & Co"}};
  request.headers["accept"] = "application/vnd.adobe.xed-id+json";
  const auto response = reader.read(request);
  ASSERT_TRUE(response.ok());
  const auto& seen = platform.seen().at(0);
  EXPECT_EQ(seen.url, "https://platform.example/data/x?name=Luma%20%26%20Co");
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer token-1");
  EXPECT_EQ(seen.headers.at("x-api-key"), "client-1");
  EXPECT_EQ(seen.headers.at("x-gw-ims-org-id"), "ORG@AdobeOrg");
  EXPECT_EQ(seen.headers.at("x-sandbox-name"), "prod");
  EXPECT_EQ(seen.headers.at("user-agent"), "audiencesync/1.2.3");
  EXPECT_EQ(seen.headers.at("accept"), "application/vnd.adobe.xed-id+json");
  EXPECT_EQ(seen.headers.at("x-request-id").size(), 32u);
  EXPECT_EQ(response->request_id, seen.headers.at("x-request-id"));
  EXPECT_EQ(seen.deadline, 60s);
}

TEST_F(GatewayTest, NamesTheSandboxOnlyWhereItMeansSomething) {
  platform.then(answer(200));
  platform.then(answer(200));
  ASSERT_TRUE(reader.read(get("/data/foundation/sandbox-management/")).ok());
  ASSERT_TRUE(reader.read({.method = Method::Get, .service = Service::Analytics, .path = "/data/connections"}).ok());
  for (const auto& seen : platform.seen()) EXPECT_EQ(seen.headers.count("x-sandbox-name"), 0u);
  EXPECT_EQ(platform.seen()[1].url, "https://cja.example/data/connections");
}

TEST_F(GatewayTest, ReplaysTheWholeBodyAfterAnExpiredToken) {
  for (const auto repeat : {Repeat::Once, Repeat::Repeatable}) {
    platform.then(answer(401, R"({"error_code":"401013","message":"Oauth token is not valid"})"));
    platform.then(answer(201));
    const auto before = platform.seen().size();
    ASSERT_TRUE(writer.write(post(repeat)).ok());
    const auto& first = platform.seen().at(before);
    const auto& second = platform.seen().at(before + 1);
    EXPECT_EQ(first.body, R"({"name":"a thing of some length"})");
    EXPECT_EQ(second.body, first.body);
    EXPECT_NE(second.headers.at("authorization"), first.headers.at("authorization"));
  }
  EXPECT_EQ(platform.tokens(), 3);
  EXPECT_TRUE(clock.sleeps().empty());
}

TEST_F(GatewayTest, RenewsOnceThenGivesUp) {
  platform.then(answer(401, R"({"error_code":"401013","message":"Oauth token is not valid"})"));
  platform.then(answer(401, R"({"error_code":"401013","message":"Oauth token is not valid"})"));
  const auto response = reader.read(get("/data/x"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Authentication);
  EXPECT_NE(response.error().text().find("401013"), std::string::npos);
  EXPECT_EQ(platform.tokens(), 2);
}

struct OnceCase {
  const char* name;
  Outcome outcome;
};
class UnknownOutcome : public GatewayTest, public testing::WithParamInterface<OnceCase> {};

TEST_P(UnknownOutcome, IsNeverSentTwice) {
  platform.then(GetParam().outcome);
  const auto response = writer.write(post(Repeat::Once));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Unknown) << response.error().text();
  EXPECT_NE(response.error().text().find("POST /data/things"), std::string::npos);
  EXPECT_EQ(platform.seen().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Table, UnknownOutcome,
                         testing::Values(OnceCase{"status_408", answer(408)}, OnceCase{"status_500", answer(500)},
                                         OnceCase{"status_502", answer(502)},
                                         OnceCase{"status_503", answer(503, "{}", {{"retry-after", "1"}})},
                                         OnceCase{"status_504", answer(504)},
                                         OnceCase{"page", answer(200, "<html>", {{"content-type", "text/html"}})},
                                         OnceCase{"lost", failed(Progress::Sent, ErrorCode::Unavailable)},
                                         OnceCase{"deadline", failed(Progress::Sent, ErrorCode::Timeout)},
                                         OnceCase{"stopped", failed(Progress::Sent, ErrorCode::Interrupted)}),
                         [](const auto& row) { return row.param.name; });

TEST_F(GatewayTest, OnceIsSentAgainWhenItCannotHaveArrived) {
  platform.then(failed(Progress::NotSent, ErrorCode::Unavailable));
  platform.then(answer(429, "{}", {{"retry-after", "9"}}));
  platform.then(answer(201));
  ASSERT_TRUE(writer.write(post(Repeat::Once)).ok());
  EXPECT_EQ(platform.seen().size(), 3u);
  EXPECT_EQ(platform.seen()[2].repeat, Repeat::Once);
  EXPECT_GE(clock.sleeps().back(), 9s);
}

TEST_F(GatewayTest, ReadsAreTriedUntilTheyWork) {
  platform.then(answer(500));
  platform.then(answer(503, "<html>", {{"content-type", "text/html"}}));
  platform.then(answer(200, "<html>maintenance</html>", {{"content-type", "text/html"}}));
  platform.then(failed(Progress::Sent, ErrorCode::Unavailable));
  platform.then(failed(Progress::Sent, ErrorCode::Timeout));
  platform.then(answer(200, R"({"ok":1})", {{"x-request-id", "theirs"}}));
  const auto response = reader.read(get("/data/x"));
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->request_id, "theirs");
  ASSERT_EQ(recorder.records.size(), 6u);
  EXPECT_EQ(recorder.records[3].failure, ErrorCode::Unavailable);
  EXPECT_EQ(recorder.records[5].attempt, 6);
}

TEST_F(GatewayTest, GivesUpWithTheLastCause) {
  for (int attempt = 0; attempt < 8; ++attempt) platform.then(answer(503, R"({"title":"Busy"})"));
  const auto response = reader.read(get("/data/x"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Unavailable);
  EXPECT_NE(response.error().text().find("GET /data/x: status 503: Busy; gave up after 8 attempts"), std::string::npos)
      << response.error().text();
  EXPECT_TRUE(platform.at_end());
}

TEST_F(GatewayTest, DoesNotWaitLongerThanItsPatience) {
  platform.then(answer(429, "{}", {{"retry-after", "3600"}}));
  const auto response = reader.read(get("/data/x"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Unavailable);
  EXPECT_NE(response.error().text().find("asked to wait 3600 s"), std::string::npos) << response.error().text();
  EXPECT_TRUE(clock.sleeps().empty());
}

TEST_F(GatewayTest, AnExpectedStatusIsAnAnswer) {
  platform.then(answer(404, R"({"title":"NotFoundError"})"));
  auto request = get("/data/x");
  request.expected = {404};
  const auto response = reader.read(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 404);
}

TEST_F(GatewayTest, APageIsNoAnswerEvenWithAnExpectedStatus) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    platform.then(answer(404, "<html>no backend</html>", {{"content-type", "text/html"}}));
  }
  auto request = get("/data/x");
  request.expected = {404};
  const auto response = reader.read(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Unavailable);
}

TEST_F(GatewayTest, ErrorsSayWhereAndWhyAndNothingPrivate) {
  platform.then(answer(400, R"({"requestId":"r-5","title":"Bad","errors":{"400":[{"code":"UPAPI-1-400",
      "message":"no profile ann@mail.example"}]}})"));
  auto request = get("/data/x");
  request.query = {{"entityId", "ann@mail.example"}};
  const auto response = reader.read(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Rejected);
  EXPECT_EQ(response.error().text(), "GET /data/x: status 400 UPAPI-1-400: Bad: no profile <address> (request r-5)");
  EXPECT_EQ(recorder.records.at(0).path, "/data/x");
}

TEST_F(GatewayTest, AQueryInsideALinkIsPrivateToo) {
  platform.then(answer(403, R"({"error_code":"403027","message":"User region is missing"})"));
  const auto response = reader.read(get("/data/files/1?path=ann"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Permission);
  EXPECT_EQ(response.error().text().find("path=ann"), std::string::npos);
  EXPECT_EQ(recorder.records.at(0).path, "/data/files/1");
}

TEST_F(GatewayTest, LearnsTheTimeOfThePlatform) {
  platform.then(answer(200, "{}", {{"date", "Thu, 01 Jan 2026 03:00:00 GMT"}}));
  ASSERT_TRUE(reader.read(get("/data/x")).ok());
  EXPECT_EQ(server_time.offset(), 3h);
}

TEST_F(GatewayTest, ADateInRetryAfterIsReadInServerTime) {
  platform.then(
      answer(429, "{}", {{"date", "Thu, 01 Jan 2026 03:00:00 GMT"}, {"retry-after", "Thu, 01 Jan 2026 03:00:20 GMT"}}));
  platform.then(answer(200));
  ASSERT_TRUE(reader.read(get("/data/x")).ok());
  ASSERT_EQ(clock.sleeps().size(), 1u);
  EXPECT_GE(clock.sleeps()[0], 19s);
  EXPECT_LE(clock.sleeps()[0], 21s);
}

TEST_F(GatewayTest, AReaderCannotWrite) {
  for (const auto& request :
       {Request{.method = Method::Post, .path = "/data/things"}, Request{.method = Method::Put, .path = "/data/things"},
        Request{.method = Method::Patch, .path = "/data/things"},
        Request{.method = Method::Delete, .path = "/data/things"},
        Request{.method = Method::Post, .path = "/data/core/ups/preview"}}) {
    const auto response = reader.read(request);
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().code(), ErrorCode::Internal);
  }
  EXPECT_TRUE(platform.seen().empty());
  platform.then(answer(207));
  EXPECT_TRUE(reader.read({.method = Method::Post, .path = "/data/core/ups/audiences/bulk-get"}).ok());
}

TEST_F(GatewayTest, AWriterInsistsOnKnowingWhetherItMayRepeat) {
  EXPECT_EQ(writer.write({.method = Method::Post, .path = "/data/things"}).error().code(), ErrorCode::Internal);
  EXPECT_EQ(writer.write(get("/data/x")).error().code(), ErrorCode::Internal);
  EXPECT_EQ(
      writer.write({.method = Method::Post, .path = "/data/core/ups/preview", .repeat = Repeat::Once}).error().code(),
      ErrorCode::Internal);
  EXPECT_TRUE(platform.seen().empty());
}

TEST_F(GatewayTest, BigBodiesGetMoreTime) {
  platform.then(answer(200));
  auto request = post(Repeat::Repeatable);
  request.body = Body::text(std::string(1 << 20, 'x'), "application/octet-stream");
  ASSERT_TRUE(writer.write(request).ok());
  EXPECT_EQ(platform.seen()[0].deadline, 64s);
}

TEST_F(GatewayTest, StopEndsEverything) {
  stop.request_stop();
  const auto response = reader.read(get("/data/x"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Interrupted);
}

TEST_F(GatewayTest, StopBetweenTwoAttemptsIsNotUnknown) {
  platform.then([&](const Exchange&) -> Outcome {
    stop.request_stop();
    return answer(429);
  });
  const auto response = writer.write(post(Repeat::Once));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::Interrupted);
}

TEST_F(GatewayTest, ManyThreadsShareOneCore) {
  constexpr int kCalls = 64;
  for (int call = 0; call < kCalls; ++call) platform.then(answer(200));
  struct Silent final : CallObserver {
    void attempted(const CallRecord&) override {}
  } silent;
  Core shared{{platform, tokens, limiter, clock, server_time, &silent},
              {"https://platform.example", "https://cja.example"},
              {"ORG@AdobeOrg", "prod"},
              {.version = "1", .seed = 1}};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] {
        Reader mine(shared, files, {});
        for (int call = 0; call < kCalls / 8; ++call) EXPECT_TRUE(mine.read(get("/data/x")).ok());
      });
    }
  }
  EXPECT_EQ(platform.tokens(), 1);
  std::vector<std::string> ids;
  for (const auto& seen : platform.seen()) ids.push_back(seen.headers.at("x-request-id"));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace
}  // namespace audiencesync::http
