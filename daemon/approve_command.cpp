#include <fmt/format.h>

#include <ostream>

#include "daemon/commands.h"
#include "daemon/write_access.h"

namespace audiencesync {
namespace {

Result<HeldPlan> find_plan(const Store& store, const std::string& digest, Time now) {
  auto found = TRY(store.plans_to_approve(digest));
  if (found.empty()) {
    return Error(ErrorCode::NotFound,
                 fmt::format("no plan with digest {} waits for an approval; audiencesync status shows what does, and "
                             "audiencesync plan makes a new one",
                             digest));
  }
  if (found.size() > 1) {
    return Error(ErrorCode::Usage, fmt::format("{} plans begin with digest {} ({} and {}); write more of it",
                                               found.size(), digest, found[0].digest, found[1].digest));
  }
  if (now >= found.front().until) {
    return Error(ErrorCode::Refused,
                 fmt::format("plan {} of {} lapsed at {}; make a new one: audiencesync plan --fresh",
                             found.front().digest, found.front().uid, to_iso8601(found.front().until)));
  }
  return std::move(found.front());
}

Result<std::string> decide(const Options& options, const Adapters& adapters, Store& store, Time now) {
  const auto held = TRY(find_plan(store, options.digest, now));
  const auto short_digest = held.digest.substr(0, 16);
  if (options.decision == Decision::Reject) {
    TRY(store.decide_plan(held.id, HoldState::Rejected, adapters.user, options.reason, now));
    return fmt::format("{}: plan {} is rejected; the next apply makes a new export and plans anew\n", held.uid,
                       short_digest);
  }
  if (held.state == HoldState::Approved) {
    return fmt::format("{}: plan {} was approved already, by {}: {}\n", held.uid, short_digest, held.by, held.reason);
  }
  TRY(store.decide_plan(held.id, HoldState::Approved, adapters.user, options.reason, now));
  // The daemon does not wait for anybody to call apply.
  const bool by_daemon = adapters.daemon != nullptr;
  return fmt::format(
      "{}: plan {} is approved\n"
      "  until {}; the {} executes exactly this, without a new export\n"
      "next: audiencesync {}\n",
      held.uid, short_digest, to_iso8601(from_epoch_ms(to_epoch_ms(held.until) / 1000 * 1000)),
      by_daemon ? "daemon" : "next apply", by_daemon ? "status " + held.uid : "apply " + held.plan.text("file"));
}

}  // namespace

ExitCode approve_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto lock = WriteAccess::acquire(adapters, *settings, "approve");
  if (!lock.ok()) return fail(lock.error());
  const auto store = adapters.open_store(settings->state / "state.db", OpenMode::ReadWrite);
  if (!store.ok()) return fail(store.error());
  // The machine's clock is near enough here: whether a plan has lapsed is judged again, in server time, by the apply.
  const auto said = decide(options, adapters, **store, adapters.clock.now());
  if (!said.ok()) return fail(said.error());
  console.out << *said;
  return ExitCode::Converged;
}

}  // namespace audiencesync
