#include "daemon/commands.h"

namespace audiencesync {

ExitCode history_command(const Options&, const Adapters&, const Console& console) {
  say_error(console, Error(ErrorCode::Unsupported, "history is not in this version"));
  return ExitCode::Usage;
}

}  // namespace audiencesync
