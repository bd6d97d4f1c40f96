#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// A GET of the platform host.
http::Request get(std::string path, http::Query query = {});
/// A request with a JSON body.
http::Request send(http::Method method, std::string path, const Value& body, http::Repeat repeat);

/// Reads a JSON answer. Errors: those of the client, and Corrupt when the body is no JSON.
Result<Value> read_json(http::ReadClient& client, const http::Request& request);
/// The same, null when the platform answers 404.
Result<Value> read_json_if_there(http::ReadClient& client, http::Request request);
/// Performs a write and reads its JSON answer; an empty body is null.
Result<Value> write_json(http::WriteClient& client, const http::Request& request);

/// An id as text, whether the platform wrote a string or a number; "" for anything else.
std::string id_text(const Value* value);

/// A moment, whether the platform wrote seconds, milliseconds or microseconds (told apart by size), a number or a
/// string of digits, or an ISO 8601 text.
std::optional<Time> time_of(const Value* value);

/// Strings of an array, or the one string that is there instead of an array.
std::vector<std::string> texts_of(const Value* value);

/// Lower case of the ASCII letters; every other byte stays.
std::string ascii_lower(std::string_view text);

/// The path and query of a link of the platform; host, port and scheme are dropped, because they may name another
/// host than the one we are allowed to call.
http::Request rerooted(std::string_view href);

/// The id at the end of a reference like `@/dataSets/5ba9…`.
std::string last_segment(std::string_view reference);

}  // namespace audiencesync::platform
