#include "daemon/plans/plan_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/base/json.h"
#include "tests/gitops/gitops_world.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The server alone: what it lets through, and what it never does.
class PlanServerTest : public ::testing::Test {
 protected:
  PlanServerTest() {
    listen_.host = "127.0.0.1";
    listen_.plans = 1;
  }

  void start() {
    PlanServices services;
    services.make = [this](const PlanRequest& request, std::stop_token stop) {
      return make_(request, std::move(stop));
    };
    services.token = [this]() -> Result<Secret> { return Secret(token_); };
    services.ready = [this]() -> Result<void> { return ready_; };
    server_ = std::make_unique<PlanServer>(listen_, services, patience_);
    auto port = server_->start();
    ASSERT_TRUE(port.ok()) << port.error().text();
    port_ = *port;
  }

  /// Status and body, as curl sees them; `more` are options of curl.
  std::pair<std::string, std::string> ask(const std::string& path, std::vector<std::string> more = {}) {
    std::vector<std::string> command{"/usr/bin/curl",
                                     "-s",
                                     "-m",
                                     "20",
                                     "-D",
                                     (scratch_.path() / "headers").string(),
                                     "-w",
                                     "\n%{http_code}",
                                     fmt::format("{}://127.0.0.1:{}{}", scheme_, port_, path)};
    command.insert(command.end(), more.begin(), more.end());
    auto out = run_process(command, {}, scratch_.path()).out;
    const auto line = out.rfind('\n');
    return {out.substr(line + 1), out.substr(0, line)};
  }
  std::pair<std::string, std::string> plan(const std::string& query = "", std::vector<std::string> more = {},
                                           const std::string& body = "version: 1\n") {
    more.insert(more.end(), {"-H", "Authorization: Bearer " + shown_, "-H", "Content-Type: application/yaml",
                             "--data-binary", body});
    return ask("/api/v1/plans" + query, more);
  }
  std::string headers() const { return read_file(scratch_.path() / "headers"); }

  TemporaryFolder scratch_;
  Listen listen_;
  std::string token_ = "0123456789abcdef";
  std::string shown_ = token_;
  std::string scheme_ = "http";
  Duration patience_ = std::chrono::seconds(30);
  Result<void> ready_;
  std::function<Result<PlanAnswer>(const PlanRequest&, std::stop_token)> make_ = [](const PlanRequest& request, auto) {
    return PlanAnswer{2, fmt::format("{} as {}\n", request.manifests.front(), request.format), "a warning\n"};
  };
  std::unique_ptr<PlanServer> server_;
  int port_ = 0;
};

TEST_F(PlanServerTest, AnswersAPlanWithItsExitCode) {
  start();
  const auto [status, body] = plan("?name=emea/luma.yaml&format=markdown");
  EXPECT_EQ(status, "200");
  EXPECT_EQ(body, "emea/luma.yaml as markdown\n");
  EXPECT_THAT(headers(), HasSubstr("Audiencesync-Exit-Code: 2"));
  EXPECT_THAT(headers(), HasSubstr("Content-Type: text/markdown"));
}

