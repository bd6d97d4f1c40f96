// The way to a session as a run has it: over HTTP to the platform's answer, from there by the PostgreSQL protocol.
#include <gmock/gmock.h>

#include <fstream>

#include "daemon/query_login.h"
#include "engine/http/curl/curl_transport.h"
#include "engine/http/gateway.h"
#include "plugins/platform/query_connection.h"
#include "tests/sql/query_world.h"

namespace audiencesync::sql {
namespace {

using ::testing::HasSubstr;

class LoginTest : public QueryWorld {
 protected:
  LoginTest() {
    const auto ready = world->ready();
    organization.organization_id = ready["organization"].get<std::string>();
    settings.folder = folder;
    tokens = std::make_unique<http::TokenSource>(transport, clock, world->url(),
                                                 http::Credentials{ready["client_id"].get<std::string>(),
                                                                   Secret(ready["client_secret"].get<std::string>()),
                                                                   {"openid", "session", "AdobeID"}});
    core = std::make_unique<http::Core>(
        http::CoreParts{transport, *tokens, limiter, clock, server_time}, http::Endpoints{world->url(), world->url()},
        http::Account{organization.organization_id, ready["sandbox"].get<std::string>()}, http::CoreOptions{});
    reader = std::make_unique<http::Reader>(*core, files, stop.get_token());
    login = std::make_unique<QueryLogin>(
        *reader, files, [](std::string_view) { return std::nullopt; }, settings, organization);
  }

  PosixFiles files;
  SystemClock clock;
  ServerTime server_time{clock};
  http::CurlTransport transport;
  http::RateLimiter limiter{{}, clock};
  Settings settings;
  Organization organization;
  std::unique_ptr<http::TokenSource> tokens;
  std::unique_ptr<http::Core> core;
  std::unique_ptr<http::Reader> reader;
  std::unique_ptr<QueryLogin> login;
};

TEST_F(LoginTest, TheAccessTokenIsThePasswordAndANewOneWhenItEnds) {
  LibpqSession session(*login, options(), stop.get_token());
  ASSERT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
  world->platform().clock.advance(std::chrono::hours(25));
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 2", .what = "two"})), "2");
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 3", .what = "three"})), "3");
}

TEST_F(LoginTest, ACredentialThatDoesNotExpireOutlivesTokens) {
  organization.query_service.credential = "query-adobe";
  const auto place = folder / "credentials" / "query-adobe";
  const auto missing = login->login();
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::Authentication);
  EXPECT_THAT(missing.error().text(), HasSubstr(place.string() + " with mode 0600"));

  const auto password = logins.next.password.reveal();
  const auto colon = password.find(':');
  std::filesystem::create_directories(place.parent_path());
  std::ofstream(place) << R"({"technicalAccountName":"sync","technicalAccountId":")" << password.substr(0, colon)
                       << R"(","credential":")" << password.substr(colon + 1) << "\"}\n";
  std::filesystem::permissions(place, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  LibpqSession session(*login, options(), stop.get_token());
  ASSERT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
  world->platform().clock.advance(std::chrono::hours(25));
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 2", .what = "two"})), "2");
}

TEST_F(LoginTest, SettingsSayAnotherWayToTheSameHost) {
  organization.query_service.address = "192.0.2.7";
  organization.query_service.port = 5432;
  const auto found = login->login();
  ASSERT_TRUE(found.ok()) << found.error().text();
  EXPECT_EQ(found->host, "127.0.0.1");
  EXPECT_EQ(found->address, "192.0.2.7");
  EXPECT_EQ(found->port, 5432);
  EXPECT_EQ(found->database, "prod:all");
  EXPECT_EQ(found->user, organization.organization_id);
}

/// Answers everything with one body.
class OneAnswer final : public http::ReadClient {
 public:
  explicit OneAnswer(std::string body) : body_(std::move(body)) {}
  Result<http::Response> read(const http::Request&) override { return http::Response{200, {}, body_, ""}; }
  Result<http::Download> download(const http::Request&, const Path&, std::uint64_t) override {
    return Error(ErrorCode::Internal, "nothing to download");
  }

 private:
  std::string body_;
};

TEST(ConnectionParameters, ThatNameNoHostAreRefused) {
  const auto refused = [](const std::string& host, const std::string& port) {
    OneAnswer client(R"({"host":")" + host + R"(","port":)" + port +
                     R"(,"dbName":"prod:all","username":"X@AdobeOrg","token":"t"})");
    const auto found = platform::query_connection(client);
    return found.ok() ? "" : found.error().text();
  };
  EXPECT_EQ(refused("acme-prod.platform-query.adobe.io", "80"), "");
  EXPECT_EQ(refused("::1", "80"), "");
  for (const char* host : {"", "/tmp", "@abstract", "a,b", "a b", "-a"}) {
    EXPECT_EQ(refused(host, "80"),
              "Query Service's connection parameters: the answer of the platform names no host to connect to")
        << host;
  }
  for (const char* port : {"0", "65536", "-1", "null"}) {
    EXPECT_EQ(refused("a", port),
              "Query Service's connection parameters: the answer of the platform names no port to connect to")
        << port;
  }
}

}  // namespace
}  // namespace audiencesync::sql
