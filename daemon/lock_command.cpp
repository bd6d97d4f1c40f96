#include <fmt/format.h>
#include <signal.h>

#include <ostream>

#include "daemon/commands.h"
#include "engine/base/json.h"
#include "engine/store/state_lock.h"

namespace audiencesync {
namespace {

struct HeldLock {
  std::string what;  // "the state", or the uid of a sync
  LockHolder holder;
};

std::vector<HeldLock> held_locks(const Adapters& adapters, const Settings& settings) {
  std::vector<HeldLock> held;
  if (auto holder = lock_holder(settings.state)) held.push_back({"the state", std::move(*holder)});
  const auto uids = adapters.files.list(settings.state / "syncs");
  for (const auto& uid : uids.ok() ? *uids : std::vector<std::string>{}) {
    if (auto holder = lock_holder(settings.state / "syncs" / uid)) held.push_back({uid, std::move(*holder)});
  }
  return held;
}

std::string list_text(const std::vector<HeldLock>& held) {
  if (held.empty()) return "nobody holds anything\n";
  std::string text;
  for (const auto& [what, holder] : held) {
    text += fmt::format("{}: pid {} ({}) of {} on {} since {}\n", what, holder.process, holder.command, holder.user,
                        holder.host, holder.since);
  }
  return text;
}

Value list_value(const std::vector<HeldLock>& held) {
  Value::Array locks;
  for (const auto& [what, holder] : held) {
    locks.push_back(Value::Object{{"lock", what},
                                  {"pid", holder.process},
                                  {"command", holder.command},
                                  {"user", holder.user},
                                  {"host", holder.host},
                                  {"since", holder.since}});
  }
  return Value::Object{{"version", 1}, {"locks", std::move(locks)}};
}

// The text of a lock decides nothing, so it is believed only as far as the process it names is one of ours.
bool is_our_program(const Files& files, std::int64_t process) {
  const auto name = files.read(fmt::format("/proc/{}/comm", process));
  return name.ok() && name->starts_with("audiencesync");
}

Result<std::string> ask_to_stop(const Options& options, const Adapters& adapters, const Settings& settings) {
  const auto held = held_locks(adapters, settings);
  const std::string what = options.arguments.empty() ? "the state" : options.arguments.front();
  for (const auto& lock : held) {
    if (lock.what != what) continue;
    const auto process = lock.holder.process;
    if (process <= 1 || !is_our_program(adapters.files, process)) {
      return Error(ErrorCode::Refused,
                   fmt::format("{}: the holder, pid {} on {}, is no audiencesync of this machine; end it there", what,
                               process, lock.holder.host));
    }
    if (::kill(static_cast<pid_t>(process), SIGTERM) != 0) {
      return Error(ErrorCode::Permission,
                   fmt::format("{}: may not signal pid {} of {}", what, process, lock.holder.user));
    }
    return fmt::format("{}: asked pid {} ({}) to stop; see: audiencesync lock list\n", what, process,
                       lock.holder.command);
  }
  return Error(ErrorCode::NotFound, fmt::format("nobody holds {}; audiencesync lock list shows what is held", what));
}

}  // namespace

ExitCode lock_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  if (options.lock == LockAction::List) {
    const auto held = held_locks(adapters, *settings);
    console.out << (options.format == Format::Json ? to_json_pretty(list_value(held)) + "\n" : list_text(held));
    return ExitCode::Converged;
  }
  const auto said = ask_to_stop(options, adapters, *settings);
  if (!said.ok()) {
    say_error(console, said.error());
    return exit_code(said.error().code());
  }
  console.out << *said;
  return ExitCode::Converged;
}

ExitCode run_now_command(const Console& console) {
  say_error(console, Error(ErrorCode::NotFound,
                           "no daemon answers on its control socket; run the sync yourself: audiencesync apply"));
  return ExitCode::Failed;
}

}  // namespace audiencesync
