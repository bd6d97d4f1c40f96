#include "emulator/query/pg_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <list>
#include <system_error>
#include <thread>

#include "emulator/query/pg_connection.h"

namespace emulator {

struct PgServer::Parts {
  struct Peer {
    int socket = -1;
    std::atomic<bool> done{false};
    std::thread thread;
  };

  ServerOptions options;
  PgTerms terms;
  PgSessions sessions;
  int listener = -1;
  std::uint16_t port = 0;
  std::mutex mutex;
  std::list<Peer> peers;
  bool stopping = false;
  std::thread acceptor;

  Parts(const ServerOptions& what, PgTerms with) : options(what), terms(std::move(with)) {}

  void listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    socklen_t size = sizeof address;
    if (listener < 0 || ::inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1 ||
        ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      const int why = errno;
      if (listener >= 0) ::close(listener);
      throw std::system_error(why, std::generic_category(),
                              "cannot listen on " + options.address + ":" + std::to_string(options.port));
    }
    port = ntohs(address.sin_port);
  }

  void accept_all() {
    for (;;) {
      const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(mutex);
      if (stopping) {
        if (socket >= 0) ::close(socket);
        return;
      }
      reap();
      if (socket < 0) {
        if (errno != EINTR && errno != ECONNABORTED) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      if (peers.size() >= options.connections) {
        ::close(socket);
        continue;
      }
      const int yes = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      Peer& peer = peers.emplace_back();
      peer.socket = socket;
      peer.thread = std::thread([this, &peer] { serve(peer); });
    }
  }

  void serve(Peer& peer) {
    try {
      PgConnection(peer.socket, terms, sessions).serve();
    } catch (const std::exception& error) {
      // Out of memory, or a start that is no PostgreSQL: this connection ends, the others go on.
      std::fprintf(stderr, "query service: %s\n", error.what());
    }
    ::shutdown(peer.socket, SHUT_RDWR);  // closed when it is reaped, so that the number belongs to nobody else
    peer.done = true;
  }

  void reap() {
    for (auto peer = peers.begin(); peer != peers.end();) {
      if (!peer->done) {
        ++peer;
        continue;
      }
      peer->thread.join();
      ::close(peer->socket);
      peer = peers.erase(peer);
    }
  }
};

PgServer::PgServer(const ServerOptions& options, PgTerms terms)
    : parts_(std::make_unique<Parts>(options, std::move(terms))) {
  std::signal(SIGPIPE, SIG_IGN);
  parts_->listen();
  parts_->acceptor = std::thread([parts = parts_.get()] { parts->accept_all(); });
}

PgServer::~PgServer() { stop(); }

std::uint16_t PgServer::port() const { return parts_->port; }

void PgServer::stop() {
  {
    const std::lock_guard lock(parts_->mutex);
    if (!parts_->stopping) ::shutdown(parts_->listener, SHUT_RDWR);
    parts_->stopping = true;
    for (auto& peer : parts_->peers) ::shutdown(peer.socket, SHUT_RDWR);
  }
  parts_->sessions.cancel_all();
  if (!parts_->acceptor.joinable()) return;
  parts_->acceptor.join();
  ::close(parts_->listener);
  for (auto& peer : parts_->peers) {
    peer.thread.join();
    ::close(peer.socket);
  }
  parts_->peers.clear();
}

}  // namespace emulator
