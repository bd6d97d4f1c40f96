#pragma once

#include <string>

namespace audiencesync {

/// Completion of the program for one shell, from the tables of command_table.h.
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace audiencesync
