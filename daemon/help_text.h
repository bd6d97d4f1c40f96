#pragma once

#include <string>

#include "daemon/command_table.h"

namespace audiencesync {

/// What `audiencesync --help` prints: the commands by task, where to begin, the exit codes. 80 columns.
std::string general_help();

/// What `audiencesync COMMAND --help` prints. Lines fit 80 columns unless an example is longer.
std::string command_help(const CommandRow& row);

}  // namespace audiencesync
