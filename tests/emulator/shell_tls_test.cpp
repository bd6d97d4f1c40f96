#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shell_world.h"

namespace emulator {
namespace {

/// A client that trusts one authority and speaks one request.
class HttpsClient {
 public:
  HttpsClient(std::uint16_t port, const std::filesystem::path& authority) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    if (!authority.empty()) SSL_CTX_load_verify_locations(context_, authority.c_str(), nullptr);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    tls_ = SSL_new(context_);
    SSL_set1_host(tls_, "localhost");
    SSL_set_fd(tls_, socket_);
    trusted_ = connected_ && SSL_connect(tls_) == 1;
  }
  ~HttpsClient() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
    ::close(socket_);
  }
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;

  bool trusted() const { return trusted_; }
  /// Everything up to the end of the connection.
  std::string ask(const std::string& request) {
    SSL_write(tls_, request.data(), static_cast<int>(request.size()));
    std::string answer;
    char block[16384];
    for (int count = SSL_read(tls_, block, sizeof block); count > 0; count = SSL_read(tls_, block, sizeof block))
      answer.append(block, static_cast<std::size_t>(count));
    return answer;
  }

 private:
  SSL_CTX* context_;
  SSL* tls_ = nullptr;
  int socket_ = -1;
  bool connected_ = false;
  bool trusted_ = false;
};

struct HttpsTest : testing::Test {
  ShellWorld world;
  TlsIdentity identity{world.folder.path() / "tls"};
  Server server{ServerOptions{.tls = &identity}, *world.door};
};

TEST_F(HttpsTest, AnswersThoseWhoTrustItsAuthority) {
  HttpsClient client(server.port(), identity.authority());
  ASSERT_TRUE(client.trusted());
  std::string request = "GET /data/foundation/catalog/dataSets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  for (const auto& [name, value] : world.credentials()) request += name + ": " + value + "\r\n";
  const std::string answer = client.ask(request + "\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer.substr(0, 200);
  EXPECT_NE(answer.find(std::string(4000, 'x')), std::string::npos);  // the whole body
}

TEST_F(HttpsTest, StreamsAndFilesComeThroughWhole) {
  for (const auto& [path, end] : {std::pair("file", "23456"), std::pair("stream", "0\r\n\r\n")}) {
    HttpsClient client(server.port(), identity.authority());
    std::string request = std::string("GET /data/foundation/export/") + path + " HTTP/1.1\r\nHost: localhost\r\n" +
                          "Connection: close\r\n";
    for (const auto& [name, value] : world.credentials()) request += name + ": " + value + "\r\n";
    EXPECT_TRUE(client.ask(request + "\r\n").ends_with(end)) << path;
  }
}

TEST_F(HttpsTest, IsNobodyToThoseWhoDoNot) {
  EXPECT_FALSE(HttpsClient(server.port(), {}).trusted());
  TemporaryFolder other;
  EXPECT_FALSE(HttpsClient(server.port(), TlsIdentity(other.path()).authority()).trusted());
}

TEST_F(HttpsTest, SaysNothingInPlainText) {
  TestClient client(server.port());
  const Reply reply = client.send("GET", "/_emulator/clock");
  EXPECT_EQ(reply.status, 0);
}

}  // namespace
}  // namespace emulator
