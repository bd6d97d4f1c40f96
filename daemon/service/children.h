#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/service/child_process.h"
#include "daemon/service/event_loop.h"
#include "engine/base/clock.h"
#include "engine/base/value.h"

namespace audiencesync {

/// Why a child was told to stop.
enum class StopReason { None, Deadline, Shutdown, Caller };

/// How a child ended.
struct ChildEnd {
  int code = 0;  // its exit code, or 128 + the signal that ended it
  StopReason stopped = StopReason::None;
};

/// The processes of the daemon. Each has a deadline: then it is asked to stop, and killed when it does not.
class Children {
 public:
  struct Handlers {
    std::function<void(const Value& event)> event = {};  // of its pipe, one by one
    std::function<void(const ChildEnd& end)> end;        // the last call for this child
  };

  Children(EventLoop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}

  /// Errors: those of start_child; then no handler is called. `with_events` gives it a pipe for them.
  Result<pid_t> start(const ChildJob& job, ChildSetup setup, Duration deadline, bool with_events, Handlers handlers);
  /// Asks a child to stop; it is killed when it still works five seconds later.
  void stop(pid_t process, StopReason reason);
  void stop_all(StopReason reason);
  std::size_t size() const { return children_.size(); }
  /// One of them is past its deadline and was not even ended by a kill: we have lost control.
  bool overdue() const;

 private:
  struct Child {
    Handlers handlers;
    Descriptor pipe;
    std::string unread;  // the beginning of a line
    EventLoop::Watch readable;
    EventLoop::Watch exit;
    EventLoop::Watch timer;
    StopReason reason = StopReason::None;
    std::chrono::steady_clock::time_point give_up{};  // when even a kill should have ended it
  };
  void read_events(pid_t process);
  void ended(pid_t process, int code);

  EventLoop& loop_;
  const Clock& clock_;
  std::map<pid_t, std::unique_ptr<Child>> children_;
};

}  // namespace audiencesync
