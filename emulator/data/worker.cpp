#include "emulator/data/worker.h"

#include <chrono>
#include <exception>
#include <utility>

namespace emulator {

Worker::Worker(const Clock& clock, std::function<void(const std::string&)> failed)
    : clock_(clock), failed_(std::move(failed)), thread_([this] { work(); }) {}

Worker::~Worker() { stop(); }

void Worker::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Worker::at(std::int64_t due_ms, Task task) {
  {
    const std::lock_guard guard(mutex_);
    tasks_.emplace(due_ms, std::move(task));
  }
  changed_.notify_all();
}

void Worker::work() {
  std::unique_lock guard(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      changed_.wait(guard);
      continue;
    }
    const auto first = tasks_.begin();
    if (first->first > clock_.now_ms()) {
      // Short, because a control call may move the clock; by the system clock, because thread sanitizers know that
      // wait.
      changed_.wait_until(guard, std::chrono::system_clock::now() + std::chrono::milliseconds(20));
      continue;
    }
    Task task = std::move(first->second);
    tasks_.erase(first);
    guard.unlock();
    try {
      task();
    } catch (const std::exception& error) {
      failed_(error.what());
    }
    task = nullptr;
    guard.lock();
  }
}

}  // namespace emulator
