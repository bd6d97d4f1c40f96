#pragma once

#include <filesystem>
#include <memory>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace emulator {

/// The emulator's own certificate authority and the certificate of its servers, for localhost, 127.0.0.1 and ::1.
///
/// Made when the folder holds none (a few milliseconds: elliptic keys), kept afterwards, so that a client may pin the
/// authority across restarts. Keys are readable by the owner only. One identity serves HTTPS and PostgreSQL.
/// Throws std::runtime_error when the folder cannot be written or holds something else. Thread-safe once built.
class TlsIdentity {
 public:
  explicit TlsIdentity(const std::filesystem::path& folder);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  /// PEM file of the authority: what `sslrootcert=` and `--cacert` want.
  std::filesystem::path authority() const;
  /// Server side, TLS 1.2 and later. Lives as long as this object.
  ssl_ctx_st* context() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