TEST_F(PlanServerTest, WithoutTheTokenNothingIsEvenRead) {
  int made = 0;
  make_ = [&](const PlanRequest&, auto) {
    ++made;
    return PlanAnswer{};
  };
  start();
  for (const auto* wrong : {"", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef0"}) {
    shown_ = wrong;
    EXPECT_EQ(plan().first, "401") << wrong;
  }
  EXPECT_EQ(ask("/api/v1/plans", {"--data-binary", "x"}).first, "401");
  EXPECT_EQ(ask("/api/v1/plans", {"-H", "Authorization: Basic 0123456789abcdef", "--data-binary", "x"}).first, "401");
  EXPECT_EQ(made, 0);
  shown_ = token_ = "";
  EXPECT_EQ(plan().first, "401");
}

TEST_F(PlanServerTest, ATokenThatIsRenewedCountsAtOnce) {
  start();
  token_ = "fedcba9876543210";
  EXPECT_EQ(plan().first, "401");
  shown_ = token_;
  EXPECT_EQ(plan().first, "200");
}

TEST_F(PlanServerTest, ABadManifestIsSaidWithItsProblems) {
  make_ = [](const PlanRequest&, auto) { return PlanAnswer{65, "", "error: luma.yaml:1:1: unknown key\n"}; };
  start();
  const auto [status, body] = plan();
  EXPECT_EQ(status, "422");
  EXPECT_EQ(body, "error: luma.yaml:1:1: unknown key\n");
  EXPECT_THAT(headers(), HasSubstr("Audiencesync-Exit-Code: 65"));
}

TEST_F(PlanServerTest, ADeadlineIsToldFromAMistake) {
  make_ = [](const PlanRequest&, auto) -> Result<PlanAnswer> { return Error(ErrorCode::Timeout, "not in time"); };
  start();
  EXPECT_EQ(plan(), std::pair(std::string("504"), std::string("not in time\n")));
  make_ = [](const PlanRequest&, auto) -> Result<PlanAnswer> { throw std::runtime_error("SECRET-MARKER"); };
  const auto [status, body] = plan();
  EXPECT_EQ(status, "500");
  EXPECT_THAT(body, Not(HasSubstr("SECRET-MARKER")));
}

TEST_F(PlanServerTest, TooMuchAtOnceIsRefused) {
  start();
  const auto large = scratch_.path() / "large";
  write_file(large, std::string(kMostPlanBytes + 1, 'x'));
  EXPECT_EQ(plan("", {}, "@" + large.string()).first, "413");
  // Without a length, too.
  EXPECT_EQ(plan("", {"-H", "Transfer-Encoding: chunked"}, "@" + large.string()).first, "413");
}

TEST_F(PlanServerTest, OnlySoManyPlansAreMadeAtATime) {
  std::mutex mutex;
  std::condition_variable changed;
  bool making = false;
  bool free_to_go = false;
  make_ = [&](const PlanRequest&, auto) {
    std::unique_lock lock(mutex);
    making = true;
    changed.notify_all();
    changed.wait(lock, [&] { return free_to_go; });
    return PlanAnswer{0, "", ""};
  };
  start();
  std::pair<std::string, std::string> first;
  std::jthread asking([&] {
    const TemporaryFolder own;
    const auto ran = run_process(
        {"/usr/bin/curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer " + token_,
         "--data-binary", "x", fmt::format("http://127.0.0.1:{}/api/v1/plans", port_)},
        {}, own.path());
    first.first = ran.out;
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return making; });
  }
  EXPECT_EQ(plan().first, "503");
  EXPECT_THAT(headers(), HasSubstr("Retry-After: 10"));
  EXPECT_EQ(ask("/healthz").first, "200");
  {
    const std::lock_guard lock(mutex);
    free_to_go = true;
    changed.notify_all();
  }
  asking.join();
  EXPECT_EQ(first.first, "200");
}

TEST_F(PlanServerTest, OnlySoManyPlansAreMadeInAMinute) {
  start();
  // One process of curl for all of them.
  std::vector<std::string> more{"-H", "Authorization: Bearer " + token_, "--data-binary", "x", "-o", "/dev/null"};
  std::string urls = fmt::format("http://127.0.0.1:{}/api/v1/plans?n=[1-{}]", port_, kMostPlansPerMinute);
  std::vector<std::string> command{"/usr/bin/curl", "-s", "-w", "%{http_code} ", urls};
  command.insert(command.end(), more.begin(), more.end());
  const auto all = run_process(command, {}, scratch_.path()).out;
  EXPECT_THAT(all, Not(HasSubstr("429")));
  EXPECT_EQ(plan().first, "429");
  EXPECT_THAT(headers(), HasSubstr("Retry-After: 30"));
}

/// Connects, sends so many bytes of a header, one a step, and says how it ended.
class Dawdler {
 public:
  explicit Dawdler(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Dawdler() { ::close(socket_); }
  Dawdler(const Dawdler&) = delete;
  Dawdler& operator=(const Dawdler&) = delete;

  /// A letter now and then, until the other end has had enough of it.
  bool is_ended() const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (connected_ && std::chrono::steady_clock::now() < limit) {
      if (::send(socket_, "a", 1, MSG_NOSIGNAL) < 0) return true;
      char byte = 0;
      pollfd watched{socket_, POLLIN, 0};
      if (::poll(&watched, 1, 20) == 1 && ::recv(socket_, &byte, 1, 0) <= 0) return true;
    }
    return false;
  }

 private:
  int socket_;
  bool connected_ = false;
};

TEST_F(PlanServerTest, WhoSendsItsHeaderALetterAtATimeHoldsNoThread) {
  patience_ = std::chrono::milliseconds(300);
  start();
  std::vector<std::unique_ptr<Dawdler>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<Dawdler>(port_));  // more than there are threads
  EXPECT_TRUE(clients.front()->is_ended());
  // On a busy machine a good client may be slow, too.
  std::string answered;
  for (int tries = 0; tries < 20 && answered != "200"; ++tries) answered = ask("/healthz").first;
  EXPECT_EQ(answered, "200") << "the others were ended too";
}

TEST_F(PlanServerTest, WhoWaitsForALongPlanIsNotSlow) {
  patience_ = std::chrono::milliseconds(200);
  make_ = [](const PlanRequest&, std::stop_token) {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));  // several times the patience
    return PlanAnswer{0, "a plan\n", ""};
  };
  start();
  // One that counted as slow would be cut off each time; a machine may be busy once.
  std::string answered;
  for (int tries = 0; tries < 10 && answered != "200"; ++tries) answered = plan().first;
  EXPECT_EQ(answered, "200");
}

