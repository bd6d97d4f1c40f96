#include "daemon/private_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace audiencesync {
namespace {

constexpr std::string_view kFolderPrefix = "audiencesync-work-";
// A folder is made before its lock is taken; a younger one may be in between.
constexpr std::chrono::seconds kSettled{60};

// Ours, and nobody's any more.
bool is_left_over(const Path& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != ::geteuid()) return false;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - kSettled);
  return about.st_mtime < now && (about.st_mode & 0777U) == 0700;
}

// What cannot be removed now will be next time: nobody has to hear of it.
void remove_left_over(Files& files, const Path& parent) {
  const auto names = files.list(parent);
  if (!names.ok()) return;
  for (const auto& name : *names) {
    const Path path = parent / name;
    if (!name.starts_with(kFolderPrefix) || !is_left_over(path)) continue;
    const auto lock = StateLock::acquire(path, "clean");
    if (lock.ok()) (void)files.remove(path);
  }
}

}  // namespace

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::create(Files& files, const Environment& environment) {
  const Path parent = environment("TMPDIR").value_or("/var/tmp");
  remove_left_over(files, parent);
  auto name = (parent / (std::string(kFolderPrefix) + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    return Error(errno == ENOSPC ? ErrorCode::NoSpace : ErrorCode::Io,
                 fmt::format("{}: cannot make a folder for temporary files: {}; set TMPDIR to one with space",
                             parent.string(), std::strerror(errno)));
  }
  auto lock = TRY(StateLock::acquire(name, "diff"));
  return std::unique_ptr<PrivateFolder>(new PrivateFolder(files, name, std::move(lock)));
}

PrivateFolder::~PrivateFolder() { (void)files_.remove(path_); }

}  // namespace audiencesync
