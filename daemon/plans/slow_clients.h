#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace audiencesync {

/// Ends connections to one port of this process whose client takes too long over its request.
///
/// The HTTP library bounds the time between two pieces of a request, not the request: a client that sends its header a
/// letter at a time would hold a thread for hours. Sleeps while nobody is connected. Thread-safe.
class SlowClients {
 public:
  using Duration = std::chrono::milliseconds;

  /// `patience` is for everything between the connection, or the last answer, and the end of a request.
  explicit SlowClients(Duration patience) : patience_(patience) {}
  ~SlowClients() { stop(); }
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  void watch(int port);
  void stop();
  /// Somebody has connected, or soon will have.
  void arrived();

  /// While it lives the client has asked, and waits for us: it is nobody who is slow.
  class Answering {
   public:
    Answering(SlowClients& clients, const std::string& address, int port);
    ~Answering();
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;

   private:
    SlowClients& clients_;
    const std::string client_;
  };

 private:
  struct Seen {
    int descriptor = -1;
    std::chrono::steady_clock::time_point since{};
  };
  void run();
  bool look();

  const Duration patience_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool somebody_ = false;
  std::map<std::string, Seen> seen_;  // by address of the client
  std::set<std::string> answering_;
  std::thread thread_;
};

}  // namespace audiencesync
