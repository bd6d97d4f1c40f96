#include "emulator/tls/identity.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace emulator {
namespace {

template <class T, void (*kFree)(T*)>
struct OpenSslFree {
  void operator()(T* value) const { kFree(value); }
};
using Key = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, OpenSslFree<X509, X509_free>>;

constexpr long kDay = 24L * 3600;
constexpr long kLifetime = 3650 * kDay;

enum class Role { Authority, Server };

[[noreturn]] void tls_failure(const std::string& what) {
  throw std::runtime_error("TLS identity: " + what + " did not work");
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  if (extension == nullptr) tls_failure("an extension of a certificate");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate signed_certificate(Role role, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  Certificate made(X509_new());
  X509* certificate = made.get();
  X509_set_version(certificate, 2);
  // Random, because a client that kept an older authority of the same name must not mix the two up.
  std::uint64_t serial = 0;
  const int file = ::open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0 || ::read(file, &serial, sizeof serial) != static_cast<ssize_t>(sizeof serial))
    tls_failure("randomness");
  ::close(file);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U);
  // The machine's clock, not the emulator's: it is the machine of the client that judges.
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kLifetime);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  const char* text = role == Role::Authority ? "audiencesync-emulator authority" : "localhost";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  X509* by = role == Role::Authority ? certificate : issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(by));
  add_extension(certificate, by, NID_subject_key_identifier, "hash");
  if (role == Role::Authority) {
    add_extension(certificate, by, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(certificate, by, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate, by, NID_authority_key_identifier, "keyid");
    add_extension(certificate, by, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, by, NID_key_usage, "critical,digitalSignature");
    add_extension(certificate, by, NID_ext_key_usage, "serverAuth");
    add_extension(certificate, by, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  }
  if (X509_sign(certificate, issuer_key, EVP_sha256()) == 0) tls_failure("signing a certificate");
  return made;
}

/// The key goes before the certificate in one file: who sees the certificate has the key.
template <class Write>
void write_pem(const std::filesystem::path& path, Write write) {
  const std::string fresh = path.string() + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) tls_failure("writing " + fresh);
  BIO* out = BIO_new_fd(file, BIO_CLOSE);
  const bool good = write(out) == 1 && BIO_flush(out) == 1;
  BIO_free(out);
  if (!good) tls_failure("writing " + fresh);
  std::filesystem::rename(fresh, path);
}

void make_identity(const std::filesystem::path& authority, const std::filesystem::path& server) {
  const Key authority_key(EVP_EC_gen("P-256"));
  const Key server_key(EVP_EC_gen("P-256"));
  if (!authority_key || !server_key) tls_failure("making a key");
  const Certificate ca = signed_certificate(Role::Authority, authority_key.get(), nullptr, authority_key.get());
  const Certificate leaf = signed_certificate(Role::Server, server_key.get(), ca.get(), authority_key.get());
  // The authority's key is not kept: nothing else shall ever be signed in its name.
  write_pem(authority, [&](BIO* out) { return PEM_write_bio_X509(out, ca.get()); });
  write_pem(server, [&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, server_key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1
               ? PEM_write_bio_X509(out, leaf.get())
               : 0;
  });
}

}  // namespace

struct TlsIdentity::Parts {
  std::filesystem::path authority;
  std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX, SSL_CTX_free>> context;
};

TlsIdentity::TlsIdentity(const std::filesystem::path& folder) : parts_(std::make_unique<Parts>()) {
  std::filesystem::create_directories(folder);
  parts_->authority = folder / "ca.pem";
  const std::filesystem::path server = folder / "server.pem";
  // The server's file is written last: when it is there, the pair is whole.
  if (!std::filesystem::exists(server)) make_identity(parts_->authority, server);
  parts_->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = parts_->context.get();
  if (context == nullptr) tls_failure("a context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (SSL_CTX_use_certificate_chain_file(context, server.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, server.c_str(), SSL_FILETYPE_PEM) != 1)
    tls_failure("reading " + server.string());
}

TlsIdentity::~TlsIdentity() = default;

std::filesystem::path TlsIdentity::authority() const { return parts_->authority; }

ssl_ctx_st* TlsIdentity::context() const { return parts_->context.get(); }

}  // namespace emulator
