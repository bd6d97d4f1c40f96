#include "daemon/service/supervisor.h"

#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "engine/report/figures.h"

namespace audiencesync {
namespace {

// Editors and copies change a folder several times: look when it is quiet.
constexpr std::chrono::milliseconds kUntilQuiet{200};
// Until a source that could not be read is tried again.
constexpr std::chrono::seconds kTryAgain{30};
// Beside what the settings give a run: the program itself, stacks of threads, libraries.
constexpr std::uint64_t kProgramItself = 512'000'000;
constexpr std::uint64_t kTimesTheBudget = 2;
// So many more processes there may be than limits.runs says, when they wait for an export slot.
constexpr std::uint64_t kTimesTheRuns = 4;

BackOff back_off_of(const Settings& settings) {
  BackOff back_off;
  back_off.first = settings.timing.retry_first;
  back_off.most = settings.timing.retry_most;
  back_off.unfinished = settings.timing.poll_batch;
  return back_off;
}

const char* word_of(StopReason reason) {
  switch (reason) {
    case StopReason::None:
      return "";
    case StopReason::Deadline:
      return "deadline";
    case StopReason::Shutdown:
      return "shutdown";
    case StopReason::Caller:
      return "caller";
  }
  return "";
}

// What a run does at this moment, as status shows it.
std::string progress_of(const std::string& what, const Value& event) {
  const auto unit = event.text("unit");
  const auto done = event.number("done").value_or(0);
  const auto total = event.number("total").value_or(0);
  if (unit == "ms") return fmt::format("waits for {}, {}", what, age_text(Duration(done)));
  if (unit == "bytes") return fmt::format("{}, {}", what, bytes_text(static_cast<double>(done)));
  return total > 0 ? fmt::format("{}, {} of {} {}", what, done, total, unit)
                   : fmt::format("{}, {} {}", what, done, unit);
}

// What the end of a run means for what comes next.
ExitCode code_of(const ChildEnd& end) {
  if (end.stopped == StopReason::Shutdown) return ExitCode::Terminated;
  if (end.stopped == StopReason::Deadline) return ExitCode::Failed;
  return static_cast<ExitCode>(end.code);
}

}  // namespace

Supervisor::Supervisor(SupervisorParts parts) : parts_(std::move(parts)) {}
Supervisor::~Supervisor() = default;

Result<void> Supervisor::run() {
  loop_ = TRY(EventLoop::make());
  children_ = std::make_unique<Children>(*loop_, parts_.clock);
  configuration_ = TRY(configure());
  roster_ = std::make_unique<Roster>(parts_.store, parts_.events, back_off_of(configuration_->accepted.settings));
  kept_ = std::make_unique<KeptManifests>(parts_.files, parts_.state / "manifests" / "accepted.json");
  TRY(watch());
  if (!parts_.socket.empty()) {
    control_ = std::make_unique<ControlServer>(
        *loop_, parts_.events,
        ControlServer::Handlers{
            .admit = parts_.admit,
            .start = [this](const OperatorCommand& command, auto ended) { return start_command(command, ended); },
            .stop = [this](pid_t process) { children_->stop(process, StopReason::Caller); },
            .run_now = [this](const std::string& sync) { return run_now(sync); },
            .audit = [this](uid_t uid, const std::string& user, const std::string& told,
                            const std::string& answer) { return audit(uid, user, told, answer); },
            .audit_end = [this](std::int64_t number, int code) { end_audit(number, code); }});
    TRY(control_->listen(parts_.socket));
  }
  parts_.events.emit("daemon.started", {{"pid", static_cast<std::int64_t>(::getpid())},
                                        {"state", parts_.state.string()},
                                        {"manifests", configuration_->source->name()},
                                        {"socket", parts_.socket.string()}});
  plan_server_ = std::make_unique<SideProcess>(*loop_, parts_.clock, parts_.events, "plan_server");
  serve_plans();
  load_manifests();
  if (const auto every = Notifier::alive_interval()) beat(*every);
  const auto ended = loop_->run();
  parts_.events.emit("daemon.ended", {});
  return ended;
}

Result<void> Supervisor::watch() {
  for (const int number : {SIGTERM, SIGINT}) {
    signals_.push_back(TRY(loop_->signal(number, [this] { stop(); })));
  }
  signals_.push_back(TRY(loop_->signal(SIGHUP, [this] { reload(); })));
  // How far the clock of the wall is from the one that only goes on says by how much somebody has set it.
  const auto apart = [this] {
    return std::chrono::duration_cast<Duration>(parts_.clock.now().time_since_epoch() -
                                                parts_.clock.steady().time_since_epoch());
  };
  clock_set_ = TRY(loop_->clock_set([this, apart, before = apart()]() mutable {
    const auto by = apart() - before;
    before += by;
    parts_.events.warn("clock.set", {{"now", to_iso8601(parts_.clock.now())},
                                     {"by", fmt::format("{:+.3f} s", static_cast<double>(by.count()) / 1000)},
                                     {"next", "schedules are looked at anew"}});
    tick();
  }));
  return {};
}

Result<std::unique_ptr<Supervisor::Configuration>> Supervisor::configure() {
  auto configuration = std::make_unique<Configuration>();
  configuration->accepted = TRY(parts_.load_settings());
  configuration->rules = manifest_rules(configuration->accepted.settings, parts_.environment);
  configuration->source = TRY(parts_.open_source(configuration->accepted.settings, configuration->rules));
  return configuration;
}

void Supervisor::reload() {
  if (stopping_) return;
  notifier_.reloading();
  auto fresh = configure();
  if (fresh.ok()) {
    source_changed_ = {};
    configuration_ = std::move(fresh).take();
    roster_->set_back_off(back_off_of(configuration_->accepted.settings));
    parts_.events.emit("settings.loaded", {{"file", parts_.config.string()}});
    serve_plans();
  } else {
    parts_.events.warn("settings.refused",
                       {{"error", fresh.error().text()}, {"next", "keeping the previous settings"}});
  }
  load_manifests();
  if (loaded_) notifier_.ready();
}

void Supervisor::serve_plans() {
  if (!parts_.plan_server) return;
  plan_server_->keep(parts_.plan_server(configuration_->accepted.settings));
}

void Supervisor::watch_source() {
  source_changed_ = {};
  if (const int descriptor = configuration_->source->watch_fd(); descriptor >= 0) {
    auto watch = loop_->readable(descriptor, [this] {
      source_changed_ = {};  // a source may close it while it drains
      (void)configuration_->source->drain();
      watch_again(kUntilQuiet);
    });
    if (watch.ok()) source_changed_ = std::move(watch).take();
  }
}

void Supervisor::watch_again(Duration after) {
  auto timer = loop_->at(parts_.clock.steady() + after, [this] { load_manifests(); });
  if (timer.ok()) load_again_ = std::move(timer).take();
}

void Supervisor::load_manifests() {
  if (stopping_) return;
  load_again_ = {};
  auto& source = *configuration_->source;
  auto set = source.load();
  watch_source();
  complaints_.clear();
  if (!set.ok()) {
    complaints_.push_back(set.error().text());
    parts_.events.warn("manifests.unreadable", {{"error", set.error().text()},
                                                {"next", loaded_ ? "keeping the previous manifests" : "trying again"}});
    watch_again(kTryAgain);
    return tick();
  }
  for (const auto& rejected : set->rejected) {
    for (const auto& problem : rejected.problems) {
      complaints_.push_back(problem);
      // Told once, not at each look at a remote.
      if (set->rejected == refused_) continue;
      parts_.events.warn(
          "manifest.refused",
          {{"file", rejected.file}, {"error", problem}, {"next", "keeping what was accepted before, if anything"}});
    }
  }
  if (set->warnings != warnings_) {
    for (const auto& warning : set->warnings) parts_.events.warn("manifest.warning", {{"text", warning}});
  }
  if (!loaded_ && set->commit.empty()) restore_manifests(*set);
  roster_->accept(*set, now());
  if (set->commit.empty()) keep_manifests();
  const bool news = !loaded_ || set->commit != commit_ || set->rejected != refused_ || !(set->manifests == known_);
  if (news) {
    parts_.events.emit("manifests.loaded", {{"syncs", static_cast<std::uint64_t>(roster_->entries().size())},
                                            {"refused", static_cast<std::uint64_t>(set->rejected.size())},
                                            {"commit", set->commit}});
  }
  commit_ = set->commit;
  refused_ = std::move(set->rejected);
  warnings_ = std::move(set->warnings);
  known_ = std::move(set->manifests);
  if (const auto every = source.poll_interval(); every > Duration(0)) watch_again(every);
  if (!loaded_) {
    loaded_ = true;
    notifier_.ready();
  }
  tick();
}

// What a file was before it was broken is known only to a daemon that saw it, or that kept it.
void Supervisor::restore_manifests(ManifestSet& set) {
  if (set.rejected.empty()) return;
  const auto told = kept_->restore(set, configuration_->rules);
  if (!told.ok()) {
    parts_.events.warn(
        "manifests.forgotten",
        {{"error", told.error().text()}, {"next", "files that are not accepted do not run until they are mended"}});
    return;
  }
  for (const auto& line : *told) parts_.events.warn("manifest.restored", {{"text", line}});
}

void Supervisor::keep_manifests() {
  std::vector<const LoadedManifest*> manifests;
  for (const auto& [uid, entry] : roster_->entries()) {
    if (!entry.removed) manifests.push_back(&entry.manifest);
  }
  if (const auto kept = kept_->keep(manifests); !kept.ok())
    parts_.events.warn("manifests.not_kept", {{"error", kept.error().text()},
                                              {"next", "after a restart a broken file does not run as it was before"}});
}

void Supervisor::tick() {
  if (stopping_) return;
  start_runs();
  set_alarms();
  tell_status();
}

void Supervisor::start_runs() {
  if (!loaded_) return;
  const auto slots = configuration_->accepted.settings.limits.runs;
  // Who only waits for a slot of the platform holds up nobody else, within reason.
  const auto busy = std::count_if(runs_.begin(), runs_.end(), [](const auto& run) { return !run.second.queues; });
  const auto most = slots * kTimesTheRuns;
  const auto at_work = static_cast<std::uint64_t>(busy);
  if (at_work >= slots || runs_.size() >= most) return;
  for (const auto& next : roster_->next(now(), std::min(slots - at_work, most - runs_.size()))) start_run(next);
}

std::uint64_t Supervisor::data_limit() const {
  return configuration_->accepted.settings.limits.memory * kTimesTheBudget + kProgramItself;
}

ChildJob Supervisor::new_job(ChildJob::Kind kind) const {
  ChildJob job;
  job.kind = kind;
  job.config = parts_.config.string();
  job.settings = configuration_->accepted.texts;
  job.state = parts_.state.string();
  job.commit = commit_;
  return job;
}

void Supervisor::start_run(const NextRun& next) {
  const auto& entry = roster_->entries().at(next.uid);
  const auto uid = next.uid;
  const auto& settings = configuration_->accepted.settings;
  auto job = new_job(ChildJob::Kind::Run);
  job.user = "daemon";
  job.cause = to_string(next.cause);
  job.manifests.push_back({entry.manifest.file(), entry.manifest.texts});
  ChildSetup setup;
  setup.title = uid;
  setup.err = STDERR_FILENO;
  setup.lock = parts_.state_lock;
  setup.data_limit = data_limit();
  const auto process = children_->start(job, setup, settings.timing.deadline_run, true,
                                        {.event = [this, uid](const Value& event) { run_told(uid, event); },
                                         .end = [this, uid](const ChildEnd& end) { run_ended(uid, end); }});
  roster_->begin(uid, now());
  if (!process.ok()) {
    parts_.events.warn("run.impossible", {{"sync", entry.manifest.manifest.name}, {"error", process.error().text()}});
    return roster_->end(uid, ExitCode::Failed, now(), std::uniform_real_distribution<>(0, 1)(random_));
  }
  runs_[uid] = Run{*process, parts_.clock.now(), next.cause, {}, {}};
  parts_.events.emit("run.started", {{"sync", entry.manifest.manifest.name},
                                     {"cause", to_string(next.cause)},
                                     {"pid", static_cast<std::int64_t>(*process)}});
}

void Supervisor::run_told(const std::string& uid, const Value& event) {
  const auto run = runs_.find(uid);
  if (run == runs_.end()) return;
  if (const auto what = event.text("progress"); !what.empty()) {
    run->second.progress = progress_of(what, event);
    return;
  }
  const auto name = event.text("event");
  const auto* fields = event.find("fields");
  JournalEvents::Fields list;
  const auto entry = roster_->entries().find(uid);
  list.emplace_back("sync", entry == roster_->entries().end() ? uid : entry->second.manifest.manifest.name);
  if (fields != nullptr && fields->object_if() != nullptr) {
    for (const auto& [key, value] : *fields->object_if()) {
      if (key != "sync") list.emplace_back(key, value);
    }
    if (name == "run.over") run->second.ended = *fields;
  }
  const bool waits = name == "export.waits" || name == "evaluation.waits";
  if (waits || name == "export.turn" || name == "evaluation.over") {
    run->second.queues = waits;
    start_runs();
    set_alarms();
  }
  parts_.events.write(event.text("level") == "warning" ? LOG_WARNING : LOG_INFO, name, list);
}

void Supervisor::run_ended(const std::string& uid, const ChildEnd& end) {
  const auto run = runs_.find(uid);
  if (run == runs_.end()) return;
  const auto took = parts_.clock.now() - run->second.since;
  const auto code = code_of(end);
  const auto entry = roster_->entries().find(uid);
  JournalEvents::Fields fields{{"sync", entry == roster_->entries().end() ? uid : entry->second.manifest.manifest.name},
                               {"code", end.code},
                               {"took", fmt::format("{}ms", took.count())}};
  if (const auto verdict = run->second.ended.text("verdict"); !verdict.empty()) fields.emplace_back("verdict", verdict);
  if (const auto error = run->second.ended.text("error"); !error.empty()) fields.emplace_back("error", error);
  if (end.stopped != StopReason::None) fields.emplace_back("stopped", word_of(end.stopped));
  const bool fine = code == ExitCode::Converged || code == ExitCode::Waits || code == ExitCode::Terminated ||
                    code == ExitCode::NotFinished;
  parts_.events.write(fine ? LOG_INFO : LOG_WARNING, "run.ended", fields);
  failures_.erase(uid);
  if (!fine) {
    auto why = run->second.ended.text("error");
    if (end.stopped == StopReason::Deadline) why = "it was stopped at its deadline (timing.deadline_run)";
    failures_[uid] = {now().wall, why.empty() ? fmt::format("it ended with code {}", end.code) : why};
  }
  runs_.erase(run);
  roster_->end(uid, code, now(), std::uniform_real_distribution<>(0, 1)(random_));
  if (stopping_ && children_->size() == 0) return loop_->stop();
  tick();
}

void Supervisor::set_alarms() {
  const auto alarm = roster_->alarm(now());
  wall_alarm_ = {};
  steady_alarm_ = {};
  if (alarm.wall) {
    auto timer = loop_->at(*alarm.wall, [this] { tick(); });
    if (timer.ok()) wall_alarm_ = std::move(timer).take();
  }
  if (alarm.steady) {
    auto timer = loop_->at(*alarm.steady, [this] { tick(); });
    if (timer.ok()) steady_alarm_ = std::move(timer).take();
  }
}

void Supervisor::tell_status() {
  std::string text = counted(roster_->entries().size(), "sync", "syncs");
  if (!runs_.empty()) {
    text += fmt::format(", {} at work:", runs_.size());
    for (const auto& [uid, run] : runs_) text += " " + uid;
  }
  std::optional<Time> next;
  for (const auto& [uid, entry] : roster_->entries()) {
    const auto planned = entry.agenda.upcoming(parts_.clock.now(), 1);
    if (!planned.empty() && (!next || planned.front().start < *next)) next = planned.front().start;
  }
  if (next) text += ", next at " + second_text(*next);
  if (!complaints_.empty()) text += fmt::format("; not accepted: {}", complaints_.front());
  notifier_.status(text);
}

// No sign of life while a child outlives even its kill: then the service manager ends all of it.
void Supervisor::beat(Duration every) {
  if (!children_->overdue()) notifier_.alive();
  auto timer = loop_->at(parts_.clock.steady() + every, [this, every] { beat(every); });
  if (timer.ok()) heart_ = std::move(timer).take();
}

void Supervisor::stop() {
  if (stopping_) return;
  stopping_ = true;
  notifier_.stopping();
  parts_.events.emit("daemon.stopping", {{"runs", static_cast<std::uint64_t>(runs_.size())}});
  control_.reset();
  plan_server_->stop();
  if (children_->size() == 0) return loop_->stop();
  children_->stop_all(StopReason::Shutdown);
}

}  // namespace audiencesync
