#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include "tests/sql/query_world.h"

namespace audiencesync::sql {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

using LibpqTest = QueryWorld;

// 100,000 rows; and one row that nobody lives to see.
constexpr const char* kManyRows =
    "SELECT a.x FROM (SELECT explode(split(repeat('x,', 999), ',')) AS x) a, "
    "(SELECT explode(split(repeat('y,', 99), ',')) AS y) b";
constexpr const char* kNeverEnds =
    "SELECT sum(length(concat(a.x, b.x, c.x, d.x))) FROM (SELECT explode(split(repeat('x,', 9999), ',')) AS x) a, "
    "(SELECT explode(split(repeat('x,', 9999), ',')) AS x) b, (SELECT explode(split(repeat('x,', 9999), ',')) AS x) c, "
    "(SELECT explode(split(repeat('x,', 9999), ',')) AS x) d";

TEST_F(LibpqTest, GivesRowsWithTheirNamesAndNulls) {
  LibpqSession session(logins, options(), stop.get_token());
  EXPECT_EQ(logins.asked, 0) << "connected before anything was asked";
  const auto rows = session.select({.text = "SELECT 1 AS a, NULL AS b, 'ä, \\' x' AS C", .what = "a test"});
  ASSERT_TRUE(rows.ok()) << rows.error().text();
  EXPECT_THAT(rows->columns, ::testing::ElementsAre("a", "b", "C"));
  EXPECT_EQ(shown_rows(rows), "1,~,ä, ' x");
  const auto none = session.select({.text = "SELECT 1 AS a WHERE 1 = 0", .what = "a test"});
  ASSERT_TRUE(none.ok()) << none.error().text();
  EXPECT_THAT(none->columns, ::testing::ElementsAre("a"));
  EXPECT_TRUE(none->rows.empty());
  EXPECT_EQ(logins.asked, 1);
}

TEST_F(LibpqTest, SaysWhatTheServerSaysAndGoesOnWithTheSameConnection) {
  LibpqSession session(logins, options(), stop.get_token());
  const auto failed = [&](const char* text) {
    const auto rows = session.select({.text = text, .what = "counts"});
    EXPECT_FALSE(rows.ok()) << text;
    return rows.ok() ? Error(ErrorCode::Internal, "") : rows.error();
  };
  const auto no_table = failed("SELECT * FROM nowhere");
  EXPECT_EQ(no_table.code(), ErrorCode::NotFound);
  EXPECT_THAT(no_table.text(), HasSubstr("counts: "));
  EXPECT_THAT(no_table.text(), HasSubstr("nowhere"));
  EXPECT_THAT(no_table.text(), HasSubstr("(SQLSTATE 42P01)"));
  EXPECT_EQ(failed("SELECT map_filter(1)").code(), ErrorCode::Unsupported);
  EXPECT_EQ(failed("SELECT 1 +").code(), ErrorCode::Rejected);
  EXPECT_EQ(failed("SELECT 1; SELECT 2").code(), ErrorCode::Internal) << "more than one statement";
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
  EXPECT_EQ(logins.asked, 1);
}

TEST_F(LibpqTest, NoticesTheSilentCut) {
  LibpqSession session(logins, options(), stop.get_token());
  const std::string counted = "SELECT count(*) AS n FROM (" + std::string(kManyRows) + ") r";
  const auto count = session.select({.text = counted, .what = "the count"});
  ASSERT_TRUE(count.ok()) << count.error().text();
  EXPECT_EQ(*count->number(0, "n"), 100'000);
  const auto cut = session.select({.text = kManyRows, .what = "the members"});
  ASSERT_FALSE(cut.ok()) << cut->rows.size();
  EXPECT_EQ(cut.error().code(), ErrorCode::Corrupt);
  EXPECT_THAT(cut.error().text(), HasSubstr("the members: exactly 50000 rows came"));
  const auto compared = session.select({.text = kManyRows, .what = "the members", .expected = 100'000});
  EXPECT_THAT(shown_rows(compared), HasSubstr("50000 rows came and 100000 were counted"));
  const auto whole =
      session.select({.text = kManyRows + std::string(" LIMIT 0"), .what = "the members", .expected = 100'000});
  EXPECT_TRUE(whole.ok()) << whole.error().text();
}

TEST_F(LibpqTest, AnAnswerWithoutBoundIsEndedAndTheSessionStays) {
  auto small = options();
  small.largest_answer = 100'000;
  LibpqSession session(logins, small, stop.get_token());
  const auto rows = session.select({.text = kManyRows, .what = "the members"});
  EXPECT_THAT(shown_rows(rows), HasSubstr("the members: the answer is larger than 100000 bytes"));
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
}

TEST_F(LibpqTest, TrustsOnlyTheAuthorityItIsGivenAndOnlyTheNameItAskedFor) {
  // An authority of the same form that signed nothing here.
  const auto other = folder / "other";
  emulator::EmulatorOptions given;
  given.data = other;
  given.pg_listen = emulator::ServerOptions{};
  given.profiles = 1;
  given.audiences = 1;
  { const emulator::Emulator stranger(given); }
  auto wrong = options();
  wrong.ca_file = other / "tls/ca.pem";
  LibpqSession doubting(logins, wrong, stop.get_token());
  const auto refused = doubting.select({.text = "SELECT 1", .what = "one"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::Refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("certificate is not accepted"));

  auto system = options();
  system.ca_file.clear();
  LibpqSession unknown(logins, system, stop.get_token());
  EXPECT_FALSE(unknown.select({.text = "SELECT 1", .what = "one"}).ok());

  logins.next.address = logins.next.host;
  logins.next.host = "query.example.com";
  LibpqSession elsewhere(logins, options(), stop.get_token());
  const auto named = elsewhere.select({.text = "SELECT 1", .what = "one"});
  ASSERT_FALSE(named.ok());
  EXPECT_EQ(named.error().code(), ErrorCode::Refused) << named.error().text();
  EXPECT_THAT(named.error().text(), HasSubstr("query.example.com"));
}

TEST_F(LibpqTest, AWrongPasswordIsSaidWithoutIt) {
  logins.next.password = Secret("planted-marker-9a2e");
  LibpqSession session(logins, options(), stop.get_token());
  const auto refused = session.select({.text = "SELECT 1", .what = "one"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::Authentication);
  EXPECT_THAT(refused.error().text(), HasSubstr("(SQLSTATE 28P01)"));
  EXPECT_THAT(refused.error().text(), Not(HasSubstr("planted-marker")));
  EXPECT_EQ(logins.asked, 1) << "the same password again would lock the account";
}

TEST_F(LibpqTest, SessionsBeyondTheLimitAreTemporary) {
  set(&emulator::Settings::query_sessions, std::uint64_t{1});
  LibpqSession first(logins, options(), stop.get_token());
  EXPECT_EQ(shown_rows(first.select({.text = "SELECT 1", .what = "one"})), "1");
  LibpqSession second(logins, options(), stop.get_token());
  const auto refused = second.select({.text = "SELECT 1", .what = "one"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::Unavailable);
  EXPECT_THAT(refused.error().text(), HasSubstr("Session Limit Reached"));
}

TEST_F(LibpqTest, ThePlatformsTimeLimitIsATimeout) {
  LibpqSession session(logins, options(), stop.get_token());
  auto running =
      std::async(std::launch::async, [&] { return session.select({.text = kNeverEnds, .what = "too much"}); });
  while (running.wait_for(20ms) != std::future_status::ready) world->platform().clock.advance(std::chrono::minutes(11));
  const auto late = running.get();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::Timeout);
  EXPECT_THAT(late.error().text(), HasSubstr("(SQLSTATE 53400)"));
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
}

TEST_F(LibpqTest, ADeadlineEndsAStatementOnTheServerToo) {
  LibpqSession session(logins, options(), stop.get_token());
  const auto late = session.select({.text = kNeverEnds, .what = "too much", .deadline = 50ms});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::Timeout);
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
}

TEST_F(LibpqTest, AStopEndsAWaitingStatement) {
  LibpqSession session(logins, options(), stop.get_token());
  ASSERT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
  auto running = std::async(
      std::launch::async, [&] { return session.select({.text = kNeverEnds, .what = "too much", .deadline = 10min}); });
  stop.request_stop();
  const auto stopped = running.get();  // or the test never ends
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::Interrupted);
  const auto after = session.select({.text = "SELECT 1", .what = "one"});
  ASSERT_FALSE(after.ok());
  EXPECT_EQ(after.error().code(), ErrorCode::Interrupted);
}

TEST_F(LibpqTest, AServerThatSaysNothingIsLeftWhenStopped) {
  // Accepts connections by its backlog and never answers.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 4), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  logins.next.port = ntohs(address.sin_port);

  auto impatient = options();
  impatient.connect_timeout = 50ms;
  LibpqSession timed(logins, impatient, stop.get_token());
  const auto late = timed.select({.text = "SELECT 1", .what = "one"});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::Unavailable);
  EXPECT_THAT(late.error().text(), HasSubstr("no connection within"));

  LibpqSession patient(logins, options(), stop.get_token());
  auto running = std::async(std::launch::async, [&] { return patient.select({.text = "SELECT 1", .what = "one"}); });
  stop.request_stop();
  EXPECT_EQ(running.get().error().code(), ErrorCode::Interrupted);
  ::close(listener);
}

TEST_F(LibpqTest, AnEndedSessionIsOpenedAnewOnceWithWhatIsValidNow) {
  LibpqSession session(logins, options(), stop.get_token());
  ASSERT_EQ(shown_rows(session.select({.text = "SELECT 1", .what = "one"})), "1");
  // The platform goes away over night, and comes back elsewhere.
  world.reset();
  emulator::EmulatorOptions given;
  given.data = folder / "data";
  given.pg_listen = emulator::ServerOptions{};
  world = std::make_unique<emulator::Emulator>(given);
  logins.next.port = world->ready()["pg"]["port"].get<std::uint16_t>();
  EXPECT_EQ(shown_rows(session.select({.text = "SELECT 2", .what = "two"})), "2");
  EXPECT_EQ(logins.asked, 2);
  world.reset();
  const auto gone = session.select({.text = "SELECT 3", .what = "three"});
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(logins.asked, 3) << "once";
}

}  // namespace
}  // namespace audiencesync::sql
