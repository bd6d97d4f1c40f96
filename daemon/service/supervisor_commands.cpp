#include <fmt/format.h>
#include <syslog.h>

#include "daemon/service/supervisor.h"

// The part of the supervisor that serves operators.
namespace audiencesync {
namespace {

constexpr std::size_t kTimesShown = 5;

}  // namespace

Result<std::string> Supervisor::run_now(const std::string& sync) {
  const auto name = TRY(roster_->want(sync, now()));
  tick();
  return fmt::format("{}: it runs as soon as there is room; see: audiencesync status {}\n", name, name);
}

std::int64_t Supervisor::audit(uid_t uid, const std::string& user, const std::string& told, const std::string& answer) {
  parts_.events.write(LOG_NOTICE, "operator.command",
                      {{"user", user}, {"uid", static_cast<std::int64_t>(uid)}, {"command", told}, {"answer", answer}});
  AuditRecord record;
  record.at = parts_.clock.now();
  record.uid = static_cast<std::int64_t>(uid);
  record.user = user;
  record.command = told;
  record.answer = answer;
  const auto number = parts_.store.begin_audit(record);
  if (number.ok()) return *number;
  // On a full disk somebody must still be able to ask what is wrong; the log has it all the same.
  parts_.events.warn("audit.failed", {{"error", number.error().text()}, {"next", "the command is in this log only"}});
  return 0;
}

void Supervisor::end_audit(std::int64_t number, int code) {
  if (number == 0) return;
  if (const auto kept = parts_.store.end_audit(number, code, parts_.clock.now()); !kept.ok())
    parts_.events.warn("audit.failed", {{"error", kept.error().text()}, {"next", "its end is not in the history"}});
}

Value Supervisor::facts() const {
  const auto time = parts_.clock.now();
  Value::Object syncs;
  for (const auto& [uid, entry] : roster_->entries()) {
    Value::Array times;
    for (const auto& planned : entry.agenda.upcoming(time, kTimesShown)) times.push_back(to_iso8601(planned.start));
    Value sync = Value::Object{{"name", entry.manifest.manifest.name},
                               {"file", entry.manifest.file()},
                               {"next", std::move(times)},
                               {"failures", entry.agenda.failures()}};
    if (const auto wait = entry.agenda.not_before(); wait && *wait > parts_.clock.steady()) {
      const auto left = std::chrono::duration_cast<Duration>(*wait - parts_.clock.steady());
      sync["not_before"] = to_iso8601(time + left);
    }
    if (const auto failed = failures_.find(uid); failed != failures_.end()) {
      sync["failed"] = Value::Object{{"at", to_iso8601(failed->second.at)}, {"error", failed->second.why}};
    }
    if (const auto run = runs_.find(uid); run != runs_.end()) {
      sync["running"] = Value::Object{{"since", to_iso8601(run->second.since)},
                                      {"cause", to_string(run->second.cause)},
                                      {"progress", run->second.progress},
                                      {"pid", static_cast<std::int64_t>(run->second.process)}};
    }
    syncs.emplace(uid, std::move(sync));
  }
  Value::Array complaints;
  for (const auto& complaint : complaints_) complaints.push_back(complaint);
  return Value::Object{{"syncs", std::move(syncs)}, {"not_accepted", std::move(complaints)}, {"commit", commit_}};
}

Result<pid_t> Supervisor::start_command(const OperatorCommand& command, std::function<void(int code)> ended) {
  auto job = new_job(ChildJob::Kind::Command);
  job.user = command.user;
  job.words = command.words;
  job.facts = facts();
  for (const auto& [uid, entry] : roster_->entries()) {
    job.manifests.push_back({entry.manifest.file(), entry.manifest.texts});
  }
  job.files = command.texts;
  ChildSetup setup;
  setup.title = command.admitted.told;
  setup.in = command.in.get();
  setup.out = command.out.get();
  setup.err = command.err.get();
  setup.lock = parts_.state_lock;
  setup.data_limit = data_limit();
  return children_->start(job, setup, configuration_->accepted.settings.timing.deadline_run, false,
                          {.end = [this, ended = std::move(ended)](const ChildEnd& end) {
                            ended(end.code);
                            if (stopping_) {
                              if (children_->size() == 0) loop_->stop();
                              return;
                            }
                            // It may have suspended, resumed or approved.
                            roster_->read_decisions(now());
                            tick();
                          }});
}

}  // namespace audiencesync
