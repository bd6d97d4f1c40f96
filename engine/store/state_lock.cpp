#include "engine/store/state_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/value.h"

namespace audiencesync {
namespace {

Path lock_file(const Path& state) { return state / "lock"; }

Error lock_error(const Path& path, const char* doing, int number) {
  return Error(number == ENOSPC || number == EDQUOT ? ErrorCode::NoSpace : ErrorCode::Io,
               fmt::format("{}: cannot {}: {}", path.string(), doing, std::strerror(number)));
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return fmt::format("user {}", ::geteuid());
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "this host";
  return name.data();
}

// Whoever may write to the folder may swap the state under us, and whoever owns it may let himself write.
Result<void> check_folder(const Path& state) {
  struct stat about {};
  if (::stat(state.c_str(), &about) != 0) return lock_error(state, "inspect the state folder", errno);
  if (!S_ISDIR(about.st_mode)) return Error(ErrorCode::Invalid, state.string() + ": the state is not a folder");
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error(ErrorCode::Invalid,
                 fmt::format("{}: others may write to the state folder (mode {:04o}); run: chmod 0700 {}",
                             state.string(), about.st_mode & 07777U, state.string()));
  }
  if (about.st_uid != ::geteuid() && about.st_uid != 0 && ::geteuid() != 0) {
    return Error(ErrorCode::Invalid,
                 fmt::format("{}: the state folder belongs to user {} and this process runs as {}; run as its owner",
                             state.string(), about.st_uid, ::geteuid()));
  }
  return {};
}

// Only people read this text, so a failure to write it does not matter.
void write_owner(int descriptor, std::string_view command) {
  const Value owner = Value::Object{{"command", command},
                                    {"host", host_name()},
                                    {"pid", static_cast<std::int64_t>(::getpid())},
                                    {"since", to_iso8601(SystemClock().now())},
                                    {"user", user_name()}};
  const auto text = to_json(owner) + "\n";
  if (::ftruncate(descriptor, 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(descriptor, text.data(), text.size(), 0);
  }
}

}  // namespace

std::optional<LockHolder> lock_holder(const Path& state) {
  const int descriptor = ::open(lock_file(state).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return std::nullopt;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  const bool asked = ::fcntl(descriptor, F_OFD_GETLK, &whole) == 0;
  ::close(descriptor);
  if (!asked || whole.l_type == F_UNLCK) return std::nullopt;
  LockHolder holder;
  const auto text = PosixFiles().read(lock_file(state));
  if (!text.ok()) return holder;
  const auto owner = parse_json(*text);
  if (!owner.ok()) return holder;
  holder.process = owner->number("pid").value_or(0);
  holder.command = owner->text("command");
  holder.user = owner->text("user");
  holder.host = owner->text("host");
  holder.since = owner->text("since");
  return holder;
}

std::string lock_owner(const Path& state) {
  constexpr auto kNobodyKnown = "another process";
  const auto text = PosixFiles().read(lock_file(state));
  if (!text.ok()) return kNobodyKnown;
  const auto owner = parse_json(*text);
  if (!owner.ok() || !owner->number("pid")) return kNobodyKnown;
  return fmt::format("pid {} ({}) of {} on {} since {}", *owner->number("pid"), owner->text("command"),
                     owner->text("user"), owner->text("host"), owner->text("since"));
}

Result<void> check_inherited_lock(const Path& state, int descriptor) {
  struct stat ours {};
  struct stat theirs {};
  const auto file = lock_file(state);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  // Taking what the description holds already succeeds; somebody else's lock would be in the way.
  if (::fstat(descriptor, &ours) == 0 && ::stat(file.c_str(), &theirs) == 0 && ours.st_dev == theirs.st_dev &&
      ours.st_ino == theirs.st_ino && ::fcntl(descriptor, F_OFD_SETLK, &whole) == 0) {
    return {};
  }
  return Error(ErrorCode::Locked,
               fmt::format("{}: the daemon that started this process does not hold the state", state.string()));
}

Result<StateLock> StateLock::acquire(const Path& state, std::string_view command) {
  TRY(PosixFiles().make_folder(state));
  TRY(check_folder(state));
  const auto file = lock_file(state);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return lock_error(file, "open the lock", errno);
  StateLock lock(descriptor);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(descriptor, F_OFD_SETLK, &whole) != 0) {
    const int number = errno;
    ::close(std::exchange(lock.descriptor_, -1));  // without clearing the holder's text
    if (number != EAGAIN && number != EACCES) return lock_error(file, "lock the state", number);
    return Error(ErrorCode::Locked, fmt::format("{}: the state is held by {}; wait for it to end and run again",
                                                state.string(), lock_owner(state)));
  }
  write_owner(descriptor, command);
  return lock;
}

StateLock::StateLock(int descriptor) : descriptor_(descriptor), process_(::getpid()) {}

StateLock::StateLock(StateLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), process_(other.process_) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
  if (this != &other) {
    release();
    descriptor_ = std::exchange(other.descriptor_, -1);
    process_ = other.process_;
  }
  return *this;
}

StateLock::~StateLock() { release(); }

void StateLock::release() {
  if (descriptor_ < 0) return;
  if (process_ == ::getpid()) {
    [[maybe_unused]] const auto cleared = ::ftruncate(descriptor_, 0);
    // A child of this process may still share the description: closing alone would leave the lock with it.
    struct flock whole {};
    whole.l_type = F_UNLCK;
    whole.l_whence = SEEK_SET;
    ::fcntl(descriptor_, F_OFD_SETLK, &whole);
  }
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace audiencesync
