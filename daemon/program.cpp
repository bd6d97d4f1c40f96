#include "daemon/program.h"

#include <exception>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/version.h"

namespace audiencesync {
namespace {

ExitCode dispatch(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop) {
  switch (options.command) {
    case Command::Help:
      console.out << options.help;
      return ExitCode::Converged;
    case Command::Version:
      console.out << "audiencesync " << kVersion << "\n";
      return ExitCode::Converged;
    case Command::Validate:
      return validate_command(options, adapters, console);
    case Command::Plan:
      if (!options.server.empty()) return remote_plan_command(options, adapters, console);
      return sync_command(options, adapters, console, std::move(stop));
    case Command::Apply:
      return sync_command(options, adapters, console, std::move(stop));
    case Command::Diff:
      return diff_command(options, adapters, console, std::move(stop));
    case Command::Approve:
      return approve_command(options, adapters, console);
    case Command::Status:
      return status_command(options, adapters, console);
    case Command::History:
      return history_command(options, adapters, console);
    case Command::Explain:
      return explain_command(options, adapters, console, std::move(stop));
    case Command::Quarantine:
      return quarantine_command(options, adapters, console);
    case Command::State:
      return state_command(options, adapters, console, std::move(stop));
    case Command::Verify:
      return verify_command(options, adapters, console, std::move(stop));
    case Command::Members:
      return members_command(options, adapters, console);
    case Command::Rollback:
      return rollback_command(options, adapters, console, std::move(stop));
    case Command::Suspend:
      return suspend_command(options, adapters, console);
    case Command::Resume:
      return resume_command(options, adapters, console);
    case Command::Forget:
      return forget_command(options, adapters, console, std::move(stop));
    case Command::RunNow:
      return run_now_command(console);
    case Command::Lock:
      return lock_command(options, adapters, console);
    case Command::Daemon:
      break;  // main() does it, before anything else exists
    case Command::Retire:
      return sync_command(options, adapters, console, std::move(stop));
    case Command::Manifests:
      return manifests_command(options, adapters, console);
    case Command::ServePlans:
      return serve_plans_command(options, adapters, console, std::move(stop));
    case Command::Stages:
      return stages_command(options, console);
    case Command::Schema:
      return schema_command(options, console);
    case Command::Completion:
      return completion_command(options, console);
  }
  return ExitCode::Usage;
}

}  // namespace

ExitCode run_program(const std::vector<std::string>& arguments, const Adapters& adapters, const Console& console,
                     std::stop_token stop) {
  const auto options = parse_options(arguments);
  if (!options.ok()) {
    say_error(console, options.error());
    // A word of a later version is a mistake on the command line all the same.
    return ExitCode::Usage;
  }
  try {
    return dispatch(*options, adapters, console, std::move(stop));
  } catch (const std::exception& failure) {
    say_error(console, Error(ErrorCode::Internal, std::string("this is a bug: ") + failure.what()));
    return ExitCode::Failed;
  }
}

}  // namespace audiencesync
