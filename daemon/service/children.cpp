#include "daemon/service/children.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr std::chrono::seconds kToStop{5};   // from being asked to being killed
constexpr std::chrono::seconds kToDie{10};   // from being killed to being given up
constexpr std::size_t kLongestLine = 65536;  // of an event: a child that writes more is not understood anyway

}  // namespace

Result<pid_t> Children::start(const ChildJob& job, ChildSetup setup, Duration deadline, bool with_events,
                              Handlers handlers) {
  auto child = std::make_unique<Child>();
  child->handlers = std::move(handlers);
  Descriptor theirs;
  if (with_events) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error(ErrorCode::Io, "cannot make a pipe for a child");
    child->pipe = Descriptor(ends[0]);
    theirs = Descriptor(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    setup.events = theirs.get();
  }
  const auto process = TRY(start_child(job, setup));
  // From here on there is a process that must not be forgotten, whatever fails.
  auto exit = loop_.child(process, [this, process](int code) { ended(process, code); });
  if (!exit.ok()) {
    ::kill(process, SIGKILL);
    return std::move(exit).error();
  }
  child->exit = std::move(exit).take();
  child->give_up = clock_.steady() + deadline + kToStop + kToDie;
  if (with_events) {
    auto readable = loop_.readable(child->pipe.get(), [this, process] { read_events(process); });
    if (readable.ok()) child->readable = std::move(readable).take();
  }
  auto timer = loop_.at(clock_.steady() + deadline, [this, process] { stop(process, StopReason::Deadline); });
  if (timer.ok()) child->timer = std::move(timer).take();
  children_.emplace(process, std::move(child));
  return process;
}

void Children::stop(pid_t process, StopReason reason) {
  const auto found = children_.find(process);
  if (found == children_.end() || found->second->reason != StopReason::None) return;
  auto& child = *found->second;
  child.reason = reason;
  child.give_up = std::min(child.give_up, clock_.steady() + kToStop + kToDie);
  ::kill(process, SIGTERM);
  auto timer = loop_.at(clock_.steady() + kToStop, [process] { ::kill(process, SIGKILL); });
  if (timer.ok()) {
    child.timer = std::move(timer).take();
  } else {
    ::kill(process, SIGKILL);
  }
}

void Children::stop_all(StopReason reason) {
  std::vector<pid_t> processes;
  for (const auto& [process, child] : children_) processes.push_back(process);
  for (const auto process : processes) stop(process, reason);
}

bool Children::overdue() const {
  const auto now = clock_.steady();
  return std::any_of(children_.begin(), children_.end(), [&](const auto& each) { return now > each.second->give_up; });
}

void Children::read_events(pid_t process) {
  const auto found = children_.find(process);
  if (found == children_.end()) return;
  auto& child = *found->second;
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto got = ::read(child.pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got == 0 || errno != EAGAIN) child.readable = {};
      break;
    }
    child.unread.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = child.unread.find('\n'); end != std::string::npos; end = child.unread.find('\n')) {
      const auto event = parse_json(std::string_view(child.unread).substr(0, end));
      child.unread.erase(0, end + 1);
      if (event.ok() && child.handlers.event) child.handlers.event(*event);
    }
    if (child.unread.size() > kLongestLine) child.unread.clear();
  }
}

void Children::ended(pid_t process, int code) {
  read_events(process);
  const auto found = children_.find(process);
  if (found == children_.end()) return;
  const auto child = std::move(found->second);
  children_.erase(found);
  child->handlers.end({code, child->reason});
}

}  // namespace audiencesync
