#include "daemon/commands.h"

namespace audiencesync {

ExitCode explain_command(const Options&, const Adapters&, const Console& console, std::stop_token) {
  say_error(console, Error(ErrorCode::Unsupported, "explain is not in this version"));
  return ExitCode::Usage;
}

}  // namespace audiencesync
