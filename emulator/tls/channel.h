#pragma once

#include <cstddef>
#include <string_view>

#include "emulator/tls/identity.h"

struct ssl_st;  // OpenSSL's SSL

namespace emulator {

/// Bytes in and out of one socket, plain at first and inside TLS after `secure`. Used by one thread at a time.
///
/// Takes no ownership of the socket. SIGPIPE must be ignored, as servers do: OpenSSL writes as plain files are. Another
/// thread ends a waiting `read` with ::shutdown on the socket.
class Channel {
 public:
  explicit Channel(int socket) : socket_(socket) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// The server's half of the handshake; false when the peer does not manage it.
  bool secure(const TlsIdentity& identity);
  bool secured() const { return tls_ != nullptr; }

  /// At least one byte, at most `most`; 0 at the end of the stream or when the peer is gone.
  std::size_t read(char* into, std::size_t most);
  /// All of it, or false when the peer is gone.
  bool write(std::string_view bytes);

 private:
  int socket_;
  ssl_st* tls_ = nullptr;
};

}  // namespace emulator