TEST_F(PlanServerTest, SaysWhetherItIsAliveAndReady) {
  start();
  EXPECT_EQ(ask("/healthz"), std::pair(std::string("200"), std::string("alive\n")));
  EXPECT_EQ(ask("/readyz").first, "200");
  ready_ = Error(ErrorCode::NotFound, "there is no folder");
  EXPECT_EQ(ask("/readyz"), std::pair(std::string("503"), std::string("not ready: there is no folder\n")));
  EXPECT_EQ(ask("/api/v1/plans").first, "404");
  EXPECT_EQ(ask("/metrics").first, "404");
}

TEST_F(PlanServerTest, AnswersEncryptedWhenThereIsACertificate) {
  const auto key = (scratch_.path() / "key.pem").string();
  const auto certificate = (scratch_.path() / "cert.pem").string();
  const auto made = run_process({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate},
                                {}, scratch_.path());
  ASSERT_EQ(made.code, 0) << made.err;
  listen_.certificate = certificate;
  listen_.key = key;
  start();
  scheme_ = "https";
  EXPECT_EQ(plan("", {"--cacert", certificate}).first, "200");
  EXPECT_EQ(plan("", {"--cacert", certificate, "--tls-max", "1.1"}).first, "000");
}

TEST_F(PlanServerTest, ACertificateThatCannotBeUsedIsSaid) {
  listen_.certificate = scratch_.path() / "nowhere.pem";
  listen_.key = scratch_.path() / "nowhere.pem";
  PlanServer server(listen_, {});
  EXPECT_THAT(server.start().error().text(), HasSubstr("cannot be used as certificate and key"));
}

TEST_F(PlanServerTest, AnAddressThatIsTakenIsSaid) {
  start();
  listen_.port = static_cast<std::uint16_t>(port_);
  PlanServer second(listen_, {});
  const auto port = second.start();
  ASSERT_FALSE(port.ok());
  EXPECT_THAT(port.error().text(), HasSubstr("cannot listen on 127.0.0.1"));
}

TEST(PlanRequestTest, HasFilesThatStayInTheirFolder) {
  const auto request = [](const std::string& body, const std::string& type = "application/json") {
    return read_plan_request(body, type, "", "text");
  };
  const auto good = request(R"({"files":{"emea/luma.yaml":"a","base.yml":"b"},"manifests":["emea/luma.yaml"]})");
  ASSERT_TRUE(good.ok()) << good.error().text();
  EXPECT_EQ(good->files.size(), 2U);
  for (const auto* bad : {
           R"({"files":{"../luma.yaml":"a"},"manifests":["../luma.yaml"]})",
           R"({"files":{"/etc/luma.yaml":"a"},"manifests":["/etc/luma.yaml"]})",
           R"({"files":{"a/.git/luma.yaml":"a"},"manifests":["a/.git/luma.yaml"]})",
           R"({"files":{"luma.sh":"a"},"manifests":["luma.sh"]})",
           R"({"files":{"luma.yaml":"a"},"manifests":["gold.yaml"]})",
           R"({"files":{"luma.yaml":"a"},"manifests":[]})",
           R"({"files":{"luma.yaml":1},"manifests":["luma.yaml"]})",
           R"({"files":["luma.yaml"]})",
           R"({"files":{"a\u0000.yaml":"a"},"manifests":["a\u0000.yaml"]})",
           R"(nonsense)",
       }) {
    EXPECT_FALSE(request(bad).ok()) << bad;
  }
  Value::Object many;
  for (std::size_t i = 0; i <= kMostPlanFiles; ++i) many[fmt::format("f{}.yaml", i)] = "a";
  EXPECT_FALSE(request(to_json(Value::Object{{"files", many}, {"manifests", Value::Array{"f1.yaml"}}})).ok());
  EXPECT_EQ(request("version: 1\n", "application/yaml")->manifests.front(), "manifest.yaml");
  EXPECT_FALSE(read_plan_request("x", "text/plain", "../x.yaml", "text").ok());
  EXPECT_FALSE(read_plan_request("x", "text/plain", "", "html").ok());
}

TEST(PlanTokenTest, IsComparedAsAWhole) {
  EXPECT_TRUE(same_token("secret", Secret("secret")));
  EXPECT_FALSE(same_token("secret", Secret("secreT")));
  EXPECT_FALSE(same_token("secre", Secret("secret")));
  EXPECT_FALSE(same_token("", Secret("")));
}

}  // namespace
}  // namespace audiencesync::testing
