#pragma once

#include <string>
#include <vector>

#include "daemon/options.h"
#include "daemon/service/control_server.h"

namespace audiencesync {

/// Whether the daemon does this for operators at all.
bool is_for_operators(Command command);

/// Whether operators may send these words to the daemon: only commands that act on its own state, and no option that
/// names a file, a folder or settings, which would be opened with the daemon's rights.
/// Errors: Usage, Permission with what to do instead.
Result<AdmittedCommand> admit_operator_command(const std::vector<std::string>& words);

}  // namespace audiencesync
