#pragma once

#include <string>
#include <string_view>

namespace audiencesync {

/// What somebody wrote, for a message: in single quotes, at most 60 bytes, everything but printable ASCII as '?'.
std::string quoted(std::string_view text);

}  // namespace audiencesync
