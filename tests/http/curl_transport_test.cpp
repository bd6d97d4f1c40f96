#include "engine/http/curl/curl_transport.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "tests/http/raw_server.h"

namespace audiencesync::http {
namespace {

using namespace std::chrono_literals;
using Outcome = std::variant<Response, Failure>;

std::string text_of(const Outcome& outcome) {
  if (const auto* response = std::get_if<Response>(&outcome)) return std::to_string(response->status);
  const auto& failure = std::get<Failure>(outcome);
  return std::string(failure.progress == Progress::Sent ? "sent " : "not sent ") + to_string(failure.error.code());
}

struct StringSink : Sink {
  Result<void> begin(int status, const Headers& headers) override {
    ++begun;
    begun_status = status;
    begun_headers = headers;
    return {};
  }
  Result<void> write(std::string_view bytes) override {
    content += bytes;
    return {};
  }
  int begun = 0;
  int begun_status = 0;
  Headers begun_headers;
  std::string content;
};

class CurlTransportTest : public testing::Test {
 protected:
  Outcome get(const std::string& url, Duration deadline = 5s) {
    return transport.exchange({.url = url, .deadline = deadline, .repeat = Repeat::Read}, {});
  }

  CurlTransport transport;
};

TEST_F(CurlTransportTest, CarriesBothDirections) {
  RawRequest seen;
  RawServer server([&](Peer& peer, int) {
    peer.read(seen);
    peer.send("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
    peer.reply(201, "made", "X-Thing: a\r\nx-thing:  b \r\nEmpty:\r\n");
  });
  const auto body = Body::text("hello", "text/plain");
  const auto outcome = transport.exchange({.method = Method::Put,
                                           .url = server.url("/a/b?c=d"),
                                           .headers = {{"x-one", "1"}, {"x-empty", ""}},
                                           .body = &body},
                                          {});
  ASSERT_EQ(text_of(outcome), "201");
  const auto& response = std::get<Response>(outcome);
  EXPECT_EQ(response.body, "made");
  EXPECT_EQ(response.headers.at("x-thing"), "a, b");
  EXPECT_EQ(response.headers.at("empty"), "");
  EXPECT_EQ(response.headers.count("x-early"), 0u);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/a/b?c=d");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.header("content-type"), "text/plain");
  EXPECT_EQ(seen.header("x-one"), "1");
  EXPECT_EQ(seen.headers.count("x-empty"), 1u);
}

TEST_F(CurlTransportTest, SendsEveryMethodWithAndWithoutBody) {
  const auto body = Body::json(Value(Value::Object{{"a", 1}}));
  for (const auto method : {Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete}) {
    for (const bool with_body : {false, true}) {
      if (with_body && (method == Method::Get || method == Method::Head)) continue;
      RawRequest seen;
      RawServer server([&](Peer& peer, int) {
        peer.read(seen);
        peer.send("HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
      });
      ASSERT_EQ(text_of(transport.exchange(
                    {.method = method, .url = server.url("/"), .body = with_body ? &body : nullptr}, {})),
                "200");
      EXPECT_EQ(seen.method, to_string(method));
      EXPECT_EQ(seen.body, with_body ? R"({"a":1})" : "");
      EXPECT_EQ(seen.header("content-type"), with_body ? "application/json" : "") << to_string(method);
    }
  }
}

TEST_F(CurlTransportTest, KnowsWhenNothingWasSent) {
  const auto refused = get("http://127.0.0.1:" + std::to_string(closed_port()) + "/x?token=1");
  EXPECT_EQ(text_of(refused), "not sent unavailable");
  EXPECT_EQ(std::get<Failure>(refused).error.text().find("token"), std::string::npos);
  EXPECT_EQ(text_of(get("https://no-such-host.invalid/")), "not sent unavailable");

  RawServer plain([](Peer& peer, int) { peer.send("I do not speak TLS\r\n\r\n"); });
  EXPECT_EQ(text_of(get("https://127.0.0.1:" + std::to_string(plain.port()) + "/")), "not sent unavailable");
}

struct BrokenCase {
  const char* name;
  const char* answer;  // then the connection closes
};
class BrokenAnswer : public CurlTransportTest, public testing::WithParamInterface<BrokenCase> {};

TEST_P(BrokenAnswer, IsAFailureAfterSending) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    peer.send(GetParam().answer);
  });
  EXPECT_EQ(text_of(get(server.url("/"))), "sent unavailable");
  StringSink sink;
  EXPECT_EQ(text_of(transport.exchange({.url = server.url("/"), .sink = &sink}, {})), "sent unavailable");
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenAnswer,
    testing::Values(BrokenCase{"none", ""}, BrokenCase{"half_a_head", "HTTP/1.1 200 OK\r\nContent-Le"},
                    BrokenCase{"no_body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"},
                    BrokenCase{"cut_body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"},
                    BrokenCase{"cut_chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"},
                    BrokenCase{"no_http", "what?\r\n\r\n"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CurlTransportTest, AResetIsAFailureAfterSending) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    peer.reset();
  });
  EXPECT_EQ(text_of(get(server.url("/"))), "sent unavailable");
}

