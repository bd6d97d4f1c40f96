#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "emulator/http/message.h"
#include "emulator/http/router.h"

namespace emulator {

/// How the body of a request is read.
struct Intake {
  BodyMode body = BodyMode::Memory;
  std::uint64_t cap = 32ULL << 20;           // more is answered with 413
  std::filesystem::path spool;               // BodyMode::File: where the body goes
  std::optional<std::uint64_t> reset_after;  // a fault: this many bytes are read, then the connection is reset
};

/// An answer and what happens to it on the way out. Only faults send anything but the whole.
struct Delivery {
  enum class Sending { Whole, CloseSilently, Reset };
  Response response;
  Sending sending = Sending::Whole;
  std::optional<std::uint64_t> truncate_after;  // body bytes; Content-Length still names the whole body
  std::uint64_t bytes_per_second = 0;           // 0 = as fast as the peer reads
};

/// One request from its head to the last byte of its answer. Used by one connection's thread.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;

  virtual Intake intake() const = 0;
  /// Runs the route. May take long: routes work, faults wait.
  virtual Delivery answer(Request& request) = 0;
  virtual Delivery too_large(const Request& request) = 0;
  /// The last thing that happens; not called when the peer went away before there was an answer.
  virtual void sent(std::uint64_t body_bytes) = 0;
};

/// Where connections hand in their requests. Called from many threads at once; outlives the server.
class Front {
 public:
  virtual ~Front() = default;
  /// `head` is complete but for its body.
  virtual std::unique_ptr<Call> arrive(const Request& head) = 0;
  /// The server stops: calls that wait must end now.
  virtual void interrupt() = 0;
  /// Value of the Date header.
  virtual std::string date() const = 0;
};

}  // namespace emulator
