#include "tests/http/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <stdexcept>

namespace audiencesync::http {
namespace {

int listen_on_loopback(int& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket < 0 || ::bind(socket, generic, length) != 0 || ::listen(socket, 512) != 0 ||
      ::getsockname(socket, generic, &length) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  port = ntohs(address.sin_port);
  return socket;
}

}  // namespace

int closed_port() {
  int port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

long Peer::receive(char* into, std::size_t room) {
  if (tls_ != nullptr) return SSL_read(tls_, into, static_cast<int>(room));
  return ::recv(socket_, into, room, 0);
}

bool Peer::read_head(RawRequest& request) {
  std::size_t end = 0;
  while ((end = ahead_.find("\r\n\r\n")) == std::string::npos) {
    char block[4096];
    const auto count = receive(block, sizeof block);
    if (count <= 0) return false;
    ahead_.append(block, static_cast<std::size_t>(count));
  }
  std::string head = ahead_.substr(0, end + 2);
  ahead_.erase(0, end + 4);
  request = {};
  std::size_t at = head.find("\r\n");
  const std::string first = head.substr(0, at);
  request.method = first.substr(0, first.find(' '));
  request.target = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
  for (at += 2; at < head.size();) {
    const auto line_end = head.find("\r\n", at);
    const auto colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto value = head.find_first_not_of(' ', colon + 1);
    request.headers[name] = head.substr(value, line_end - value);
    at = line_end + 2;
  }
  return true;
}

bool Peer::read_body(RawRequest& request) {
  const auto text = request.header("content-length");
  std::size_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  if (request.header("expect") == "100-continue") send("HTTP/1.1 100 Continue\r\n\r\n");
  while (ahead_.size() < size) {
    char block[65536];
    const auto count = receive(block, sizeof block);
    if (count <= 0) return false;
    ahead_.append(block, static_cast<std::size_t>(count));
  }
  request.body = ahead_.substr(0, size);
  ahead_.erase(0, size);
  return true;
}

void Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                       : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Peer::reply(int status, std::string_view body, const std::string& more_headers) {
  send("HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
       more_headers + "\r\n" + std::string(body));
}

void Peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Peer::wait_for_end() {
  char block[4096];
  while (receive(block, sizeof block) > 0) {
  }
}

RawServer::RawServer(Handler handler, SSL_CTX* tls) : handler_(std::move(handler)), tls_(tls) {
  if (tls_ != nullptr) ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  listener_ = listen_on_loopback(port_);
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::scoped_lock lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

int RawServer::connections() {
  const std::scoped_lock lock(mutex_);
  return count_;
}

void RawServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::scoped_lock lock(mutex_);
    open_.push_back(socket);
    threads_.emplace_back([this, socket, number = count_++] { serve(socket, number); });
  }
}

void RawServer::serve(int socket, int number) {
  SSL* tls = nullptr;
  if (tls_ != nullptr) {
    tls = SSL_new(tls_);
    SSL_set_fd(tls, socket);
  }
  if (tls == nullptr || SSL_accept(tls) == 1) {
    Peer peer(socket, tls);
    handler_(peer, number);
  }
  if (tls != nullptr) SSL_free(tls);
  const std::scoped_lock lock(mutex_);
  std::erase(open_, socket);
  ::close(socket);
}

}  // namespace audiencesync::http
