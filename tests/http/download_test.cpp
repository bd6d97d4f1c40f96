#include <gtest/gtest.h>
#include <unistd.h>

#include <charconv>

#include "engine/http/curl/curl_transport.h"
#include "engine/http/gateway.h"
#include "tests/http/fake_clock.h"
#include "tests/http/raw_server.h"

namespace audiencesync::http {
namespace {

/// Real transport, real files, a server that breaks as a test says. Token requests are answered beside the script.
class DownloadTest : public testing::Test {
 protected:
  struct Turn {
    std::uint64_t first = 0;  // of the range asked for
    std::string range;
    std::string if_range;
  };
  using Script = std::function<void(Peer&, int number, const Turn&)>;

  void SetUp() override {
    folder = testing::TempDir() + "http_download_" + std::to_string(getpid());
    ASSERT_TRUE(disk.remove(folder).ok());
    ASSERT_TRUE(disk.make_folder(folder).ok());
    while (content.size() < 300'000) content += std::to_string(content.size()) + ",";
  }
  void TearDown() override { ASSERT_TRUE(disk.remove(folder).ok()); }

  /// Downloads `content`; every request for the file is one turn of the script and one connection.
  Result<Download> download(Script script, Files* files = nullptr) {
    RawServer server([&](Peer& peer, int) {
      RawRequest request;
      if (!peer.read(request)) return;
      if (request.method == "POST") {
        return peer.reply(200, R"({"access_token":"t","expires_in":86399})", "Connection: close\r\n");
      }
      Turn turn{0, request.header("range"), request.header("if-range")};
      if (!turn.range.empty())
        std::from_chars(turn.range.data() + 6, turn.range.data() + turn.range.size(), turn.first);
      int number = 0;
      {
        const std::scoped_lock lock(mutex);
        number = static_cast<int>(turns.size());
        turns.push_back(turn);
      }
      script(peer, number, turn);
    });
    CurlTransport transport;
    const auto origin = server.url("");
    TokenSource tokens(transport, clock, origin, {"client", Secret("secret"), {}});
    RateLimiter limiter({}, clock);
    ServerTime server_time(clock);
    Core core({transport, tokens, limiter, clock, server_time}, {origin, origin}, {"ORG@AdobeOrg", "prod"},
              {.version = "1", .seed = 1});
    Reader reader(core, files != nullptr ? *files : disk, stop.get_token());
    return reader.download({.method = Method::Get, .path = "/file", .query = {{"path", "part-0"}}}, target(),
                           content.size());
  }

  void send_all(Peer& peer, std::uint64_t cut = 0, const std::string& headers = {}) {
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(content.size()) + "\r\n" +
              headers + "\r\n" + content.substr(0, content.size() - cut));
  }
  void send_from(Peer& peer, std::uint64_t first, std::uint64_t cut = 0) {
    peer.send("HTTP/1.1 206 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(content.size() - first) +
              "\r\nContent-Range: bytes " + std::to_string(first) + "-" + std::to_string(content.size() - 1) + "/" +
              std::to_string(content.size()) + "\r\n\r\n" + content.substr(first, content.size() - first - cut));
  }

  Path target() const { return Path(folder) / "file.parquet"; }
  void expect_whole() {
    const auto got = disk.read(target());
    ASSERT_TRUE(got.ok());
    EXPECT_TRUE(*got == content);
    EXPECT_EQ(disk.list(folder)->size(), 1u);
  }
  void expect_nothing() { EXPECT_TRUE(disk.list(folder)->empty()); }

