#include "daemon/commands.h"

namespace audiencesync {

ExitCode schema_command(const Options&, const Console& console) {
  say_error(console, Error(ErrorCode::Unsupported, "schema is not in this version"));
  return ExitCode::Usage;
}

}  // namespace audiencesync
