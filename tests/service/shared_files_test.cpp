#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/call_ledger.h"
#include "daemon/token_file.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;

class TokenFileTest : public ::testing::Test {
 protected:
  TokenFile file(const std::string& secret) { return {folder_.path() / "tokens" / "a", {"ims", "id"}, Secret(secret)}; }
  http::SharedToken token(const std::string& text) { return {Secret(text), Time(1000s), Time(2000s)}; }

  TemporaryFolder folder_;
};

TEST_F(TokenFileTest, ProcessesOfOneCredentialShareItsToken) {
  auto one = file("secret");
  auto other = file("secret");
  EXPECT_FALSE(one.read().has_value());
  one.keep(token("t1"));
  const auto read = other.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->token.reveal(), "t1");
  EXPECT_EQ(read->renew_at, Time(1000s));
  EXPECT_EQ(read->expires_at, Time(2000s));
}

TEST_F(TokenFileTest, ARotatedSecretIsAnotherCredential) {
  file("secret").keep(token("t1"));
  EXPECT_FALSE(file("rotated").read().has_value());
}

TEST_F(TokenFileTest, ARefusedTokenIsGivenToNobodyAndANewerOneStays) {
  auto one = file("secret");
  one.keep(token("t1"));
  one.drop(Secret("t0"));
  EXPECT_TRUE(one.read().has_value());
  one.drop(Secret("t1"));
  EXPECT_FALSE(one.read().has_value());
}

TEST_F(TokenFileTest, ItIsPrivateHoldsNoSecretAndDamageIsNoToken) {
  auto one = file("the-client-secret");
  one.keep(token("t1"));
  const auto path = folder_.path() / "tokens" / "a";
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  const auto text = testing::read_file(path);
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("the-client-secret")));
  testing::write_file(path, text.substr(0, text.size() / 2));
  EXPECT_FALSE(one.read().has_value());
}

TEST_F(TokenFileTest, OneProcessAtATimeAsks) {
  auto one = file("secret");
  auto other = file("secret");
  auto turn = one.take_turn({});
  ASSERT_NE(turn, nullptr);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(other.take_turn(stopped.get_token()), nullptr);
  turn.reset();
  EXPECT_NE(other.take_turn({}), nullptr);
}

class CallLedgerTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::vector<http::RateWindow> windows_{{3, Duration(1000)}};
  const http::RateLedger::Instant now_ = std::chrono::steady_clock::now();
};

TEST_F(CallLedgerTest, CallsOfAllProcessesCountTogether) {
  CallLedger ours(folder_.path() / "calls");
  for (int calls = 0; calls < 2; ++calls) EXPECT_EQ(ours.grant("platform", windows_, now_), now_);
  const pid_t child = ::fork();
  if (child == 0) {
    CallLedger theirs(folder_.path() / "calls");
    ::_exit(theirs.grant("platform", windows_, now_) == now_ ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ours.grant("platform", windows_, now_), now_ + 1s) << "the fourth in a second";
  EXPECT_EQ(ours.grant("analytics", windows_, now_), now_) << "each limit is counted for itself";
}

TEST_F(CallLedgerTest, ADamagedLedgerBeginsAnew) {
  CallLedger ledger(folder_.path() / "calls");
  for (int calls = 0; calls < 3; ++calls) EXPECT_TRUE(ledger.grant("platform", windows_, now_).has_value());
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "calls")) {
    testing::write_file(entry.path(), "{\"granted\":[99");
  }
  EXPECT_EQ(ledger.grant("platform", windows_, now_), now_);
}

TEST_F(CallLedgerTest, WithoutAPlaceTheProcessCountsAlone) {
  testing::write_file(folder_.path() / "file", "");
  CallLedger ledger(folder_.path() / "file" / "calls");
  EXPECT_EQ(ledger.grant("platform", windows_, now_), std::nullopt);
}

}  // namespace
}  // namespace audiencesync
