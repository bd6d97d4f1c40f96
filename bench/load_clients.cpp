// Many clients at once against one HTTP server, from one thread, so that the server keeps the processor.
//
// usage: bench_load PORT CLIENTS SECONDS HEADERS PATH...
//
// HEADERS is a file of header lines. Each client keeps its connection and asks for the paths in turn, the next as soon
// as the answer is whole. Prints answers a second, the median and the 99th percentile of their times in milliseconds,
// and how many answers were not 200; a connection that breaks ends the run.

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Client {
  int socket = -1;
  std::size_t next = 0;  // which request comes next
  std::string answer;
  Clock::time_point asked;
};

struct Tally {
  std::vector<double> times;  // milliseconds
  std::uint64_t others = 0;   // answers that were not 200
};

template <class Number>
Number number_of(std::string_view text, const char* what) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number == 0)
    throw std::runtime_error(fmt::format("{} '{}' is no number above 0", what, text));
  return number;
}

int connected(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error(fmt::format("nobody listens on port {}", port));
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

std::vector<std::string> requests_of(const char* headers, char** first, char** last) {
  std::ifstream in(headers);
  std::string lines;
  for (std::string line; std::getline(in, line);) lines += line + "\r\n";
  std::vector<std::string> requests;
  for (; first != last; ++first)
    requests.push_back(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", *first, lines));
  return requests;
}

/// Whether the answer is whole. The small answers of the emulator all say their length.
bool whole(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  std::string head = answer.substr(0, end + 2);
  std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::string_view kLength = "\r\ncontent-length: ";
  const std::size_t at = head.find(kLength);
  if (at == std::string::npos) throw std::runtime_error("an answer without Content-Length: " + head);
  std::size_t length = 0;
  std::from_chars(head.data() + at + kLength.size(), head.data() + head.size(), length);
  return answer.size() >= end + 4 + length;
}

void ask(Client& client, const std::vector<std::string>& requests) {
  const std::string& request = requests[client.next++ % requests.size()];
  client.answer.clear();
  client.asked = Clock::now();
  // A kilobyte always fits into the empty buffer of a connection that was answered.
  if (::send(client.socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    throw std::runtime_error("a connection broke");
}

Tally run(std::vector<Client>& clients, const std::vector<std::string>& requests, Clock::time_point end) {
  Tally tally;
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].socket, &event);
    clients[i].next = i;
    ask(clients[i], requests);
  }
  std::array<epoll_event, 64> events{};
  std::array<char, 65536> block{};
  while (Clock::now() < end) {
    const int ready = ::epoll_wait(poll, events.data(), events.size(), 100);
    for (int i = 0; i < ready; ++i) {
      Client& client = clients[events[static_cast<std::size_t>(i)].data.u64];
      const ssize_t got = ::recv(client.socket, block.data(), block.size(), 0);
      if (got <= 0) throw std::runtime_error("the server closed a connection");
      client.answer.append(block.data(), static_cast<std::size_t>(got));
      if (!whole(client.answer)) continue;
      tally.times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - client.asked).count());
      if (!client.answer.starts_with("HTTP/1.1 200 ")) ++tally.others;
      ask(client, requests);
    }
  }
  ::close(poll);
  return tally;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 6) throw std::runtime_error("usage: bench_load PORT CLIENTS SECONDS HEADERS PATH...");
  const auto port = number_of<std::uint16_t>(argv[1], "port");
  const std::chrono::seconds time(number_of<int>(argv[3], "seconds"));
  const std::vector<std::string> requests = requests_of(argv[4], argv + 5, argv + argc);
  std::vector<Client> clients(number_of<std::size_t>(argv[2], "clients"));
  for (Client& client : clients) client.socket = connected(port);
  const auto begin = Clock::now();
  Tally tally = run(clients, requests, begin + time);
  const std::chrono::duration<double> took = Clock::now() - begin;
  for (const Client& client : clients) ::close(client.socket);
  if (tally.times.empty()) throw std::runtime_error("no answer came");
  std::sort(tally.times.begin(), tally.times.end());
  const auto share = [&](double part) {
    return tally.times[static_cast<std::size_t>(part * (tally.times.size() - 1))];
  };
  fmt::print("{:.0f} {:.1f} {:.1f} {}\n", tally.times.size() / took.count(), share(0.5), share(0.99), tally.others);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_load: {}\n", error.what());
  return 1;
}
