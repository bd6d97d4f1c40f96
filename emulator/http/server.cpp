#include "emulator/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "emulator/http/connection.h"

namespace emulator {
namespace {

// Routes run DuckDB queries, which recurse; pages nobody touches cost nothing.
constexpr std::size_t kStack = 2 << 20;
constexpr auto kAnswerTime = std::chrono::milliseconds(1200);  // for answers that are on their way
constexpr auto kLeaveTime = std::chrono::milliseconds(600);    // then for threads to notice that nobody listens

[[noreturn]] void cannot_listen(const ServerOptions& options) {
  throw std::system_error(errno, std::generic_category(),
                          "cannot listen on " + options.address + ":" + std::to_string(options.port));
}

}  // namespace

struct Server::Parts {
  ServerOptions options;
  Front& front;
  int listener = -1;
  std::uint16_t port = 0;
  std::thread acceptor;

  std::mutex mutex;
  std::condition_variable changed;
  std::set<int> sockets;  // of connections whose thread runs
  bool stopping = false;

  Parts(const ServerOptions& what, Front& where) : options(what), front(where) {}

  void listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    if (inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1) {
      errno = EINVAL;
      cannot_listen(options);
    }
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) cannot_listen(options);
    const int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      const int why = errno;
      ::close(listener);
      errno = why;
      cannot_listen(options);
    }
    port = ntohs(address.sin_port);
  }

  void accept_all() {
    for (;;) {
      const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) {
        const std::lock_guard lock(mutex);
        if (stopping) return;
        // Out of descriptors, or the peer was gone already: neither is a reason to stop listening.
        if (errno != EINTR && errno != ECONNABORTED) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      const int yes = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      start(socket);
    }
  }

  struct Start {
    Parts* parts;
    int socket;
  };

  void start(int socket) {
    {
      const std::lock_guard lock(mutex);
      if (stopping || sockets.size() >= options.connections) {
        ::close(socket);
        return;
      }
      sockets.insert(socket);
    }
    auto start = std::make_unique<Start>(Start{this, socket});
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStack);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread{};
    if (pthread_create(&thread, &attributes, &Parts::run, start.get()) == 0)
      start.release();  // NOLINT: the thread owns it now
    else
      finish(socket);
    pthread_attr_destroy(&attributes);
  }

  static void* run(void* argument) {
    const std::unique_ptr<Start> start(static_cast<Start*>(argument));
    serve_connection(start->socket, start->parts->options.tls, start->parts->front);
    start->parts->finish(start->socket);
    return nullptr;
  }

  void finish(int socket) {
    // Closed under the lock: `stop` must never shut down a descriptor that already belongs to something else.
    const std::lock_guard lock(mutex);
    ::close(socket);
    sockets.erase(socket);
    changed.notify_all();
  }
};

Server::Server(const ServerOptions& options, Front& front) : parts_(std::make_unique<Parts>(options, front)) {
  std::signal(SIGPIPE, SIG_IGN);
  parts_->listen();
  parts_->acceptor = std::thread([parts = parts_.get()] { parts->accept_all(); });
}

Server::~Server() {
  stop();
  std::unique_lock lock(parts_->mutex);
  parts_->changed.wait(lock, [&] { return parts_->sockets.empty(); });
}

std::uint16_t Server::port() const { return parts_->port; }

Server::Stopped Server::stop() {
  {
    const std::lock_guard lock(parts_->mutex);
    if (!parts_->stopping) ::shutdown(parts_->listener, SHUT_RDWR);  // wakes accept
    parts_->stopping = true;
    for (const int socket : parts_->sockets) ::shutdown(socket, SHUT_RD);
  }
  parts_->front.interrupt();
  if (parts_->acceptor.joinable()) {
    parts_->acceptor.join();
    ::close(parts_->listener);
  }
  std::unique_lock lock(parts_->mutex);
  const auto idle = [&] { return parts_->sockets.empty(); };
  if (parts_->changed.wait_for(lock, kAnswerTime, idle)) return Stopped::Clean;
  for (const int socket : parts_->sockets) ::shutdown(socket, SHUT_RDWR);
  return parts_->changed.wait_for(lock, kLeaveTime, idle) ? Stopped::Clean : Stopped::StillBusy;
}

}  // namespace emulator
