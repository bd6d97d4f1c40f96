#include "engine/http/token.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "tests/http/fake_clock.h"
#include "tests/http/scripted_transport.h"

namespace audiencesync::http {
namespace {

using namespace std::chrono_literals;

/// A token service whose every answer a test decides.
class FakeIdentity final : public Transport {
 public:
  Outcome exchange(const Exchange& exchange, std::stop_token stop) override {
    const int number = ++calls;
    {
      const std::scoped_lock lock(mutex_);
      last_url = exchange.url;
      auto reader = exchange.body->open();
      last_body.resize(exchange.body->size);
      (void)(*reader)->read(last_body);
    }
    return reply(number, stop);
  }

  static Response granted(int number, const std::string& expires_in = "86399") {
    return answer(200, R"({"token_type":"bearer","access_token":"t)" + std::to_string(number) + R"(","expires_in":)" +
                           expires_in + "}");
  }

  std::atomic<int> calls = 0;
  std::function<Outcome(int number, std::stop_token)> reply = [](int number, const std::stop_token&) -> Outcome {
    return granted(number);
  };
  std::string last_url;
  std::string last_body;

 private:
  std::mutex mutex_;
};

class TokenTest : public testing::Test {
 protected:
  std::string get() {
    auto token = source.token({});
    return token.ok() ? token->reveal() : "error: " + token.error().text();
  }

  FakeClock clock;
  FakeIdentity identity;
  TokenSource source{identity, clock, "https://ims.example", {"client-1", Secret("s3cr3t&x"), {"openid", "AdobeID"}}};
};

TEST_F(TokenTest, AsksWithAFormAndKeepsTheToken) {
  EXPECT_EQ(get(), "t1");
  EXPECT_EQ(get(), "t1");
  EXPECT_EQ(identity.calls, 1);
  EXPECT_EQ(identity.last_url, "https://ims.example/ims/token/v3");
  EXPECT_EQ(identity.last_body,
            "grant_type=client_credentials&client_id=client-1&client_secret=s3cr3t%26x&scope=openid%2CAdobeID");
}

struct LifetimeCase {
  const char* name;
  const char* expires_in;
  Duration good_for;
};
class TokenLifetime : public TokenTest, public testing::WithParamInterface<LifetimeCase> {};

TEST_P(TokenLifetime, IsRenewedJustBeforeItEnds) {
  identity.reply = [](int number, const std::stop_token&) -> Outcome {
    return FakeIdentity::granted(number, GetParam().expires_in);
  };
  EXPECT_EQ(get(), "t1");
  clock.advance(GetParam().good_for - 1ms);
  EXPECT_EQ(get(), "t1");
  clock.advance(1ms);
  EXPECT_EQ(get(), "t2");
}

INSTANTIATE_TEST_SUITE_P(Table, TokenLifetime,
                         testing::Values(LifetimeCase{"a_day", "86400", 86'400s - 500s},
                                         LifetimeCase{"as_text", "\"86400\"", 86'400s - 500s},
                                         LifetimeCase{"milliseconds", "86400000", 86'400s - 500s},
                                         LifetimeCase{"short", "100", 90s}, LifetimeCase{"unstated", "null", 540s}),
                         [](const auto& row) { return row.param.name; });

TEST_F(TokenTest, ManyThreadsAskOnce) {
  std::latch asked(1);
  identity.reply = [&](int number, const std::stop_token&) -> Outcome {
    asked.wait();
    return FakeIdentity::granted(number);
  };
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 32; ++thread) {
      threads.emplace_back([&] { got += get() == "t1" ? 1 : 0; });
    }
    asked.count_down();
  }
  EXPECT_EQ(got, 32);
  EXPECT_EQ(identity.calls, 1);
}

TEST_F(TokenTest, ThoseWhoWaitedShareTheFailure) {
  std::latch asked(1);
  identity.reply = [&](int, const std::stop_token&) -> Outcome {
    asked.wait();
    std::this_thread::sleep_for(50ms);  // the others are waiting by then
    return answer(400, R"({"error":"invalid_client"})");
  };
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] { refused += get().find("invalid_client") != std::string::npos ? 1 : 0; });
    }
    std::this_thread::sleep_for(50ms);
    asked.count_down();
  }
  EXPECT_EQ(refused, 8);
  EXPECT_LT(identity.calls, 8);
}

