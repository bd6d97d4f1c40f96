#pragma once

#include <string>
#include <vector>

namespace audiencesync {

/// `audiencesync daemon`: runs until it is told to stop. Only for main: no other thread may exist yet, because its
/// children are forked. Returns the exit code.
int daemon_command(const std::vector<std::string>& arguments);

}  // namespace audiencesync
