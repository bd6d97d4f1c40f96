#include "emulator/tls/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace emulator {
namespace {

constexpr std::size_t kLargestWrite = 1 << 20;

}  // namespace

Channel::~Channel() {
  if (tls_ == nullptr) return;
  SSL_shutdown(tls_);  // says goodbye, waits for nothing
  SSL_free(tls_);
  ERR_clear_error();
}

bool Channel::secure(const TlsIdentity& identity) {
  ssl_st* tls = SSL_new(identity.context());
  if (tls == nullptr) return false;
  if (SSL_set_fd(tls, socket_) != 1 || SSL_accept(tls) != 1) {
    SSL_free(tls);
    ERR_clear_error();
    return false;
  }
  tls_ = tls;
  return true;
}

std::size_t Channel::read(char* into, std::size_t most) {
  for (;;) {
    if (tls_ != nullptr) {
      std::size_t count = 0;
      if (SSL_read_ex(tls_, into, most, &count) == 1) return count;
      ERR_clear_error();
      return 0;
    }
    const ssize_t count = ::recv(socket_, into, most, 0);
    if (count < 0 && errno == EINTR) continue;
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
}

bool Channel::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    const std::size_t most = std::min(bytes.size(), kLargestWrite);
    if (tls_ != nullptr) {
      if (SSL_write_ex(tls_, bytes.data(), most, &count) != 1) {
        ERR_clear_error();
        return false;
      }
    } else {
      const ssize_t sent = ::send(socket_, bytes.data(), most, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      count = static_cast<std::size_t>(sent);
    }
    bytes.remove_prefix(count);
  }
  return true;
}

}  // namespace emulator
