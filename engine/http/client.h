#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/http/message.h"

namespace audiencesync::http {

struct Download {
  std::uint64_t bytes = 0;
  std::string request_id;
};

/// Calls that have no effect on the platform.
///
/// Requests are completed with the organisation's header fields, authorised, rate-limited and retried as their
/// `Repeat` allows. Answers outside 2xx and `Request::expected` come back as an Error whose code says what may help:
/// NotFound 404 · Conflict 409, 412 · Authentication 401 after one renewal · Permission 403 · Rejected other 4xx ·
/// Unavailable 429, 5xx or network after all retries · Timeout past a deadline · Unknown for a `Once` request
/// whose effect cannot be excluded. Thread-safe; blocks the calling thread.
class ReadClient {
 public:
  virtual ~ReadClient() = default;
  /// `request.method` must be Get or Head, or a Post in the table of posts that only read (read_only_posts.h);
  /// anything else is Internal.
  virtual Result<Response> read(const Request& request) = 0;
  /// Puts the body of a GET into `target` (through `target`.part, which is resumed with Range), checks that it has
  /// exactly `size` bytes, syncs and renames. A server that ignores Range makes it start over.
  virtual Result<Download> download(const Request& request, const Path& target, std::uint64_t size) = 0;
};

/// Calls that change the platform. A stage sees one only inside `WriteContext::once`.
class WriteClient {
 public:
  virtual ~WriteClient() = default;
  virtual Result<Response> write(const Request& request) = 0;
};

}  // namespace audiencesync::http
