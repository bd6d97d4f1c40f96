#include "daemon/run_child.h"

#include "daemon/service/manifest_texts.h"
#include "daemon/session.h"
#include "daemon/write_access.h"

namespace audiencesync {
namespace {

Error first_of(const std::vector<Error>& problems, const char* what) {
  return problems.empty() ? Error(ErrorCode::Invalid, std::string(what) + " cannot be read") : problems.front();
}

Consent consent_of(const Plan& plan) {
  return plan.severest() >= Severity::Approve ? Consent::Awaited : Consent::Given;
}

Result<RunResult> run_one_sync(const Adapters& adapters, const Settings& settings, const Manifest& manifest,
                               std::stop_token stop) {
  const auto access = TRY(WriteAccess::acquire(adapters, settings, "run"));
  const auto lock = TRY(WriteAccess::acquire_sync(adapters, settings, "run", manifest.uid));
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadWrite));
  const auto session = TRY(Session::open(adapters, settings, manifest, *store, std::move(stop)));
  RunOptions run;
  run.mode = Mode::Apply;
  run.refresh = Refresh::Yes;
  run.user = adapters.user;
  run.approve = consent_of;
  run.announce = [&](const Change& change) {
    adapters.events.emit(
        "change.begun",
        {{"stage", change.key.stage}, {"action", to_string(change.action)}, {"key", change.key.text()}});
  };
  return session->run(run);
}

}  // namespace

ExitCode run_child(const Adapters& adapters, std::stop_token stop) {
  const auto& job = adapters.daemon->job;
  const auto fail = [&](const Error& error) {
    adapters.events.warn("run.over", {{"verdict", to_string(Verdict::Failed)}, {"error", error.text()}});
    return exit_code(error.code());
  };
  auto settings = load_settings(TextFiles(job.settings), job.config);
  if (!settings.ok()) return fail(first_of(settings.problems, "the settings"));
  settings.value->state = job.state;
  if (job.manifests.size() != 1) return fail(Error(ErrorCode::Internal, "a run needs one manifest; this is a bug"));
  const auto rules = manifest_rules(*settings.value, adapters.environment);
  auto manifest = load_manifest_of(job.manifests.front().texts, job.manifests.front().file, rules);
  if (!manifest.ok()) return fail(first_of(manifest.problems, "the manifest"));
  manifest.value->commit = job.commit;
  const auto result = run_one_sync(adapters, *settings.value, *manifest.value, stop);
  if (!result.ok()) return stop.stop_requested() ? ExitCode::Terminated : fail(result.error());
  const auto error = result->error ? Value(result->error->text()) : Value();
  const auto verdict = to_string(result->verdict);
  if (result->verdict == Verdict::Failed || result->verdict == Verdict::Refused) {
    adapters.events.warn("run.over", {{"verdict", verdict}, {"error", error}, {"digest", result->plan.digest()}});
  } else {
    adapters.events.emit("run.over", {{"verdict", verdict}, {"error", error}, {"applied", result->applied}});
  }
  return stop.stop_requested() ? ExitCode::Terminated : result->code();
}

}  // namespace audiencesync
