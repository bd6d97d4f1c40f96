#include "daemon/commands.h"

namespace audiencesync {

ExitCode stages_command(const Options&, const Console& console) {
  say_error(console, Error(ErrorCode::Unsupported, "stages is not in this version"));
  return ExitCode::Usage;
}

}  // namespace audiencesync
