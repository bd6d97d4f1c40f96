#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "daemon/service/children.h"
#include "daemon/service/control_server.h"
#include "daemon/service/journal_events.h"
#include "daemon/service/kept_manifests.h"
#include "daemon/service/manifest_source.h"
#include "daemon/service/manifest_texts.h"
#include "daemon/service/notifier.h"
#include "daemon/service/roster.h"
#include "daemon/service/side_process.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

/// The settings as they were accepted, with their text.
struct AcceptedSettings {
  Settings settings;
  ManifestTexts texts;
};

/// What the daemon is made of; everything outlives it.
struct SupervisorParts {
  JournalEvents& events;
  const Clock& clock;
  Files& files;
  Store& store;
  Environment environment;
  int state_lock = -1;  // its descriptor, for the children
  Path config;          // of the settings
  Path state;
  Path socket;  // of the operators; empty: none
  /// Reads the settings anew. Errors: those of the settings, all problems in one text.
  std::function<Result<AcceptedSettings>()> load_settings;
  /// Where the manifests come from; `rules` outlives the source.
  std::function<Result<std::unique_ptr<ManifestSource>>(const Settings&, const ManifestRules& rules)> open_source;
  /// The words of the command that answers `plan --server`; empty when the settings say nowhere.
  std::function<std::vector<std::string>(const Settings&)> plan_server;
  /// Which commands operators may use.
  AdmitCommand admit;
};

/// The daemon: loads manifests, starts runs when they are due, one child each, and answers operators.
///
/// Does no work of its own that could hang or grow: the platform, the memberships and the past are the children's.
class Supervisor {
 public:
  explicit Supervisor(SupervisorParts parts);
  ~Supervisor();

  /// Until it is told to stop. Errors: what prevents the start.
  Result<void> run();

 private:
  /// What the settings decide; replaced as a whole.
  struct Configuration {
    AcceptedSettings accepted;
    ManifestRules rules;
    std::unique_ptr<ManifestSource> source;
  };
  struct Run {
    pid_t process = 0;
    Time since{};
    Cause cause = Cause::Schedule;
    std::string progress;
    Value ended;          // what it told of its end
    bool queues = false;  // for an export slot: it does nothing meanwhile
  };

  Moment now() const { return {parts_.clock.now(), parts_.clock.steady()}; }
  Result<void> watch();
  Result<std::unique_ptr<Configuration>> configure();
  void reload();
  void load_manifests();
  void restore_manifests(ManifestSet& set);
  void keep_manifests();
  void serve_plans();
  void watch_source();
  void watch_again(Duration after);

  void tick();
  void start_runs();
  void start_run(const NextRun& next);
  void run_told(const std::string& uid, const Value& event);
  void run_ended(const std::string& uid, const ChildEnd& end);
  void set_alarms();
  void tell_status();
  void beat(Duration every);
  void stop();

  // For operators (supervisor_commands.cpp).
  Result<std::string> run_now(const std::string& sync);
  std::int64_t audit(uid_t uid, const std::string& user, const std::string& told, const std::string& answer);
  void end_audit(std::int64_t number, int code);
  ChildJob new_job(ChildJob::Kind kind) const;
  Result<pid_t> start_command(const OperatorCommand& command, std::function<void(int code)> ended);
  Value facts() const;
  std::uint64_t data_limit() const;

  SupervisorParts parts_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Configuration> configuration_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<KeptManifests> kept_;
  std::unique_ptr<Children> children_;
  std::unique_ptr<SideProcess> plan_server_;
  std::unique_ptr<ControlServer> control_;
  Notifier notifier_;
  std::mt19937_64 random_{std::random_device{}()};
  /// How the last run of a sync failed: the state may not know, when the disk was full.
  struct Failure {
    Time at{};
    std::string why;
  };
  std::map<std::string, Run> runs_;          // by uid
  std::map<std::string, Failure> failures_;  // likewise, until one does not fail
  std::vector<std::string> complaints_;      // of the last load, for people
  std::string commit_;
  std::vector<RejectedManifest> refused_;  // as last told
  std::vector<std::string> warnings_;      // likewise
  std::vector<LoadedManifest> known_;      // likewise
  bool loaded_ = false;                    // once completely
  bool stopping_ = false;

  std::vector<EventLoop::Watch> signals_;
  EventLoop::Watch clock_set_;
  EventLoop::Watch source_changed_;
  EventLoop::Watch load_again_;
  EventLoop::Watch wall_alarm_;
  EventLoop::Watch steady_alarm_;
  EventLoop::Watch heart_;
};

}  // namespace audiencesync
