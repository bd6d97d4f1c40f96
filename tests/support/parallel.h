#pragma once

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace audiencesync::testing {

/// A number from the environment, for shorter runs under sanitizers: AUDIENCESYNC_SEEDS=20.
inline int number_from_environment(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == 0 ? fallback : std::atoi(text);
}

/// Runs `work(0)` to `work(count - 1)` on as many threads as there are cores; an exception is a finding as well.
/// Returns what each found wrong, in order of the numbers; empty texts mean that nothing was.
inline std::vector<std::string> in_parallel(int count, const std::function<std::string(int)>& work) {
  std::vector<std::string> findings(static_cast<std::size_t>(count));
  std::atomic<int> next{0};
  const auto worker = [&] {
    for (int number = next++; number < count; number = next++) {
      try {
        findings[static_cast<std::size_t>(number)] = work(number);
      } catch (const std::exception& failure) {
        findings[static_cast<std::size_t>(number)] = std::string("exception: ") + failure.what();
      }
    }
  };
  std::vector<std::jthread> threads;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned core = 0; core < cores; ++core) threads.emplace_back(worker);
  threads.clear();
  return findings;
}

}  // namespace audiencesync::testing
