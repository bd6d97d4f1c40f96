#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <memory>

#include "engine/http/curl/curl_transport.h"
#include "tests/http/raw_server.h"

namespace audiencesync::http {
namespace {

/// A fresh self-signed certificate for one name, and a server context that uses it.
class Identity {
 public:
  explicit Identity(const std::string& subject_name)
      : path_(testing::TempDir() + "http_tls_" + std::to_string(getpid()) + ".pem") {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject_name.c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());

    std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_file(path_.c_str(), "w"), BIO_free);
    PEM_write_bio_X509(file.get(), certificate);
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Identity() {
    SSL_CTX_free(context_);
    ::unlink(path_.c_str());
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  SSL_CTX* context() const { return context_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  SSL_CTX* context_ = nullptr;
};

class TlsTest : public testing::Test {
 protected:
  /// What a call to a server with that certificate ends in; `requests` counts what reached it.
  std::string call(const std::string& certified_name, bool trusted) {
    const Identity identity(certified_name);
    RawServer server(
        [&](Peer& peer, int) {
          RawRequest request;
          if (!peer.read(request)) return;
          ++requests;
          peer.reply(200, "secret");
        },
        identity.context());
    CurlTransport transport({.ca_file = trusted ? Path(identity.path()) : Path()});
    const auto outcome = transport.exchange({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/"}, {});
    if (const auto* response = std::get_if<Response>(&outcome)) return std::to_string(response->status);
    const auto& failure = std::get<Failure>(outcome);
    return std::string(failure.progress == Progress::Sent ? "sent " : "not sent ") + to_string(failure.error.code());
  }

  std::atomic<int> requests = 0;
};

TEST_F(TlsTest, SpeaksToATrustedServer) {
  EXPECT_EQ(call("IP:127.0.0.1", true), "200");
  EXPECT_EQ(requests, 1);
}

TEST_F(TlsTest, SendsNothingToAnUntrustedServer) {
  EXPECT_EQ(call("IP:127.0.0.1", false), "not sent refused");
  EXPECT_EQ(requests, 0);
}

TEST_F(TlsTest, SendsNothingToAServerOfAnotherName) {
  EXPECT_EQ(call("DNS:platform.example", true), "not sent refused");
  EXPECT_EQ(requests, 0);
}

TEST_F(TlsTest, AMissingCaFileIsNoReasonToTrust) {
  CurlTransport transport({.ca_file = "/nonexistent/ca.pem"});
  const auto outcome = transport.exchange({.url = "https://127.0.0.1:" + std::to_string(closed_port()) + "/"}, {});
  ASSERT_TRUE(std::holds_alternative<Failure>(outcome));
  EXPECT_EQ(std::get<Failure>(outcome).progress, Progress::NotSent);
}

}  // namespace
}  // namespace audiencesync::http
