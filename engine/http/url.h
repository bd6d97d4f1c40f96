#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/http/message.h"

namespace audiencesync::http {

/// Path and query of a link, to be asked from our own endpoint whatever host and port the link names (behind proxies
/// they are somebody else's). Takes absolute links and those that begin with '/'; bytes that may not stand in a URL are
/// percent-encoded, a fragment is dropped. Errors: Corrupt for anything else.
Result<std::string> path_and_query(std::string_view link);

/// The path alone: what may be logged.
std::string_view without_query(std::string_view path);

/// `origin` + path + query, every name and value percent-encoded. Errors: Internal when the path does not begin with
/// '/' or holds bytes that are not encoded.
Result<std::string> make_url(const std::string& origin, const std::string& path, const Query& query);

}  // namespace audiencesync::http
