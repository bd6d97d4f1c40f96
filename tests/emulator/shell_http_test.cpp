#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <thread>

#include "shell_world.h"

namespace emulator {
namespace {

std::string gunzip(std::string packed) {
  z_stream stream{};
  inflateInit2(&stream, 16 + 15);
  std::string plain(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  inflate(&stream, Z_FINISH);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

struct HttpTest : testing::Test {
  ShellWorld world;
};

TEST_F(HttpTest, KeepsAConnectionForManyCalls) {
  TestClient client(world.server->port());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.send("GET", "/data/core/ups/audiences", world.credentials()).status, 200);
    EXPECT_EQ(client.send("POST", "/data/foundation/catalog/dataSets", world.credentials(), "{}").status, 201);
  }
  EXPECT_EQ(world.created, 5);
}

TEST_F(HttpTest, AnswersPipelinedRequestsInOrder) {
  TestClient client(world.server->port());
  client.send_raw("GET /_emulator/clock HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 404);
}

TEST_F(HttpTest, DateFollowsTheEmulatorsClock) {
  const Reply before = world.control("GET", "/_emulator/clock");
  EXPECT_EQ(before.headers.at("date"), http_date(before.json()["now_ms"].get<std::int64_t>()));
  world.control("PUT", "/_emulator/clock", {{"advance", "365d"}});
  const Reply after = world.control("GET", "/_emulator/clock");
  EXPECT_GE(after.json()["now_ms"].get<std::int64_t>() - before.json()["now_ms"].get<std::int64_t>(),
            365LL * 24 * 3600 * 1000);
  EXPECT_NE(after.headers.at("date"), before.headers.at("date"));
}

TEST_F(HttpTest, PacksJsonWhenAsked) {
  const Reply plain = world.call("GET", "/data/foundation/catalog/dataSets");
  const Reply packed = world.call("GET", "/data/foundation/catalog/dataSets", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(packed.headers.at("content-encoding"), "gzip");
  EXPECT_LT(packed.body.size(), plain.body.size() / 10);
  EXPECT_EQ(gunzip(packed.body), plain.body);
}

TEST_F(HttpTest, HeadSaysTheLengthAndSendsNothing) {
  TestClient client(world.server->port());
  const Reply head = client.send("HEAD", "/data/foundation/export/file", world.credentials());
  EXPECT_EQ(head.headers.at("content-length"), "5");
  EXPECT_EQ(client.send("GET", "/_emulator/clock").status, 200);
}

TEST_F(HttpTest, SendsSlicesAndStreams) {
  EXPECT_EQ(world.call("GET", "/data/foundation/export/file").body, "23456");
  EXPECT_EQ(world.call("GET", "/data/foundation/export/stream").body, "row\nrow\nrow\n");
}

TEST_F(HttpTest, SpoolsUploadsToDiskAndRemovesThem) {
  const std::string body(3 << 20, 'y');
  TestClient client(world.server->port());
  Headers headers = world.credentials();
  headers["expect"] = "100-continue";
  EXPECT_EQ(client.send("PUT", "/data/foundation/import/a/b", headers, body).status, 201);
  EXPECT_EQ(world.uploaded, static_cast<int>(body.size()));
  EXPECT_TRUE(std::filesystem::is_empty(world.platform.folder / "spool"));
}

TEST_F(HttpTest, ReadsChunkedUploads) {
  TestClient client(world.server->port());
  std::string text = "PUT /data/foundation/import/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n";
  for (const auto& [name, value] : world.credentials()) text += name + ": " + value + "\r\n";
  client.send_raw(text + "\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  EXPECT_EQ(client.receive().status, 201);
  EXPECT_EQ(world.uploaded, 11);
}

TEST_F(HttpTest, RefusesBodiesAboveTheCap) {
  world.control("PUT", "/_emulator/settings", {{"upload_cap", 1000}});
  const Reply upload = world.call("PUT", "/data/foundation/import/a", {}, std::string(5000, 'z'));
  EXPECT_EQ(upload.status, 413);
  EXPECT_EQ(upload.headers.at("connection"), "close");
  EXPECT_EQ(world.uploaded, 0);
  const Reply memory = world.call("POST", "/data/foundation/catalog/dataSets", {}, std::string(33 << 20, ' '));
  EXPECT_EQ(memory.status, 413);
  EXPECT_EQ(world.created, 0);
}

TEST_F(HttpTest, AnswersNonsenseWith400AndCloses) {
  TestClient client(world.server->port());
  client.send_raw("this is not HTTP\r\n\r\n");
  EXPECT_EQ(client.receive().status, 400);
  EXPECT_EQ(client.receive().end, Reply::End::Closed);
}

TEST_F(HttpTest, ServesHundredsOfConnectionsAtOnce) {
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(std::make_unique<TestClient>(world.server->port()));
  for (const auto& client : clients) EXPECT_EQ(client->send("GET", "/_emulator/clock").status, 200);
}

TEST_F(HttpTest, StopsCleanlyWithIdleAndHeldConnections) {
  world.control("PUT", "/_emulator/faults", Json::array({{{"action", {{"hold", "before"}}}}}));
  TestClient idle(world.server->port());
  EXPECT_EQ(idle.send("GET", "/_emulator/clock").status, 200);
  std::thread held([&] { TestClient(world.server->port()).send("GET", "/data/core/ups/audiences"); });
  while (world.control("GET", "/_emulator/faults").json()[0]["holding"].empty()) std::this_thread::yield();
  EXPECT_EQ(world.server->stop(), Server::Stopped::Clean);
  held.join();
}

TEST_F(HttpTest, LogsCallsButNotControlCalls) {
  world.credentials();
  EXPECT_EQ(world.control("DELETE", "/_emulator/calls").status, 204);
  world.call("GET", "/data/core/ups/audiences?limit=2");
  world.call("POST", "/data/foundation/catalog/dataSets", {}, "{}");
  const Json calls = world.control("GET", "/_emulator/calls").json();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0]["method"], "GET");
  EXPECT_EQ(calls[0]["path"], "/data/core/ups/audiences");
  EXPECT_EQ(calls[0]["query"], "limit=2");
  EXPECT_EQ(calls[0]["status"], 200);
  EXPECT_EQ(calls[1]["status"], 201);
  EXPECT_EQ(calls[1]["request_bytes"], 2);
  const std::string since = std::to_string(calls[0]["n"].get<int>());
  EXPECT_EQ(world.control("GET", "/_emulator/calls?since=" + since).json().size(), 1U);
}

TEST_F(HttpTest, RecordsExchangesWithoutSecrets) {
  world.call("GET", "/data/core/ups/audiences");
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(world.folder.path() / "record")) {
    std::ifstream in(entry.path());
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_NE(all.find("/data/core/ups/audiences"), std::string::npos);
  EXPECT_NE(all.find("children"), std::string::npos);
  EXPECT_EQ(all.find("top-secret"), std::string::npos);
  EXPECT_EQ(all.find(world.credentials().at("authorization").substr(7)), std::string::npos);
}

}  // namespace
}  // namespace emulator
