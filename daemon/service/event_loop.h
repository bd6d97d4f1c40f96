#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/result.h"

struct sd_event;
struct sd_event_source;

namespace audiencesync {

/// The one loop of the daemon (sd-event): everything is called from it, one after the other, by one thread.
class EventLoop {
 public:
  using Call = std::function<void()>;
  /// How a child ended: its exit code, or 128 + the signal that ended it.
  using ChildCall = std::function<void(int code)>;

  /// Something that is waited for, until this goes away. What it calls may destroy it.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&&) noexcept = default;
    Watch& operator=(Watch&&) noexcept = default;
    explicit operator bool() const { return source_ != nullptr; }

   private:
    friend class EventLoop;
    struct Drop {
      void operator()(sd_event_source* source) const;
    };
    std::shared_ptr<void> call_;  // the library holds a pointer to it; a call that runs shares it
    std::unique_ptr<sd_event_source, Drop> source_;
  };

  /// Blocks the signals that are watched, so that no thread takes them. Errors: Io.
  static Result<std::unique_ptr<EventLoop>> make();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  Result<Watch> signal(int number, Call call);
  Result<Watch> readable(int descriptor, Call call);
  Result<Watch> child(pid_t process, ChildCall call);
  /// Once, at a time of the wall clock, or of the one that only goes on. A time that is over counts as now.
  Result<Watch> at(Time time, Call call);
  Result<Watch> at(std::chrono::steady_clock::time_point time, Call call);
  /// Whenever somebody sets the wall clock.
  Result<Watch> clock_set(Call call);

  /// Until `stop`. Errors: Io when the loop itself fails.
  Result<void> run();
  void stop();

 private:
  explicit EventLoop(sd_event* event) : event_(event) {}
  Result<Watch> timer(int clock, std::uint64_t microseconds, Call call);
  Result<void> arm_clock();

  sd_event* event_;
  int clock_descriptor_ = -1;
};

}  // namespace audiencesync
