#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/service/descriptor.h"
#include "engine/base/result.h"

namespace audiencesync {

/// Longest request: a command line, and the manifests it names.
inline constexpr std::size_t kLongestRequest = 4U * 1024 * 1024;

/// What an operator's program sends: its words, texts of the files they name, and its own three descriptors.
struct ControlRequest {
  std::vector<std::string> words;
  std::map<std::string, std::string> texts;
  Descriptor in;
  Descriptor out;
  Descriptor err;
};

/// Sends a request over a connected socket. Errors: Io.
Result<void> send_request(int socket, const std::vector<std::string>& words,
                          const std::map<std::string, std::string>& texts);

/// Reads what a peer sends, piece by piece, without waiting.
class RequestReader {
 public:
  /// The request when it is complete, nullopt when more is to come. Errors: Corrupt, Io; NotFound when the peer left.
  Result<std::optional<ControlRequest>> read(int socket);

 private:
  std::string bytes_;
  std::vector<Descriptor> descriptors_;
};

/// The end of a command: its exit code, as one line.
Result<void> send_answer(int socket, int code);
/// Waits for it. Errors: NotFound when the daemon left without one, Io, Interrupted by a signal.
Result<int> receive_answer(int socket);

}  // namespace audiencesync
