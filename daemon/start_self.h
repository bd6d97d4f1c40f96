#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace audiencesync {

/// Starts this very program with other words. It gets none of our signal masks and handlers: a daemon takes its signals
/// by a descriptor and has them blocked. stdin is empty; `files` says where the rest goes. `what` begins the error.
/// Errors: Io.
Result<pid_t> start_self(const std::vector<std::string>& words,
                         const std::function<void(posix_spawn_file_actions_t& files)>& files, const char* what);

}  // namespace audiencesync
