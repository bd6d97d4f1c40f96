#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/base/value.h"

namespace audiencesync::http {

enum class Method { Get, Head, Post, Put, Patch, Delete };
const char* to_string(Method method);

/// What a repetition would do; retry obeys only this.
enum class Repeat {
  Read,        // no effect on the platform
  Repeatable,  // has an effect, the same one however often (PUT of a file, COMPLETE of a batch)
  Once,        // would have it twice: never repeated when the first may have arrived (see `ErrorCode::Unknown`)
};

/// Which host a request goes to and which rate limit it counts against.
enum class Service { Identity, Platform, Analytics };
const char* to_string(Service service);

/// Reads a body from its beginning.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Fills `into`; 0 at the end.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

/// A body that can be sent again: a 401 in the middle of a large upload replays it from the start.
struct Body {
  std::uint64_t size = 0;
  std::function<Result<std::unique_ptr<BodyReader>>()> open{};  // empty: no body
  std::string content_type{};

  static Body none() { return {}; }
  static Body text(std::string content, std::string content_type);
  static Body json(const Value& value, std::string content_type = "application/json");
  /// Streams a file of that size; it must not change while the request runs, and `files` outlives the body.
  static Body file(const Files& files, Path path, std::uint64_t size, std::string content_type);
};

using Query = std::vector<std::pair<std::string, std::string>>;  // not yet encoded, sent in this order
using Headers = std::map<std::string, std::string>;              // names in lower case

struct Request {
  Method method = Method::Get;
  Service service = Service::Platform;
  std::string path{};  // starts with '/', percent-encoded where needed (see encode_segment)
  Query query{};
  Headers headers{};
  Body body{};
  Repeat repeat = Repeat::Read;
  /// For one attempt, connection included; 0 takes the client's default.
  Duration deadline{0};
  /// Answers that are no error for this call, beside every 2xx: 404 where absence is an answer.
  std::vector<int> expected{};
};

struct Response {
  int status = 0;
  Headers headers{};
  std::string body{};
  std::string request_id{};

  /// The body as JSON. Errors: Corrupt with the status and the request id, never with the body.
  Result<Value> json() const;
};

/// Percent-encodes everything but unreserved characters: for ids in paths (a schema's `$id` is a URL).
std::string encode_segment(std::string_view text);

}  // namespace audiencesync::http
