#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/http/message.h"

namespace audiencesync::http {

/// One attempt of one call, as it may appear in logs and metrics: no header, no body, no query.
struct CallRecord {
  Method method = Method::Get;
  Service service = Service::Platform;
  std::string path{};  // without the query: its values may hold names
  int status = 0;      // 0: no answer, see `failure`
  std::optional<ErrorCode> failure{};
  int attempt = 1;
  Duration duration{0};
  std::uint64_t bytes_out = 0;  // of the body
  std::uint64_t bytes_in = 0;   // of the body, decoded
  std::string request_id{};
};

/// Told of every attempt, after it ended and before the next one. Called from every calling thread at once; must not
/// call back into the client.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void attempted(const CallRecord& record) = 0;
};

}  // namespace audiencesync::http
