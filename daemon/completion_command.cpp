#include <ostream>

#include "daemon/commands.h"
#include "daemon/completion_script.h"

namespace audiencesync {

ExitCode completion_command(const Options& options, const Console& console) {
  const auto& shell = options.arguments.front();
  console.out << (shell == "bash" ? bash_completion() : shell == "zsh" ? zsh_completion() : fish_completion());
  return ExitCode::Converged;
}

}  // namespace audiencesync
