#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "emulator/tls/channel.h"

namespace emulator {
namespace {

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string name = (std::filesystem::temp_directory_path() / "emulator-tls-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  std::string authority_text() const {
    std::ifstream in(folder_ / "ca.pem");
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  /// What OpenSSL's own client says about the server when it trusts the authority and expects `host`.
  long verdict(const TlsIdentity& identity, const std::string& host, std::string* echo) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    std::thread server([&] {
      Channel channel(ends[0]);
      std::array<char, 64> text{};
      if (channel.secure(identity)) {
        const std::size_t count = channel.read(text.data(), text.size());
        channel.write({text.data(), count});
      }
      ::shutdown(ends[0], SHUT_RDWR);
    });
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    EXPECT_EQ(SSL_CTX_load_verify_locations(context, identity.authority().c_str(), nullptr), 1);
    SSL* client = SSL_new(context);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(client), host.c_str());
    SSL_set_fd(client, ends[1]);
    SSL_connect(client);
    const long result = SSL_get_verify_result(client);
    std::array<char, 64> text{};
    SSL_write(client, "hello", 5);
    const int count = SSL_read(client, text.data(), text.size());
    if (count > 0) echo->assign(text.data(), static_cast<std::size_t>(count));
    SSL_free(client);
    SSL_CTX_free(context);
    server.join();
    ::close(ends[0]);
    ::close(ends[1]);
    return result;
  }

  std::filesystem::path folder_;
};

TEST_F(TlsTest, AClientThatTrustsTheAuthorityAcceptsLoopbackAndNothingElse) {
  const TlsIdentity identity(folder_);
  std::string echo;
  EXPECT_EQ(verdict(identity, "127.0.0.1", &echo), X509_V_OK);
  EXPECT_EQ(echo, "hello");
  EXPECT_EQ(verdict(identity, "::1", &echo), X509_V_OK);
  EXPECT_EQ(verdict(identity, "10.0.0.1", &echo), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST_F(TlsTest, IsKeptAcrossRestartsAndItsKeyIsTheOwnersAlone) {
  { const TlsIdentity first(folder_); }
  const std::string before = authority_text();
  { const TlsIdentity second(folder_); }
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(authority_text(), before);
  const auto rights = std::filesystem::status(folder_ / "server.pem").permissions();
  EXPECT_EQ(rights & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

}  // namespace
}  // namespace emulator
