#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/session.h"
#include "engine/base/json.h"
#include "engine/report/plan_text.h"
#include "engine/store/state_lock.h"

namespace audiencesync {
namespace {

struct Ended {
  RunResult result;
  Time at{};  // server time, for ages
};

void announce(const Console& console, const Manifest& manifest, const Change& change) {
  console.err << fmt::format("{}: {} {}\n", manifest.name, to_string(change.action), change.key.text());
}

bool approve(const Options& options, const Console& console, const Plan& plan, Time now) {
  console.err << plan_text(plan, now);
  if (options.auto_approve) return true;
  return console.ask && console.ask(fmt::format("apply these {} changes? [y/N] ", plan.changes.size()));
}

Result<Ended> run_one(const Options& options, const Adapters& adapters, const Console& console,
                      const Settings& settings, const Manifest& manifest, Store& store, std::stop_token stop) {
  auto session = TRY(Session::open(adapters, settings, manifest, store, stop));
  RunOptions run;
  run.mode = options.command == Command::Apply ? Mode::Apply : Mode::Plan;
  const bool refresh = options.command == Command::Apply ? options.refresh : options.fresh;
  run.refresh = refresh ? Refresh::Yes : Refresh::No;
  run.announce = [&](const Change& change) { announce(console, manifest, change); };
  run.approve = [&](const Plan& plan) { return approve(options, console, plan, session->now()); };
  Ended ended{session->run(run), {}};
  ended.at = session->now();
  return ended;
}

ExitCode code_of(const Options& options, const RunResult& result, std::stop_token stop) {
  if (stop.stop_requested()) return ExitCode::Interrupted;
  const auto code = result.code();
  if (options.command == Command::Plan && code == ExitCode::ChangesPending && !options.detailed_exitcode) {
    return ExitCode::Converged;
  }
  return code;
}

std::string text_of(const Options& options, const RunResult& result, Time now) {
  if (options.command == Command::Plan || result.verdict != Verdict::Converged || result.applied == 0) {
    return result.plan.sync.empty() || result.error ? std::string{} : plan_text(result.plan, now);
  }
  std::string text = fmt::format("{}: converged, {} change{} applied and proven\n", result.plan.sync, result.applied,
                                 result.applied == 1 ? "" : "s");
  // Converged with what could be read is not the same as nothing to worry about: held audiences, unusable rows.
  for (const auto& finding : result.plan.findings) {
    if (finding.severity >= Severity::Warning)
      text += fmt::format("  {}  {}\n", to_string(finding.severity), finding.text);
  }
  return text;
}

Value value_of(const Manifest& manifest, const RunResult& result, ExitCode code) {
  Value value = Value::Object{{"sync", manifest.name},
                              {"file", manifest.file},
                              {"verdict", to_string(result.verdict)},
                              {"applied", result.applied},
                              {"exit_code", static_cast<int>(code)}};
  // Without the definition nothing was observed: then there is no plan to show.
  if (!result.plan.definition.empty()) value["plan"] = result.plan.to_value();
  if (result.error) {
    value["error"] = Value::Object{{"code", to_string(result.error->code())}, {"text", result.error->text()}};
  }
  return value;
}

Result<void> write_out(const Options& options, const Adapters& adapters, const Console& console,
                       const std::string& text) {
  if (options.out.empty()) {
    console.out << text;
    return {};
  }
  return adapters.files.write_atomic(std::filesystem::absolute(options.out), text);
}

}  // namespace

ExitCode sync_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop) {
  if (options.command == Command::Apply && !options.auto_approve && !console.ask) {
    say_error(console, Error(ErrorCode::Usage, "apply has no terminal to ask at; add --auto-approve"));
    return ExitCode::Usage;
  }
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto manifests = manifests_of(options, *settings, adapters, console);
  if (!manifests) return ExitCode::Invalid;

  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto lock = StateLock::acquire(settings->state, options.command == Command::Apply ? "apply" : "plan");
  if (!lock.ok()) return fail(lock.error());
  const auto store = adapters.open_store(settings->state / "state.db", OpenMode::ReadWrite);
  if (!store.ok()) return fail(store.error());

  ExitCode worst_code = ExitCode::Converged;
  std::string text;
  Value::Array syncs;
  for (const auto& manifest : *manifests) {
    auto ended = run_one(options, adapters, console, *settings, manifest, **store, stop);
    RunResult result;
    Time now{};
    if (ended.ok()) {
      result = std::move(ended->result);
      now = ended->at;
    } else {
      result.error = std::move(ended).error();
    }
    const auto code = code_of(options, result, stop);
    worst_code = worst(worst_code, code);
    if (result.error) say_error(console, Error(*result.error).in(manifest.name));
    if (options.format == Format::Json) {
      syncs.push_back(value_of(manifest, result, code));
    } else {
      text += text_of(options, result, now);
    }
    if (stop.stop_requested()) break;
  }
  if (options.format == Format::Json) {
    text = to_json_pretty(Value::Object{{"version", 1}, {"syncs", std::move(syncs)}}) + "\n";
  }
  if (const auto written = write_out(options, adapters, console, text); !written.ok()) return fail(written.error());
  return worst_code;
}

}  // namespace audiencesync
