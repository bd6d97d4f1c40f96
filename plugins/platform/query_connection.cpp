#include "plugins/platform/query_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

constexpr std::int64_t kLargestPort = 65535;

/// A name or an IP address: libpq takes a path for a socket, and a comma for a list.
bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == ':';
         });
}

}  // namespace

Result<QueryConnection> query_connection(http::ReadClient& client) {
  constexpr const char* kFrame = "Query Service's connection parameters";
  const auto answer = TRY(read_json(client, get("/data/foundation/query/connection_parameters")).in(kFrame));
  const auto damaged = [&](const std::string& what) {
    return Error(ErrorCode::Corrupt, "the answer of the platform " + what).in(kFrame);
  };
  QueryConnection found;
  found.host = answer.text("host");
  if (!is_host(found.host)) return damaged("names no host to connect to");
  const auto port = answer.number("port");
  if (!port || *port < 1 || *port > kLargestPort) return damaged("names no port to connect to");
  found.port = static_cast<std::uint16_t>(*port);
  found.database = answer.text("dbName");
  found.user = answer.text("username");
  found.token = Secret(answer.text("token"));
  if (found.database.empty() || found.user.empty()) return damaged("names no database or no user");
  return found;
}

}  // namespace audiencesync::platform
