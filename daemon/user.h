#pragma once

#include <string>

namespace audiencesync {

/// The name of the user who runs this process, as the history shows it; behind sudo the one who called it. A number
/// when the machine knows no name.
std::string current_user();

}  // namespace audiencesync
