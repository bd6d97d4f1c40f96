#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emulator {

using Json = nlohmann::json;

/// Header fields by lower-case name; a later field of the same name replaces the earlier one.
using Headers = std::map<std::string, std::string>;

/// One request as the router hands it to a route. Owned by the connection's thread.
struct Request {
  std::string method;
  std::string target;                                      // as sent: path and query, still percent-encoded
  std::string path;                                        // without query, still percent-encoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in the order sent
  Headers headers;
  std::map<std::string, std::string> parameters;  // decoded values of the route's {names}
  std::string body;                               // empty for BodyMode::File
  std::filesystem::path body_file;  // BodyMode::File: the spooled body; removed after the route unless it was moved
  std::uint64_t body_bytes = 0;

  /// First query value of that name; nullopt when it was not sent.
  std::optional<std::string> query_value(std::string_view name) const;
  /// Every query value of that name, in order (`property=` may repeat).
  std::vector<std::string> query_values(std::string_view name) const;
  std::string header(std::string_view lower_case_name) const;   // "" when absent
  const std::string& parameter(const std::string& name) const;  // throws std::out_of_range: a route names its own
};

/// Part of a file on disk, streamed after the headers.
struct FileSlice {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::optional<FileSlice> file;  // instead of `body`
  /// Instead of `body`: called until it returns an empty string; sent chunked. Runs on the connection's thread.
  std::function<std::string()> stream;

  static Response json(int status, const Json& value);
  static Response empty(int status);
};

/// Thrown by a route to answer with an error body; the router turns it into a Response.
struct HttpError {
  Response response;
};

}  // namespace emulator
