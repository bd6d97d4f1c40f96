#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace audiencesync {

/// Looks up one environment variable; nullopt when it is not set. Tests pass a table of their own.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// The environment of this process. Safe for threads as long as nobody calls setenv.
Environment process_environment();

}  // namespace audiencesync