TEST_F(TokenTest, AWaiterHeedsItsOwnStop) {
  std::latch entered(1);
  std::latch leave(1);
  identity.reply = [&](int number, const std::stop_token&) -> Outcome {
    entered.count_down();
    leave.wait();
    return FakeIdentity::granted(number);
  };
  std::jthread asking([&] { EXPECT_EQ(get(), "t1"); });
  entered.wait();
  std::stop_source stop;
  std::jthread stopping([&] { stop.request_stop(); });
  const auto token = source.token(stop.get_token());
  ASSERT_FALSE(token.ok());
  EXPECT_EQ(token.error().code(), ErrorCode::Interrupted);
  leave.count_down();
}

TEST_F(TokenTest, AStoppedAskerDoesNotFailTheOthers) {
  std::latch entered(1);
  std::latch leave(1);
  identity.reply = [&](int number, const std::stop_token& stop) -> Outcome {
    if (number > 1) return FakeIdentity::granted(number);
    entered.count_down();
    leave.wait();
    EXPECT_TRUE(stop.stop_requested());
    return failed(Progress::Sent, ErrorCode::Interrupted);
  };
  std::stop_source stop;
  std::jthread asking([&] { EXPECT_FALSE(source.token(stop.get_token()).ok()); });
  entered.wait();
  std::jthread waiting([&] { EXPECT_EQ(get(), "t2"); });
  stop.request_stop();
  leave.count_down();
}

TEST_F(TokenTest, InvalidateRenewsOnlyTheTokenThatWasRefused) {
  EXPECT_EQ(get(), "t1");
  source.invalidate(Secret("t0"));
  EXPECT_EQ(get(), "t1");
  source.invalidate(Secret("t1"));
  EXPECT_EQ(get(), "t2");
  source.invalidate(Secret("t1"));
  EXPECT_EQ(get(), "t2");
}

TEST_F(TokenTest, RetriesWhatPasses) {
  identity.reply = [](int number, const std::stop_token&) -> Outcome {
    switch (number) {
      case 1:
        return failed(Progress::NotSent, ErrorCode::Unavailable);
      case 2:
        return failed(Progress::Sent, ErrorCode::Timeout);
      case 3:
        return answer(503, "<html>", {{"content-type", "text/html"}});
      case 4:
        return answer(429, "{}", {{"retry-after", "7"}});
      default:
        return FakeIdentity::granted(number);
    }
  };
  EXPECT_EQ(get(), "t5");
  EXPECT_GE(clock.sleeps().back(), 7s);
}

TEST_F(TokenTest, AFailedRenewalKeepsAGoodToken) {
  EXPECT_EQ(get(), "t1");
  clock.advance(86'000s);
  identity.reply = [](int, const std::stop_token&) -> Outcome {
    return failed(Progress::NotSent, ErrorCode::Unavailable);
  };
  EXPECT_EQ(get(), "t1");
  clock.advance(400s);
  const auto gone = source.token({});
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code(), ErrorCode::Unavailable);
}

struct RefusalCase {
  const char* name;
  int status;
  const char* body;
  ErrorCode code;
  const char* says;
};
class TokenRefusal : public TokenTest, public testing::WithParamInterface<RefusalCase> {};

TEST_P(TokenRefusal, SaysWhyAndNeverTheSecret) {
  identity.reply = [](int, const std::stop_token&) -> Outcome { return answer(GetParam().status, GetParam().body); };
  const auto token = source.token({});
  ASSERT_FALSE(token.ok());
  EXPECT_EQ(token.error().code(), GetParam().code);
  EXPECT_NE(token.error().text().find(GetParam().says), std::string::npos) << token.error().text();
  EXPECT_EQ(token.error().text().find("s3cr3t"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TokenRefusal,
    testing::Values(
        RefusalCase{"client", 400, R"({"error":"invalid_client","error_description":"s3cr3t is wrong"})",
                    ErrorCode::Authentication, "invalid_client); check the client id"},
        RefusalCase{"scope", 400, R"({"error":"invalid_scope"})", ErrorCode::Authentication, "copy the list of scopes"},
        RefusalCase{"elsewhere", 404, "", ErrorCode::Authentication, "status 404"},
        RefusalCase{"no_token", 200, R"({"expires_in":5})", ErrorCode::Corrupt, "endpoints.ims"},
        RefusalCase{"token_with_line_end", 200, R"({"access_token":"a\r\nb"})", ErrorCode::Corrupt, "access_token"},
        RefusalCase{"no_json", 200, "s3cr3t", ErrorCode::Corrupt, "access_token"},
        RefusalCase{"down", 503, "{}", ErrorCode::Unavailable, "answered 503"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace audiencesync::http
