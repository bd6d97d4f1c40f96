#include "daemon/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace audiencesync {
namespace {

constexpr std::array<Command, 18> kForOperators{
    Command::Plan,    Command::Apply,  Command::Approve,    Command::Status, Command::History,  Command::Explain,
    Command::Members, Command::Verify, Command::Quarantine, Command::State,  Command::Rollback, Command::Suspend,
    Command::Resume,  Command::RunNow, Command::Lock,       Command::Forget, Command::Retire,   Command::Manifests};

// What stays of a command line for the audit log. An operand of these may be a person's id typed by mistake, and a
// reason is kept in the history already.
std::string told_of(const Options& options, const std::string& word) {
  std::string told = word;
  if (options.command == Command::Approve) return told + " " + options.digest;
  if (options.command == Command::Explain || options.command == Command::Forget)
    return told + (options.arguments.empty() ? "" : " " + options.arguments[0]);
  if (options.command == Command::Lock) told += options.lock == LockAction::List ? " list" : " break";
  for (const auto& argument : options.arguments) told += " " + argument;
  return told;
}

}  // namespace

bool is_for_operators(Command command) {
  return std::find(kForOperators.begin(), kForOperators.end(), command) != kForOperators.end();
}

Result<AdmittedCommand> admit_operator_command(const std::vector<std::string>& words) {
  const auto options = TRY(parse_options(words));
  const auto& word = words.front();
  if (!is_for_operators(options.command)) {
    return Error(ErrorCode::Permission,
                 fmt::format("the daemon does not do '{}' for others; run it without --socket", word));
  }
  const auto refuse_option = [](const char* name, const char* instead) {
    return Error(ErrorCode::Permission,
                 fmt::format("--{} is not possible through the daemon: it would open that with its own rights; {}",
                             name, instead));
  };
  if (options.config_given) return refuse_option("config", "leave it out");
  if (!options.state.empty()) return refuse_option("state", "leave it out");
  if (!options.socket.empty()) return refuse_option("socket", "leave it out");
  if (!options.out.empty()) return refuse_option("out", "redirect the output instead: > FILE");
  if (!options.plan_file.empty()) return refuse_option("plan", "approve its digest: audiencesync approve DIGEST");
  if (!options.manifest.empty()) return refuse_option("manifest", "name the sync");
  // It would send the content of a file that only the daemon may read to wherever the words say.
  if (!options.server.empty() || !options.token_file.empty()) {
    return refuse_option("server", "run it without --socket, with a token of your own");
  }
  // It writes where the daemon's own look at the branch does.
  if (options.command == Command::Manifests && options.fetch) {
    return refuse_option("fetch", "the daemon looks by itself, every manifests.git.poll");
  }
  AdmittedCommand admitted;
  admitted.told = told_of(options, word);
  if (options.command == Command::RunNow) admitted.sync = options.arguments.front();
  return admitted;
}

}  // namespace audiencesync