TEST_F(CurlTransportTest, ASlowDripEndsAtTheDeadline) {
  std::atomic<bool> over = false;
  RawServer server([&](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (!over) {
      peer.send("x");
      std::this_thread::sleep_for(5ms);
    }
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(text_of(get(server.url("/"), 300ms)), "sent timeout");
  const auto took = std::chrono::steady_clock::now() - began;
  over = true;
  EXPECT_GE(took, 290ms);
}

TEST_F(CurlTransportTest, SilenceEndsAtTheDeadline) {
  RawServer server([](Peer& peer, int) { peer.wait_for_end(); });
  const auto outcome = get(server.url("/"), 200ms);
  EXPECT_EQ(text_of(outcome), "sent timeout");
  EXPECT_EQ(std::get<Failure>(outcome).error.text(), "127.0.0.1: no whole answer within 0.2 s");
}

TEST_F(CurlTransportTest, AStalledConnectionEndsBeforeAFarDeadline) {
  CurlTransport impatient({.ca_file = {}, .stall = 1s});
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx");
    peer.wait_for_end();
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(text_of(impatient.exchange({.url = server.url("/"), .deadline = 1h}, {})), "sent timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10min);  // the deadline is an hour
}

TEST_F(CurlTransportTest, StopEndsAnExchangeAtOnce) {
  std::latch reached(1);
  RawServer server([&](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    reached.count_down();
    peer.wait_for_end();
  });
  std::stop_source stop;
  std::jthread stopper([&] {
    reached.wait();
    stop.request_stop();
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(text_of(transport.exchange({.url = server.url("/"), .deadline = 1h}, stop.get_token())),
            "sent interrupted");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10min);  // the deadline is an hour
  EXPECT_EQ(text_of(transport.exchange({.url = server.url("/")}, stop.get_token())), "not sent interrupted");
}

TEST_F(CurlTransportTest, EndsWithCallsInFlight) {
  constexpr int kCalls = 8;
  std::latch reached(kCalls);
  RawServer server([&](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    reached.count_down();
    peer.wait_for_end();
  });
  auto mortal = std::make_unique<CurlTransport>();
  std::vector<std::jthread> threads;
  for (int call = 0; call < kCalls; ++call) {
    threads.emplace_back([&server, transport = mortal.get()] {
      EXPECT_EQ(text_of(transport->exchange({.url = server.url("/"), .deadline = 1h}, {})), "sent interrupted");
    });
  }
  reached.wait();
  mortal.reset();
}

TEST_F(CurlTransportTest, UnpacksAnswersButNotFilesOrRanges) {
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x48\x4c\xce\x4e\x4d\x51\xb2\x2a\x29\x2a\x4d\xad\x05\x00\x89"
      "\xe0\xb5\xdc\x0f\x00\x00\x00",
      35);
  std::vector<std::string> offered;
  RawServer server([&](Peer& peer, int) {
    RawRequest request;
    while (peer.read(request)) {
      offered.push_back(request.header("accept-encoding"));
      peer.reply(200, packed, "Content-Encoding: gzip\r\n");
    }
  });
  const auto outcome = get(server.url("/"));
  ASSERT_EQ(text_of(outcome), "200");
  EXPECT_EQ(std::get<Response>(outcome).body, R"({"packed":true})");
  StringSink sink;
  ASSERT_EQ(text_of(transport.exchange({.url = server.url("/"), .sink = &sink, .repeat = Repeat::Read}, {})), "200");
  EXPECT_EQ(sink.content, packed);
  ASSERT_EQ(text_of(transport.exchange(
                {.url = server.url("/"), .headers = {{"range", "bytes=0-"}}, .repeat = Repeat::Read}, {})),
            "200");
  ASSERT_EQ(offered.size(), 3u);
  EXPECT_NE(offered[0].find("gzip"), std::string::npos);
  EXPECT_EQ(offered[1], "");
  EXPECT_EQ(offered[2], "");
}

TEST_F(CurlTransportTest, OnlySuccessGoesToTheSink) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    while (peer.read(request)) {
      if (request.target == "/empty") {
        peer.reply(200, "", "ETag: \"1\"\r\n");
      } else {
        peer.reply(404, "no such file");
      }
    }
  });
  StringSink sink;
  const auto outcome = transport.exchange({.url = server.url("/x"), .sink = &sink}, {});
  ASSERT_EQ(text_of(outcome), "404");
  EXPECT_EQ(std::get<Response>(outcome).body, "no such file");
  EXPECT_EQ(sink.begun, 0);
  ASSERT_EQ(text_of(transport.exchange({.url = server.url("/empty"), .sink = &sink}, {})), "200");
  EXPECT_EQ(sink.begun, 1);
  EXPECT_EQ(sink.begun_status, 200);
  EXPECT_EQ(sink.begun_headers.at("etag"), "\"1\"");
}

