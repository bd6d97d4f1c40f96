#include "engine/membership/workers.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace audiencesync {
namespace {

constexpr unsigned kMostWorkers = 32;

}  // namespace

Result<void> run_workers(std::size_t count, const std::function<Result<void>(std::size_t)>& work) {
  std::vector<Result<void>> results(std::max<std::size_t>(count, 1));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < count; ++i) {
      threads.emplace_back([&, i] { results[i] = work(i); });
    }
    results[0] = work(0);
  }
  for (auto& result : results) TRY(std::move(result));
  return {};
}

std::size_t core_count() { return std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers); }

}  // namespace audiencesync
