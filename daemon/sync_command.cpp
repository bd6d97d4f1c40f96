#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/plan_file.h"
#include "daemon/session.h"
#include "daemon/sync_records.h"
#include "daemon/write_access.h"
#include "engine/base/json.h"
#include "engine/report/plan_markdown.h"
#include "engine/report/plan_text.h"
#include "plugins/retire/retire_stage.h"

namespace audiencesync {
namespace {

struct Ended {
  RunResult result;
  Time at{};  // server time, for ages
};

void announce(const Console& console, const Manifest& manifest, const Change& change) {
  console.err << fmt::format("{}: {} {}\n", manifest.name, to_string(change.action), change.key.text());
}

// What is being applied, without the click-lists: they follow at the end, when what they name exists.
std::string shown_while_applying(const Plan& plan, Time now) {
  Plan brief = plan;
  for (auto& change : brief.changes) change.steps.clear();
  return plan_text(brief, now, Purpose::Applying);
}

Consent approve(const Options& options, const Console& console, const Plan& plan, Time now) {
  console.err << shown_while_applying(plan, now);
  if (options.auto_approve || !options.plan_file.empty()) return Consent::Given;
  if (!console.ask) return Consent::Awaited;
  const auto changes = plan.changes.size() - plan.person_actions();
  const auto question = fmt::format("apply {} change{}? [y/N] ", changes, changes == 1 ? "" : "s");
  return console.ask(question) ? Consent::Given : Consent::Declined;
}

bool changes_target(const Options& options) {
  return options.command == Command::Apply ||
         ((options.command == Command::Rollback || options.command == Command::Retire) && !options.dry_run);
}

const char* word_of(const Options& options) {
  if (options.command == Command::Rollback) return "rollback";
  if (options.command == Command::Retire) return "retire";
  return options.command == Command::Apply ? "apply" : "plan";
}

// What a run needs beside the sync itself.
struct Inputs {
  const Options& options;
  const Adapters& adapters;
  const Console& console;
  const Settings& settings;
  const std::optional<PlanFile>& reviewed;
};

// A sync that ends needs none of the stages that keep it alive.
Result<std::optional<Registry>> stages_of(const Options& options) {
  if (options.command != Command::Retire) return std::optional<Registry>();
  auto registry = TRY(Registry::of({retire_stage(options.delete_datasets ? Ending::Delete : Ending::Expire)}));
  return std::optional(std::move(registry));
}

Result<Ended> run_one(const Inputs& inputs, const Manifest& manifest, Store& store, std::stop_token stop) {
  const auto& [options, adapters, console, settings, reviewed] = inputs;
  const auto lock = TRY(WriteAccess::acquire_sync(adapters, settings, word_of(options), manifest.uid));
  auto stages = TRY(stages_of(options));
  auto session = TRY(Session::open(adapters, settings, manifest, store, stop, std::move(stages)));
  RunOptions run;
  const bool applies = changes_target(options);
  run.mode = applies ? Mode::Apply : Mode::Plan;
  const bool refresh = applies ? options.refresh : options.fresh;
  if (options.command == Command::Rollback) run.rollback = Rollback{*options.run, options.reason};
  if (options.command == Command::Retire) run.retire = options.reason;
  run.refresh = refresh && options.command != Command::Retire ? Refresh::Yes : Refresh::No;
  run.samples = options.samples;
  run.user = adapters.user;
  if (reviewed) {
    const auto plan = reviewed->plans.find(manifest.uid);
    if (plan == reviewed->plans.end()) {
      return Error(ErrorCode::Usage, fmt::format("{} has no plan of this sync; name only the manifests it was made of",
                                                 options.plan_file.string()));
    }
    run.exact = plan->second;
    run.refresh = Refresh::No;
  }
  run.show = [&](const Plan& plan) { console.err << shown_while_applying(plan, session->now()); };
  run.announce = [&](const Change& change) { announce(console, manifest, change); };
  run.approve = [&](const Plan& plan) { return approve(options, console, plan, session->now()); };
  Ended ended{session->run(run), {}};
  ended.at = session->now();
  return ended;
}

ExitCode code_of(const Options& options, const RunResult& result, std::stop_token stop) {
  if (stop.stop_requested()) return ExitCode::Interrupted;
  const auto code = result.code();
  const bool open = code == ExitCode::ChangesPending || code == ExitCode::Waits;
  if (!changes_target(options) && open && !options.detailed_exitcode) return ExitCode::Converged;
  return code;
}

std::string text_of(const Options& options, const RunResult& result, Time now) {
  if (!changes_target(options) || result.verdict != Verdict::Converged || result.applied == 0) {
    if (result.plan.sync.empty() || result.error) return {};
    return options.format == Format::Markdown ? plan_markdown(result.plan, now) : plan_text(result.plan, now);
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

// A plan for `apply --plan` has to be JSON, whatever the person reads meanwhile.
bool keeps_json(const Options& options) { return options.out.extension() == ".json"; }

Result<void> write_out(const Options& options, const Adapters& adapters, const Console& console,
                       const std::string& text, const std::string& json) {
  const auto& shown = options.format == Format::Json ? json : text;
  if (options.out.empty()) {
    console.out << shown;
    return {};
  }
  const auto path = std::filesystem::absolute(options.out);
  if (options.format == Format::Json || !keeps_json(options)) return adapters.files.write_atomic(path, shown);
  console.out << text;
  return adapters.files.write_atomic(path, json);
}

// Leaves the one manifest of the sync that goes back or ends, and sees that there is such a run.
Result<void> choose_one_sync(const Options& options, const Settings& settings, const Adapters& adapters,
                             std::vector<Manifest>& manifests) {
  const auto syncs = TRY(read_syncs(options, settings, adapters, 1));
  const auto& records = syncs.front();
  std::erase_if(manifests, [&](const Manifest& manifest) { return manifest.uid != records.uid; });
  if (manifests.empty()) {
    return Error(ErrorCode::NotFound,
                 fmt::format("{} has no manifest of sync '{}' (uid {}); name its file with --manifest FILE",
                             options.manifest.empty() ? settings.manifests_folder.string() : options.manifest.string(),
                             records.name, records.uid));
  }
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadOnly));
  if (options.command == Command::Retire) return {};
  return known_run(*store, records, *options.run);
}

}  // namespace

ExitCode rollback_command(const Options& options, const Adapters& adapters, const Console& console,
                          std::stop_token stop) {
  return sync_command(options, adapters, console, std::move(stop));
}

ExitCode sync_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop) {
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const bool reviewed_plan = !options.plan_file.empty();
  const auto* const word = word_of(options);
  if (changes_target(options) && !options.auto_approve && !reviewed_plan && !console.ask) {
    return fail(Error(ErrorCode::Usage,
                      fmt::format("{} has no terminal to ask at; add --auto-approve, or {}", word,
                                  options.command == Command::Apply ? "--plan FILE with a plan that was reviewed"
                                                                    : "--dry-run to see the plan")));
  }
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  std::optional<PlanFile> reviewed;
  Options named = options;
  if (reviewed_plan) {
    auto read = read_plan_file(adapters.files, options.plan_file);
    if (!read.ok()) return fail(read.error());
    reviewed = std::move(read).take();
    if (named.arguments.empty()) named.arguments = reviewed->manifests;
  }
  const bool one_sync = options.command == Command::Rollback || options.command == Command::Retire;
  if (one_sync) named.arguments.clear();
  if (!options.manifest.empty()) named.arguments = {options.manifest.string()};
  auto manifests = manifests_of(named, *settings, adapters, console);
  if (!manifests) return ExitCode::Invalid;
  if (one_sync) {
    const auto chosen = choose_one_sync(options, *settings, adapters, *manifests);
    if (!chosen.ok()) return fail(chosen.error());
  }

  const auto lock = WriteAccess::acquire(adapters, *settings, word);
  if (!lock.ok()) return fail(lock.error());
  const auto store = adapters.open_store(settings->state / "state.db", OpenMode::ReadWrite);
  if (!store.ok()) return fail(store.error());

  ExitCode worst_code = ExitCode::Converged;
  std::string text;
  Value::Array syncs;
  for (const auto& manifest : *manifests) {
    auto ended = run_one({options, adapters, console, *settings, reviewed}, manifest, **store, stop);
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
    syncs.push_back(value_of(manifest, result, code));
    text += text_of(options, result, now);
    if (stop.stop_requested()) break;
  }
  const auto json = to_json_pretty(Value::Object{{"version", 1}, {"syncs", std::move(syncs)}}) + "\n";
  if (const auto written = write_out(options, adapters, console, text, json); !written.ok()) {
    return fail(written.error());
  }
  return worst_code;
}

}  // namespace audiencesync
