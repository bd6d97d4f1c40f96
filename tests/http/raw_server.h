#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/http/message.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace audiencesync::http {

struct RawRequest {
  std::string method;
  std::string target;
  Headers headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
  }
};

/// One connection of a RawServer, blocking.
class Peer {
 public:
  Peer(int socket, SSL* tls) : socket_(socket), tls_(tls) {}

  /// The head of the next request; false when the client went away.
  bool read_head(RawRequest& request);
  /// Its body, as `content-length` announces it.
  bool read_body(RawRequest& request);
  bool read(RawRequest& request) { return read_head(request) && read_body(request); }
  void send(std::string_view bytes);
  /// A whole answer with its length.
  void reply(int status, std::string_view body, const std::string& more_headers = {});
  /// Ends the connection with a reset, so that bytes on their way are lost.
  void reset();
  /// Blocks until the client closes, or the server ends.
  void wait_for_end();

 private:
  long receive(char* into, std::size_t room);

  int socket_;
  SSL* tls_;
  std::string ahead_;  // read past the last request
};

/// A server on loopback that does byte by byte what a test says; one thread per connection.
class RawServer {
 public:
  using Handler = std::function<void(Peer&, int connection)>;

  /// `connection` counts from 0 in the order of acceptance; the connection ends with the handler.
  explicit RawServer(Handler handler, SSL_CTX* tls = nullptr);
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer();

  int port() const { return port_; }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int connections();

 private:
  void accept_all();
  void serve(int socket, int number);

  Handler handler_;
  SSL_CTX* tls_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::list<std::thread> threads_;
  int count_ = 0;
  std::thread acceptor_;
};

/// A port of loopback on which nobody listens.
int closed_port();

}  // namespace audiencesync::http