  PosixFiles disk;
  FakeClock clock;
  std::string folder;
  std::string content;
  std::stop_source stop;
  std::mutex mutex;
  std::vector<Turn> turns;
};

TEST_F(DownloadTest, ArrivesWhole) {
  const auto done = download([&](Peer& peer, int, const Turn&) { send_all(peer); });
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(done->bytes, content.size());
  EXPECT_EQ(turns.at(0).range, "");
  expect_whole();
}

TEST_F(DownloadTest, GoesOnWhereItWasCut) {
  const auto done = download([&](Peer& peer, int number, const Turn& turn) {
    if (number == 0) return send_all(peer, 200'000, "ETag: \"v1\"\r\n");
    send_from(peer, turn.first, number == 1 ? 100'000 : 0);
  });
  ASSERT_TRUE(done.ok()) << done.error().text();
  ASSERT_EQ(turns.size(), 3u);
  EXPECT_EQ(turns[1].first, content.size() - 200'000);
  EXPECT_EQ(turns[1].if_range, "\"v1\"");
  EXPECT_EQ(turns[2].first, content.size() - 100'000);
  expect_whole();
}

TEST_F(DownloadTest, StartsOverWhenTheServerIgnoresRanges) {
  const auto done = download([&](Peer& peer, int number, const Turn&) { send_all(peer, number == 0 ? 150'000 : 0); });
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_NE(turns.at(1).range, "");
  expect_whole();
}

TEST_F(DownloadTest, StartsOverAfterARangeItDidNotAskFor) {
  const auto done = download([&](Peer& peer, int number, const Turn& turn) {
    if (number == 0) return send_all(peer, 150'000);
    if (number == 1) return send_from(peer, turn.first + 10);
    send_all(peer);
  });
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(turns.at(2).range, "");
  expect_whole();
}

TEST_F(DownloadTest, StartsOverWhenTheRestIsGone) {
  const auto done = download([&](Peer& peer, int number, const Turn&) {
    if (number == 0) return send_all(peer, 150'000);
    if (number == 1) return peer.reply(416, "", "Connection: close\r\n");
    send_all(peer);
  });
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(turns.at(2).range, "");
  expect_whole();
}

struct WrongCase {
  const char* name;
  const char* answer;
};
class WrongFile : public DownloadTest, public testing::WithParamInterface<WrongCase> {};

TEST_P(WrongFile, LeavesNothingBehind) {
  const auto done = download([&](Peer& peer, int, const Turn&) { peer.send(GetParam().answer); });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::Corrupt) << done.error().text();
  EXPECT_EQ(turns.size(), 3u);
  expect_nothing();
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongFile,
    testing::Values(WrongCase{"shorter", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"},
                    WrongCase{"shorter_without_length", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"},
                    WrongCase{"empty", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
                    WrongCase{"longer", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3000000\r\n\r\nabc"},
                    WrongCase{"no_content", "HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n"},
                    WrongCase{"a_part_of_another_file",
                              "HTTP/1.1 206 OK\r\nConnection: close\r\nContent-Range: bytes 0-2/3\r\nContent-Length: "
                              "3\r\n\r\nabc"},
                    WrongCase{"a_part_that_does_not_say_which",
                              "HTTP/1.1 206 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"}),
    [](const auto& row) { return row.param.name; });

TEST_F(DownloadTest, MoreBytesThanListedAreRefused) {
  const auto done = download(
      [&](Peer& peer, int, const Turn&) { peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content + "x"); });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::Corrupt);
  expect_nothing();
}

TEST_F(DownloadTest, GivesUpWithTheCauseAndCleansUp) {
  const auto done = download([&](Peer& peer, int, const Turn&) {
    peer.reply(404, R"({"title":"NotFoundError","detail":"File not found."})", "Connection: close\r\n");
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::NotFound);
  EXPECT_EQ(done.error().message(), "GET /file: status 404: NotFoundError: File not found.");
  expect_nothing();
}

/// A disk that is full after so many bytes.
class FullDisk final : public Files {
 public:
  FullDisk(Files& disk, std::uint64_t room) : disk_(disk), room_(room) {}
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override {
    auto writer = TRY(disk_.create(path));
    return std::unique_ptr<FileWriter>(std::make_unique<Writer>(std::move(writer), room_));
  }
  Result<std::string> read(const Path& path) const override { return disk_.read(path); }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override { return disk_.open(path); }
  Result<void> write_atomic(const Path& path, std::string_view text) override { return disk_.write_atomic(path, text); }
  Result<void> rename(const Path& from, const Path& to) override { return disk_.rename(from, to); }
  Result<void> remove(const Path& path) override { return disk_.remove(path); }
  Result<void> make_folder(const Path& path) override { return disk_.make_folder(path); }
  bool exists(const Path& path) const override { return disk_.exists(path); }
  Result<std::uint64_t> size(const Path& path) const override { return disk_.size(path); }
  Result<Path> real(const Path& path) const override { return disk_.real(path); }
  Result<FileFacts> facts(const Path& path) const override { return disk_.facts(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override { return disk_.list(folder); }

 private:
  struct Writer final : FileWriter {
    Writer(std::unique_ptr<FileWriter> inner, std::uint64_t room) : inner_(std::move(inner)), room_(room) {}
    Result<void> write(std::string_view bytes) override {
      if (bytes.size() > room_) return Error(ErrorCode::NoSpace, "the disk is full");
      room_ -= bytes.size();
      return inner_->write(bytes);
    }
    Result<void> sync() override { return inner_->sync(); }
    std::unique_ptr<FileWriter> inner_;
    std::uint64_t room_;
  };
  Files& disk_;
  std::uint64_t room_;
};

TEST_F(DownloadTest, AFullDiskIsSaidOnceAndLeavesNothing) {
  FullDisk full(disk, 100'000);
  const auto done = download([&](Peer& peer, int, const Turn&) { send_all(peer); }, &full);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::NoSpace);
  EXPECT_EQ(turns.size(), 1u);
  expect_nothing();
}

TEST_F(DownloadTest, StopsInTheMiddle) {
  const auto done = download([&](Peer& peer, int, const Turn&) {
    send_all(peer, 100'000);
    stop.request_stop();
    peer.wait_for_end();
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::Interrupted);
  expect_nothing();
}

}  // namespace
}  // namespace audiencesync::http
