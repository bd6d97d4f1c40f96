#pragma once

#include <optional>
#include <string>
#include <vector>

namespace audiencesync {

/// What kind of failure it is: decides the exit code and whether another run may help, never the wording.
enum class ErrorCode {
  Usage,        // the command line
  Invalid,      // a manifest, the settings or other input
  Unsupported,  // known to the design, not in this version
  NotFound,
  Conflict,  // the object moved since it was observed: observe and plan again
  Refused,   // we could, but must not: guard, another writer, foreign object
  Authentication,
  Permission,
  Locked,
  Rejected,     // the platform read the request and said no
  Unavailable,  // passing: network, throttling, 5xx after all retries
  Timeout,      // a deadline of ours passed
  NotFinished,  // the platform is still working; nothing is wrong
  Unknown,      // a call that may or may not have had its effect
  Corrupt,      // bytes that fail their checksum or format
  Io,
  NoSpace,
  Interrupted,
  Internal,
};

const char* to_string(ErrorCode code);

/// Where in a text file something is; line and column count from 1, 0 means unknown.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  std::string text() const;  // file:line:column, as far as known
  friend bool operator==(const Place&, const Place&) = default;
};

/// A failure with an address. Movable value; the message never holds a secret or a person id.
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::optional<Place>& place() const { return place_; }
  /// The platform's id of the failed exchange, "" when there was none. Support asks for it.
  const std::string& request_id() const { return request_id_; }

  Error at(Place place) &&;
  Error with_request_id(std::string id) &&;
  /// Adds the frame around what is already there: `plan`, then `dataset/orders`.
  Error in(std::string frame) &&;

  /// One line: place, frames from outermost to innermost, message, request id.
  std::string text() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::optional<Place> place_;
  std::vector<std::string> frames_;  // innermost first
  std::string request_id_;
};

}  // namespace audiencesync
