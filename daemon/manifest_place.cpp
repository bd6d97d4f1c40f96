#include "daemon/manifest_place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/gitops/git_source.h"
#include "daemon/gitops/libgit2/libgit2_repository.h"
#include "daemon/service/manifest_folder.h"
#include "daemon/start_self.h"

namespace audiencesync {
namespace {

Path folder_of_branch(const Settings& settings) { return settings.state / "manifests"; }

Result<Descriptor> lock_looks(const Path& folder) {
  Descriptor lock(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) {
    return Error(ErrorCode::Io, fmt::format("{}: cannot open: {}", (folder / "lock").string(), std::strerror(errno)));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorCode::Locked,
                 "another process is looking at the branch right now; see what it finds with: "
                 "audiencesync manifests");
  }
  return lock;
}

// Libraries that talk to a network may hang; the kernel ends them.
unsigned seconds_of(Duration deadline) {
  return static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(deadline).count()) + 1;
}

Result<RunningLook> start_look(const std::vector<std::string>& command) {
  int pair[2] = {-1, -1};
  if (::pipe2(pair, O_CLOEXEC) != 0) return Error(ErrorCode::Io, fmt::format("no pipe: {}", std::strerror(errno)));
  Descriptor told(pair[0]);
  const Descriptor write_end(pair[1]);
  RunningLook look;
  look.process = TRY(start_self(
      command,
      [&](posix_spawn_file_actions_t& files) {
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&files, write_end.get(), STDERR_FILENO);
      },
      "cannot start a look at it"));
  look.told = std::move(told);
  return look;
}

}  // namespace

std::string manifest_place(const Settings& settings) {
  if (!settings.git) return settings.manifests_folder.string();
  return fmt::format("{} (branch {}{}{})", settings.git->url, settings.git->branch,
                     settings.git->path.empty() ? "" : ", folder ", settings.git->path);
}

Result<GitState> look_at_branch(const Adapters& adapters, const Settings& settings) {
  const auto folder = folder_of_branch(settings);
  TRY(adapters.files.make_folder(folder));
  const auto lock = TRY(lock_looks(folder));
  GitCheckout checkout(adapters.files, folder);
  const auto repository = TRY(open_git_repository(adapters.files, checkout.repository()));
  ::alarm(seconds_of(settings.git->deadline));
  auto state =
      checkout.look(*repository, *settings.git, manifest_rules(settings, adapters.environment), adapters.clock.now());
  ::alarm(0);
  return state;
}

Result<GitState> known_of_branch(Files& files, const Settings& settings) {
  return GitCheckout(files, folder_of_branch(settings)).state();
}

Result<ManifestSet> manifests_of_settings(const Adapters& adapters, const Settings& settings) {
  const auto rules = manifest_rules(settings, adapters.environment);
  if (!settings.git) return load_manifest_folder(adapters.files, settings.manifests_folder, rules);
  return manifests_of_branch(GitCheckout(adapters.files, folder_of_branch(settings)), *settings.git, rules);
}

Result<std::unique_ptr<ManifestSource>> open_manifest_source(Files& files, const Settings& settings,
                                                             const ManifestRules& rules, const Path& config) {
  std::unique_ptr<ManifestSource> source;
  if (!settings.git) {
    source = std::make_unique<FolderSource>(files, settings.manifests_folder, rules);
    return source;
  }
  const std::vector<std::string> command{
      "audiencesync", "manifests", "--fetch", "--config", config.string(), "--state", settings.state.string()};
  source = std::make_unique<GitSource>(files, folder_of_branch(settings), *settings.git, rules,
                                       [command] { return start_look(command); });
  return source;
}

}  // namespace audiencesync
