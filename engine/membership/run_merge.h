#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "engine/membership/run_file.h"

namespace audiencesync {

/// Several sorted runs as one: every person once, with the union of their audiences. Memory: one block a run.
class RunMerge {
 public:
  /// Runs [first, last) of a sealed file, which must outlive this.
  static Result<RunMerge> start(RunFile& file, std::size_t first, std::size_t last);

  /// False at the end. The row is valid until the next call.
  Result<bool> next(DesiredRow& row);

 private:
  RunMerge() = default;
  void sink(std::size_t at);
  bool before(std::size_t left, std::size_t right) const;
  Result<void> advance_top();

  std::deque<RunReader> readers_;  // stable addresses
  std::vector<std::size_t> heap_;  // of readers that have a row, smallest first
  std::string person_;
};

}  // namespace audiencesync
