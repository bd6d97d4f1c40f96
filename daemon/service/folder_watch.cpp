#include "daemon/service/folder_watch.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace audiencesync {
namespace {

constexpr std::uint32_t kNames = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kContents = kNames | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;

// Other machines change files there, and this kernel is not told.
bool is_remote(const std::string& folder) {
  static constexpr std::array<unsigned long, 7> kRemote{NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                                        SMB2_SUPER_MAGIC, V9FS_MAGIC,      FUSE_SUPER_MAGIC,
                                                        CEPH_SUPER_MAGIC};
  struct statfs about {};
  if (::statfs(folder.c_str(), &about) != 0) return false;
  return std::find(kRemote.begin(), kRemote.end(), static_cast<unsigned long>(about.f_type)) != kRemote.end();
}

}  // namespace

FolderWatch::~FolderWatch() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void FolderWatch::watch(const std::set<std::string>& folders, const Path& root) {
  if (descriptor_ < 0) descriptor_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  complete_ = descriptor_ >= 0;
  if (descriptor_ < 0) return;
  std::map<int, std::string> watches;
  for (const auto& folder : folders) add(folder, kContents, watches);
  Path so_far;
  for (const auto& part : root) {
    const auto next = so_far / part;
    std::error_code failure;
    const auto about = std::filesystem::symlink_status(next, failure);
    const bool missing = about.type() == std::filesystem::file_type::not_found;
    if (missing || about.type() == std::filesystem::file_type::symlink) {
      const auto named_in = std::filesystem::canonical(so_far.empty() ? Path(".") : so_far, failure);
      if (!failure && !folders.contains(named_in.string())) add(named_in.string(), kNames, watches);
    }
    if (missing) break;
    so_far = next;
  }
  for (const auto& [watch, folder] : folders_) {
    if (!watches.contains(watch)) ::inotify_rm_watch(descriptor_, watch);
  }
  folders_ = std::move(watches);
}

void FolderWatch::add(const std::string& folder, std::uint32_t mask, std::map<int, std::string>& watches) {
  // A folder that is watched keeps its number, so this is cheap for those that were there before.
  const int watch = ::inotify_add_watch(descriptor_, folder.c_str(), mask | IN_ONLYDIR);
  if (watch >= 0) watches[watch] = folder;
  complete_ = complete_ && watch >= 0 && !is_remote(folder);
}

Result<void> FolderWatch::drain() {
  alignas(inotify_event) std::array<char, 8192> buffer{};
  while (descriptor_ >= 0) {
    const auto got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) {
      return Error(ErrorCode::Io, fmt::format("cannot read what changed: {}", std::strerror(errno)));
    }
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name(event.len > 0 ? buffer.data() + at + sizeof event : "");
      at += sizeof event + event.len;
      // Too much happened to be told one by one: whatever was being written, nobody will say when it was closed.
      if ((event.mask & IN_Q_OVERFLOW) != 0) being_written_.clear();
      const auto folder = folders_.find(event.wd);
      if (folder == folders_.end() || name.empty()) continue;
      const auto path = folder->second + "/" + name;
      if ((event.mask & IN_MODIFY) != 0) {
        being_written_.insert(path);
      } else if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0) {
        being_written_.erase(path);
      }
    }
  }
  return {};
}

}  // namespace audiencesync
