#include "engine/sql/libpq/socket_wait.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace audiencesync::sql {
namespace {

// poll counts in an int; a longer wait is several.
constexpr std::chrono::milliseconds kLongestPoll{60'000};

short events_of(SocketWait::For what) {
  switch (what) {
    case SocketWait::For::Reading:
      return POLLIN;
    case SocketWait::For::Writing:
      return POLLOUT;
    case SocketWait::For::Either:
      return POLLIN | POLLOUT;
  }
  return POLLIN;
}

}  // namespace

void SocketWait::Wake::operator()() const { ::eventfd_write(descriptor, 1); }

Result<std::unique_ptr<SocketWait>> SocketWait::make(std::stop_token stop, Moment until) {
  const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) return Error(ErrorCode::Io, "no file descriptor is left to wait with; raise the limit of files");
  return std::unique_ptr<SocketWait>(new SocketWait(descriptor, std::move(stop), until));
}

SocketWait::SocketWait(int descriptor, std::stop_token stop, Moment until) : descriptor_(descriptor), until_(until) {
  callback_.emplace(std::move(stop), Wake{descriptor});
}

SocketWait::~SocketWait() {
  callback_.reset();
  ::close(descriptor_);
}

void SocketWait::extend(Moment until) {
  until_ = until;
  heed_stop_ = false;
}

SocketWait::Event SocketWait::wait(int socket, For what) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Event::Late;
    std::array<pollfd, 2> watched{pollfd{socket, events_of(what), 0}, pollfd{heed_stop_ ? descriptor_ : -1, POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(std::min(left, kLongestPoll).count()));
    if (ready < 0 && errno != EINTR) return Event::Late;  // what is left of a wait that cannot be
    if (ready <= 0) continue;
    if (watched[1].revents != 0) return Event::Stopped;
    if (watched[0].revents != 0) return Event::Ready;
  }
}

}  // namespace audiencesync::sql
