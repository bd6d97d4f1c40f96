#include "daemon/plan_maker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "daemon/service/data_limit.h"
#include "daemon/service/manifest_judge.h"
#include "daemon/start_self.h"
#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

constexpr std::chrono::seconds kTimeToEnd{5};
constexpr std::chrono::milliseconds kLook{50};
constexpr std::size_t kMostOutput = 8 * 1024 * 1024;

/// A folder that is gone with this object.
class Scratch {
 public:
  static Result<Scratch> make(Files& files, const Path& folder) {
    std::random_device random;
    const auto path = folder / fmt::format("{:08x}{:08x}", random(), random());
    TRY(files.make_folder(path));
    return Scratch(files, path);
  }
  Scratch(Scratch&& other) noexcept : files_(other.files_), path_(std::exchange(other.path_, Path())) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    // What cannot be removed now goes at the next start.
    if (!path_.empty()) static_cast<void>(files_.remove(path_));
  }
  const Path& path() const { return path_; }

 private:
  Scratch(Files& files, Path path) : files_(files), path_(std::move(path)) {}
  Files& files_;
  Path path_;
};

Result<pid_t> start(const std::vector<std::string>& command, const Path& folder, const Path& out, const Path& err) {
  constexpr int kAnew = O_WRONLY | O_CREAT | O_TRUNC;
  return start_self(
      command,
      [&](posix_spawn_file_actions_t& files) {
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), kAnew, 0600);
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), kAnew, 0600);
        // So that the plan shows names as they were sent.
        posix_spawn_file_actions_addchdir_np(&files, folder.c_str());
      },
      "no plan could be started");
}

/// The status of a process that ended, or nullopt when it had to be ended.
std::optional<int> wait_until(pid_t pid, const Clock& clock, Duration deadline, std::stop_token stop) {
  int status = 0;
  const auto end = clock.steady() + deadline;
  while (true) {
    const auto got = ::waitpid(pid, &status, WNOHANG);
    if (got == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (clock.steady() >= end || stop.stop_requested()) break;
    clock.sleep(kLook, stop);
  }
  ::kill(pid, SIGTERM);
  const auto patience = clock.steady() + kTimeToEnd;
  while (clock.steady() < patience) {
    if (::waitpid(pid, &status, WNOHANG) == pid) return std::nullopt;
    clock.sleep(kLook, {});
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return std::nullopt;
}

Result<std::string> capped(const Files& files, const Path& path) {
  const auto size = TRY(files.size(path));
  if (size > kMostOutput) {
    return Error(ErrorCode::Invalid,
                 fmt::format("the plan has more than {} MB; plan fewer manifests at once", kMostOutput >> 20U));
  }
  return files.read(path);
}

// Snapshots are never changed once they have their name, so that another name for one is as good as a copy.
Result<void> link_files(const Files& files, const Path& from, const Path& to) {
  const auto names = TRY(files.list(from));
  for (const auto& name : names) {
    std::error_code failure;
    std::filesystem::create_hard_link(from / name, to / name, failure);
    // Gone since it was listed: a run has a newer one, and the plan will say that this state is no longer whole.
    if (failure && failure != std::errc::no_such_file_or_directory) {
      return Error(ErrorCode::Io, fmt::format("{}: cannot link: {}", (from / name).string(), failure.message()));
    }
  }
  return {};
}

}  // namespace

Result<void> PlanMaker::begin() { return adapters_.files.remove(settings_.state / "plans"); }

Result<void> PlanMaker::copy_state(const Path& scratch, const std::vector<std::string>& uids) const {
  auto& files = adapters_.files;
  // The store first: what it names is there when it is looked for, unless a run removes it at this very moment.
  const auto copied = copy_sqlite_store(settings_.state / "state.db", scratch / "state.db");
  if (!copied.ok()) return copied.error().code() == ErrorCode::NotFound ? Result<void>() : copied;
  for (const auto& uid : uids) {
    const auto to = scratch / "syncs" / uid / "memberships";
    TRY(files.make_folder(to));
    TRY(link_files(files, settings_.state / "syncs" / uid / "memberships", to));
  }
  return {};
}

Result<PlanAnswer> PlanMaker::make(const PlanRequest& request, std::stop_token stop) const {
  auto& files = adapters_.files;
  const auto judged = judge_manifests(request.files, manifest_rules(settings_, adapters_.environment));
  PlanAnswer answer;
  std::vector<std::string> uids;
  for (const auto& wanted : request.manifests) {
    for (const auto& each : judged.rejected) {
      if (each.file != wanted) continue;
      for (const auto& problem : each.problems) answer.errors += "error: " + problem + "\n";
    }
    for (const auto& each : judged.manifests) {
      if (each.file() == wanted) uids.push_back(each.manifest.uid);
    }
  }
  if (!answer.errors.empty()) {
    answer.exit_code = static_cast<int>(ExitCode::Invalid);
    return answer;
  }
  const auto scratch = TRY(Scratch::make(files, settings_.state / "plans"));
  const auto state = scratch.path() / "state";
  const auto folder = scratch.path() / "manifests";
  TRY(files.make_folder(state));
  for (const auto& [name, text] : request.files) {
    TRY(files.make_folder((folder / name).parent_path()));
    TRY(files.write_atomic(folder / name, text));
  }
  TRY(copy_state(state, uids));
  std::vector<std::string> command{"audiencesync", "plan"};
  command.insert(command.end(), request.manifests.begin(), request.manifests.end());
  for (const auto& word : {std::string("--format"), request.format, std::string("--detailed-exitcode"),
                           std::string("--config"), config_.string(), std::string("--state"), state.string()}) {
    command.push_back(word);
  }
  const auto out = scratch.path() / "out";
  const auto err = scratch.path() / "err";
  const auto pid = TRY(start(command, folder, out, err));
  // Twice what it plans its work for; more is a mistake that must not cost the machine.
  limit_data(pid, settings_.limits.memory * 2);
  const auto deadline = settings_.listen ? settings_.listen->deadline : Listen{}.deadline;
  const auto code = wait_until(pid, adapters_.clock, deadline, stop);
  if (!code) {
    return Error(ErrorCode::Timeout,
                 stop.stop_requested()
                     ? std::string("the server is stopping; ask again in a moment")
                     : fmt::format("the plan was not ready after {} s (listen.deadline)",
                                   std::chrono::duration_cast<std::chrono::seconds>(deadline).count()));
  }
  answer.exit_code = *code;
  answer.output = TRY(capped(files, out));
  answer.errors = TRY(capped(files, err));
  return answer;
}

}  // namespace audiencesync
