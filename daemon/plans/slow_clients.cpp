#include "daemon/plans/slow_clients.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <vector>

namespace audiencesync {
namespace {

using Endpoint = std::pair<std::string, int>;

std::optional<Endpoint> endpoint_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    return Endpoint{text.data(), ntohs(in.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    return Endpoint{text.data(), ntohs(in.sin6_port)};
  }
  return std::nullopt;
}

std::string client_text(const std::string& address, int port) { return fmt::format("{} {}", address, port); }

/// The client of a connection to `port`; nullopt for any other descriptor.
std::optional<std::string> client_of(int descriptor, int port) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  const auto here = endpoint_of(address);
  if (!here || here->second != port) return std::nullopt;
  size = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  const auto there = endpoint_of(address);
  if (!there) return std::nullopt;
  return client_text(there->first, there->second);
}

std::vector<int> open_descriptors() {
  std::vector<int> open;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failure)) {
    const auto name = entry.path().filename().string();
    int number = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc()) open.push_back(number);
  }
  return open;
}

}  // namespace

SlowClients::Answering::Answering(SlowClients& clients, const std::string& address, int port)
    : clients_(clients), client_(client_text(address, port)) {
  const std::lock_guard lock(clients_.mutex_);
  clients_.answering_.insert(client_);
}

SlowClients::Answering::~Answering() {
  const std::lock_guard lock(clients_.mutex_);
  clients_.answering_.erase(client_);
  // Its next request has as much time as its first.
  if (const auto found = clients_.seen_.find(client_); found != clients_.seen_.end())
    found->second.since = std::chrono::steady_clock::now();
}

void SlowClients::watch(int port) {
  port_ = port;
  thread_ = std::thread([this] { run(); });
}

void SlowClients::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SlowClients::arrived() {
  {
    const std::lock_guard lock(mutex_);
    if (somebody_) return;
    somebody_ = true;
  }
  changed_.notify_all();
}

void SlowClients::run() {
  const auto pause = std::max(patience_ / 10, Duration(10));
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [&] { return stopping_ || somebody_; });
    if (stopping_) return;
    // Before the look, so that who comes meanwhile is looked at again.
    somebody_ = false;
    if (look()) somebody_ = true;
    changed_.wait_for(lock, pause, [&] { return stopping_; });
  }
}

// True while somebody is connected.
bool SlowClients::look() {
  const auto now = std::chrono::steady_clock::now();
  std::map<std::string, Seen> there;
  for (const int descriptor : open_descriptors()) {
    const auto client = client_of(descriptor, port_);
    if (!client) continue;
    const auto before = seen_.find(*client);
    const bool known = before != seen_.end() && before->second.descriptor == descriptor;
    auto& seen = there[*client];
    seen = {descriptor, known ? before->second.since : now};
    // Its thread reads the end of the connection then, and closes it.
    if (now - seen.since >= patience_ && !answering_.contains(*client)) ::shutdown(descriptor, SHUT_RDWR);
  }
  seen_ = std::move(there);
  return !seen_.empty();
}

}  // namespace audiencesync