TEST_F(CurlTransportTest, AnErrorOfTheSinkComesBackAsItIs) {
  struct FullDisk final : StringSink {
    Result<void> write(std::string_view) override { return Error(ErrorCode::NoSpace, "disk full"); }
  } sink;
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    peer.reply(200, "bytes");
  });
  const auto outcome = transport.exchange({.url = server.url("/"), .sink = &sink}, {});
  ASSERT_EQ(text_of(outcome), "sent no_space");
  EXPECT_EQ(std::get<Failure>(outcome).error.text(), "disk full");
}

TEST_F(CurlTransportTest, ABodyThatEndsEarlyDoesNotHang) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
  });
  auto body = Body::text("short", "text/plain");
  body.size = 10;
  EXPECT_EQ(text_of(transport.exchange({.method = Method::Put, .url = server.url("/"), .body = &body}, {})), "sent io");
}

TEST_F(CurlTransportTest, AnEarlyRefusalStopsALargeUpload) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read_head(request);
    peer.reply(401, R"({"error_code":"401013"})", "Connection: close\r\n");
    peer.wait_for_end();
  });
  const auto body = Body::text(std::string(8 << 20, 'x'), "application/octet-stream");
  EXPECT_EQ(text_of(transport.exchange({.method = Method::Put, .url = server.url("/"), .body = &body}, {})), "401");
}

TEST_F(CurlTransportTest, UploadsMegabytes) {
  RawRequest seen;
  RawServer server([&](Peer& peer, int) {
    peer.read(seen);
    peer.reply(200, "");
  });
  std::string content;
  while (content.size() < (8 << 20)) content += std::to_string(content.size());
  const auto body = Body::text(content, "application/octet-stream");
  ASSERT_EQ(text_of(transport.exchange({.method = Method::Put, .url = server.url("/"), .body = &body}, {})), "200");
  EXPECT_TRUE(seen.body == content);
}

TEST_F(CurlTransportTest, RefusesPlainHttpToOtherMachines) {
  for (const char* url : {"http://example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "http://[::2]/",
                          "http://128.0.0.1/", "ftp://127.0.0.1/", "file:///etc/hostname"}) {
    const auto outcome = get(url);
    EXPECT_EQ(text_of(outcome), "not sent refused") << url;
  }
  EXPECT_EQ(text_of(get("http://127.0.0.1@example.com/")), "not sent invalid");
  EXPECT_EQ(text_of(get("nonsense")), "not sent invalid");
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    peer.read(request);
    peer.reply(200, "");
  });
  EXPECT_EQ(text_of(get("http://localhost:" + std::to_string(server.port()) + "/")), "200");
}

