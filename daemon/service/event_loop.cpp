#include "daemon/service/event_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>

namespace audiencesync {
namespace {

// How late a timer may be: nothing here is worth a wake-up of its own.
constexpr std::uint64_t kAccuracy = 50'000;

Error loop_error(const char* what, int code) {
  return Error(ErrorCode::Io, fmt::format("event loop: cannot {}: {}", what, std::strerror(-code)));
}

std::uint64_t microseconds_of(std::chrono::microseconds since_epoch) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch.count(), 1));
}

// A copy is called: the watch, and with it its call, may go while it runs.
template <class Function, class... Arguments>
int call_shared(void* data, Arguments... arguments) {
  const auto kept = static_cast<std::weak_ptr<Function>*>(data)->lock();
  if (kept) (*kept)(arguments...);
  return 0;
}

// The call, and what the library points to.
template <class Function>
struct Held {
  std::shared_ptr<Function> call;
  std::weak_ptr<Function> weak;
};

template <class Function>
std::pair<std::shared_ptr<void>, void*> hold(Function function) {
  auto held = std::make_shared<Held<Function>>();
  held->call = std::make_shared<Function>(std::move(function));
  held->weak = held->call;
  void* data = &held->weak;
  return {std::move(held), data};
}

}  // namespace

void EventLoop::Watch::Drop::operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }

Result<std::unique_ptr<EventLoop>> EventLoop::make() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&watched, number);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  sd_event* event = nullptr;
  if (const int code = sd_event_new(&event); code < 0) return loop_error("be made", code);
  return std::unique_ptr<EventLoop>(new EventLoop(event));
}

EventLoop::~EventLoop() {
  if (clock_descriptor_ >= 0) ::close(clock_descriptor_);
  sd_event_unref(event_);
}

Result<EventLoop::Watch> EventLoop::signal(int number, Call call) {
  Watch watch;
  auto [held, data] = hold(std::move(call));
  sd_event_source* source = nullptr;
  const int code = sd_event_add_signal(
      event_, &source, number,
      [](sd_event_source*, const signalfd_siginfo*, void* context) { return call_shared<Call>(context); }, data);
  if (code < 0) return loop_error("watch a signal", code);
  watch.call_ = std::move(held);
  watch.source_.reset(source);
  return watch;
}

Result<EventLoop::Watch> EventLoop::readable(int descriptor, Call call) {
  Watch watch;
  auto [held, data] = hold(std::move(call));
  sd_event_source* source = nullptr;
  const int code = sd_event_add_io(
      event_, &source, descriptor, EPOLLIN,
      [](sd_event_source*, int, std::uint32_t, void* context) { return call_shared<Call>(context); }, data);
  if (code < 0) return loop_error("watch a descriptor", code);
  watch.call_ = std::move(held);
  watch.source_.reset(source);
  return watch;
}

Result<EventLoop::Watch> EventLoop::child(pid_t process, ChildCall call) {
  Watch watch;
  auto [held, data] = hold(std::move(call));
  sd_event_source* source = nullptr;
  const int code = sd_event_add_child(
      event_, &source, process, WEXITED,
      [](sd_event_source*, const siginfo_t* info, void* context) {
        const int end = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
        return call_shared<ChildCall>(context, end);
      },
      data);
  if (code < 0) return loop_error("watch a child", code);
  watch.call_ = std::move(held);
  watch.source_.reset(source);
  return watch;
}

Result<EventLoop::Watch> EventLoop::timer(int clock, std::uint64_t microseconds, Call call) {
  Watch watch;
  auto [held, data] = hold(std::move(call));
  sd_event_source* source = nullptr;
  const int code = sd_event_add_time(
      event_, &source, clock, microseconds, kAccuracy,
      [](sd_event_source*, std::uint64_t, void* context) { return call_shared<Call>(context); }, data);
  if (code < 0) return loop_error("set a timer", code);
  watch.call_ = std::move(held);
  watch.source_.reset(source);
  return watch;
}

Result<EventLoop::Watch> EventLoop::at(Time time, Call call) {
  return timer(CLOCK_REALTIME, microseconds_of(time.time_since_epoch()), std::move(call));
}

Result<EventLoop::Watch> EventLoop::at(std::chrono::steady_clock::time_point time, Call call) {
  const auto since = std::chrono::ceil<std::chrono::microseconds>(time.time_since_epoch());
  return timer(CLOCK_MONOTONIC, microseconds_of(since), std::move(call));
}

// A timer that never comes, which the kernel cancels when the wall clock is set.
Result<void> EventLoop::arm_clock() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max() * 16LL;
  const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if (::timerfd_settime(clock_descriptor_, flags, &never, nullptr) == 0) return {};
  return loop_error("watch the clock", -errno);
}

Result<EventLoop::Watch> EventLoop::clock_set(Call call) {
  if (clock_descriptor_ < 0) clock_descriptor_ = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (clock_descriptor_ < 0) return loop_error("watch the clock", -errno);
  TRY(arm_clock());
  return readable(clock_descriptor_, [this, call = std::move(call)] {
    std::uint64_t ticks = 0;
    [[maybe_unused]] const auto got = ::read(clock_descriptor_, &ticks, sizeof ticks);  // says ECANCELED
    (void)arm_clock();
    call();
  });
}

Result<void> EventLoop::run() {
  if (const int code = sd_event_loop(event_); code < 0) return loop_error("go on", code);
  return {};
}

void EventLoop::stop() { sd_event_exit(event_, 0); }

}  // namespace audiencesync
