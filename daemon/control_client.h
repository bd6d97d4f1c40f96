#pragma once

#include <optional>
#include <string>
#include <vector>

namespace audiencesync {

/// Lets the daemon do a command, with our terminal: its exit code. nullopt when this command is not the daemon's, or no
/// daemon answers where one usually does: then we do it ourselves. With --socket it is the daemon's or nobody's; with
/// --config or --state it is ours.
std::optional<int> ask_daemon(const std::vector<std::string>& arguments);

/// Where the daemon's socket usually is.
std::string usual_socket();

}  // namespace audiencesync
