#include "daemon/locked_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

namespace audiencesync {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};

}  // namespace

std::optional<LockedFile> LockedFile::open(const Path& path, std::stop_token stop) {
  if (!PosixFiles().make_folder(path.parent_path()).ok()) return std::nullopt;
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return std::nullopt;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return std::nullopt;
    if (stop.stop_requested()) return std::nullopt;
    std::this_thread::sleep_for(kLookAgain);
  }
  return LockedFile(std::move(file));
}

bool LockedFile::is_held(const Path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::string LockedFile::read() const {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::pread(descriptor_.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void LockedFile::write(std::string_view content) const {
  if (::ftruncate(descriptor_.get(), 0) != 0) return;
  // Cut short, it is no longer what it should be, and is not believed by who reads it.
  [[maybe_unused]] const auto written = ::pwrite(descriptor_.get(), content.data(), content.size(), 0);
}

}  // namespace audiencesync