TEST_F(CurlTransportTest, DoesNotFollowRedirects) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    while (peer.read(request)) peer.reply(302, "", "Location: /elsewhere\r\n");
  });
  EXPECT_EQ(text_of(get(server.url("/"))), "302");
}

TEST_F(CurlTransportTest, RefusesHeaderFieldsWithLineEnds) {
  EXPECT_EQ(text_of(transport.exchange({.url = "http://127.0.0.1:1/", .headers = {{"x", "a\r\nb: c"}}}, {})),
            "not sent internal");
}

TEST_F(CurlTransportTest, OnceNeverMeetsADeadKeptConnection) {
  // The server answers one request per connection, reads a second one and closes without a word: what a kept connection
  // does that times out while a request is on its way.
  std::mutex mutex;
  std::vector<std::string> arrived;
  RawServer server([&](Peer& peer, int) {
    for (int number = 0; number < 2; ++number) {
      RawRequest request;
      if (!peer.read(request)) return;
      {
        const std::scoped_lock lock(mutex);
        arrived.push_back(request.method + request.body);
      }
      if (number == 0) peer.reply(200, "");
    }
  });
  ASSERT_EQ(text_of(get(server.url("/"))), "200");
  const auto body = Body::text("x", "text/plain");
  for (int call = 0; call < 2; ++call) {
    EXPECT_EQ(text_of(transport.exchange(
                  {.method = Method::Post, .url = server.url("/"), .body = &body, .repeat = Repeat::Once}, {})),
              "200");
  }
  {
    const std::scoped_lock lock(mutex);
    EXPECT_EQ(arrived, (std::vector<std::string>{"GET", "POSTx", "POSTx"}));
  }
  // Where a repetition is harmless curl may go on by itself, and the body starts again.
  EXPECT_EQ(text_of(transport.exchange(
                {.method = Method::Post, .url = server.url("/"), .body = &body, .repeat = Repeat::Repeatable}, {})),
            "200");
  const std::scoped_lock lock(mutex);
  EXPECT_GT(arrived.size(), 4u);
  EXPECT_EQ(arrived.back(), "POSTx");
}

TEST_F(CurlTransportTest, KeepsConnections) {
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    while (peer.read(request)) peer.reply(200, "");
  });
  for (int call = 0; call < 20; ++call) ASSERT_EQ(text_of(get(server.url("/"))), "200");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTransportTest, HundredsOfCallsAtOnce) {
  constexpr int kCalls = 256;
  CurlTransport wide({.ca_file = {}, .connections_per_host = kCalls});
  std::latch all_there(kCalls);
  RawServer server([&](Peer& peer, int) {
    RawRequest request;
    if (!peer.read(request)) return;
    all_there.arrive_and_wait();  // no answer before every request is on its own connection
    peer.reply(200, request.target);
  });
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int call = 0; call < kCalls; ++call) {
      threads.emplace_back([&, target = "/" + std::to_string(call)] {
        const auto outcome = wide.exchange({.url = server.url(target), .deadline = 15s}, {});
        const auto* response = std::get_if<Response>(&outcome);
        right += response != nullptr && response->body == target ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(right, kCalls);
}

TEST_F(CurlTransportTest, MoreCallsThanConnectionsTakeTurns) {
  CurlTransport narrow({.ca_file = {}, .connections_per_host = 2});
  RawServer server([](Peer& peer, int) {
    RawRequest request;
    while (peer.read(request)) peer.reply(200, request.target);
  });
  {
    std::vector<std::jthread> threads;
    for (int call = 0; call < 32; ++call) {
      threads.emplace_back(
          [&] { EXPECT_EQ(text_of(narrow.exchange({.url = server.url("/"), .repeat = Repeat::Read}, {})), "200"); });
    }
  }
  EXPECT_LE(server.connections(), 2);
}

}  // namespace
}  // namespace audiencesync::http
