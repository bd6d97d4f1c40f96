#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "daemon/service/event_loop.h"
#include "engine/base/clock.h"
#include "engine/report/event_sink.h"

namespace audiencesync {

/// A process beside the runs, which works as long as the daemon does: this very program with another command. Ends with
/// us, and is started again when it ends by itself, each time after a longer pause, at most a minute.
class SideProcess {
 public:
  SideProcess(EventLoop& loop, const Clock& clock, EventSink& events, std::string name)
      : loop_(loop), clock_(clock), events_(events), name_(std::move(name)) {}
  SideProcess(const SideProcess&) = delete;
  SideProcess& operator=(const SideProcess&) = delete;
  ~SideProcess() { stop(); }

  /// From now on it runs with these words; one that runs with others is ended. Empty: none runs. The same words again
  /// start it anew: what its settings say may have changed.
  void keep(std::vector<std::string> words);
  void stop();
  pid_t process() const { return process_; }

 private:
  void start();
  void ended(int code);

  EventLoop& loop_;
  const Clock& clock_;
  EventSink& events_;
  const std::string name_;
  std::vector<std::string> words_;
  pid_t process_ = 0;
  Duration pause_{};
  std::chrono::steady_clock::time_point started_{};
  EventLoop::Watch exit_;
  EventLoop::Watch again_;
};

}  // namespace audiencesync
