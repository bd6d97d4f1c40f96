#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

#include "engine/base/result.h"

namespace audiencesync::sql {

/// Waits for a socket, a moment, and a stop token at once.
class SocketWait {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  enum class For { Reading, Writing, Either };
  enum class Event { Ready, Late, Stopped };

  /// Errors: Io when the system has no file descriptor left.
  static Result<std::unique_ptr<SocketWait>> make(std::stop_token stop, Moment until);
  ~SocketWait();
  SocketWait(const SocketWait&) = delete;
  SocketWait& operator=(const SocketWait&) = delete;

  /// A stop or a moment that was reported once is not reported again: from then on only the new moment counts.
  Event wait(int socket, For what);
  void extend(Moment until);

 private:
  struct Wake {
    int descriptor;
    void operator()() const;
  };
  SocketWait(int descriptor, std::stop_token stop, Moment until);

  const int descriptor_;
  Moment until_;
  bool heed_stop_ = true;
  std::optional<std::stop_callback<Wake>> callback_;
};

}  // namespace audiencesync::sql
