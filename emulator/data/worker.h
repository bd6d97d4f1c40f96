#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "emulator/state/clock.h"

namespace emulator {

/// One thread that runs tasks when the platform's clock says they are due, in the order of their due times.
///
/// A task that throws is reported to `failed` and forgotten. Tasks may schedule tasks. Nothing is kept across a
/// restart: who schedules writes the state down and schedules again. The clock has no alarm, so while tasks wait
/// the thread looks at it some fifty times a second.
class Worker {
 public:
  using Task = std::function<void()>;

  Worker(const Clock& clock, std::function<void(const std::string&)> failed);
  ~Worker();
  /// Waits for the task that runs; the waiting ones are dropped, and later ones too.
  void stop();

  /// Runs `task` once the clock shows `due_ms` (epoch milliseconds) or later. Any thread.
  void at(std::int64_t due_ms, Task task);

 private:
  void work();

  const Clock& clock_;
  std::function<void(const std::string&)> failed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::int64_t, Task> tasks_;  // equal due times keep the order they came in
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace emulator
