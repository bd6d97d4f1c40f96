#include "daemon/commands.h"

namespace audiencesync {

ExitCode completion_command(const Options&, const Console& console) {
  say_error(console, Error(ErrorCode::Unsupported, "completion is not in this version"));
  return ExitCode::Usage;
}

}  // namespace audiencesync
