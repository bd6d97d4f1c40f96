#include <fmt/format.h>

#include <ostream>

#include "daemon/commands.h"
#include "daemon/sync_records.h"
#include "daemon/write_access.h"
#include "engine/manifest/scalar_values.h"
#include "engine/report/figures.h"

namespace audiencesync {
namespace {

Result<std::optional<Time>> end_of(const std::string& word, Time now) {
  if (word.empty()) return std::optional<Time>();
  auto until = parse_time(word);
  if (!until) {
    if (const auto span = parse_duration(word)) until = now + *span;
  }
  if (!until) {
    return Error(ErrorCode::Usage,
                 fmt::format("--until '{}' is no time; write one in UTC, for example 2026-12-01T06:00:00Z, or how long "
                             "from now, for example 3d",
                             word));
  }
  if (*until <= now) {
    return Error(ErrorCode::Usage,
                 fmt::format("--until '{}' is over: it is {} now; write a later time", word, second_text(now)));
  }
  return until;
}

/// What a command that changes whether a sync is suspended has in its hands.
struct Opened {
  Settings settings;
  SyncRecords records;
  WriteAccess lock;
  std::unique_ptr<Store> store;
};

Result<Opened> open_state(const Options& options, const Adapters& adapters, Settings settings, const char* purpose) {
  auto syncs = TRY(read_syncs(options, settings, adapters, 1));
  auto lock = TRY(WriteAccess::acquire(adapters, settings, purpose));
  auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadWrite));
  return Opened{std::move(settings), std::move(syncs.front()), std::move(lock), std::move(store)};
}

Result<std::string> suspend(const Options& options, const Adapters& adapters, Opened& opened) {
  const auto now = adapters.clock.now();
  Suspension suspension;
  suspension.uid = opened.records.uid;
  suspension.since = now;
  suspension.until = TRY(end_of(options.until, now));
  suspension.by = adapters.user;
  suspension.reason = options.reason;
  TRY(opened.store->suspend(suspension));
  const auto until = suspension.until ? "until " + second_text(*suspension.until) : "until it is resumed";
  return fmt::format("{}: suspended {}; apply leaves its target alone\nnext: audiencesync resume {}\n",
                     opened.records.name, until, opened.records.name);
}

Result<std::string> resume(const Options& options, const Adapters& adapters, Opened& opened) {
  const auto now = adapters.clock.now();
  const auto suspensions = TRY(opened.store->suspensions(opened.records.uid, 1));
  if (suspensions.empty() || !suspensions.front().holds(now)) {
    return fmt::format("{}: is not suspended\n", opened.records.name);
  }
  TRY(opened.store->resume(suspensions.front().id, adapters.user, options.reason, now));
  return fmt::format("{}: resumed; the next apply brings it to the newest state\nnext: audiencesync plan --fresh\n",
                     opened.records.name);
}

template <class Act>
ExitCode change_suspension(const Options& options, const Adapters& adapters, const Console& console,
                           const char* purpose, Act act) {
  auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  auto opened = open_state(options, adapters, std::move(*settings), purpose);
  if (!opened.ok()) return fail(opened.error());
  const auto said = act(options, adapters, *opened);
  if (!said.ok()) return fail(said.error());
  console.out << *said;
  return ExitCode::Converged;
}

}  // namespace

ExitCode suspend_command(const Options& options, const Adapters& adapters, const Console& console) {
  return change_suspension(options, adapters, console, "suspend", suspend);
}

ExitCode resume_command(const Options& options, const Adapters& adapters, const Console& console) {
  return change_suspension(options, adapters, console, "resume", resume);
}

}  // namespace audiencesync
