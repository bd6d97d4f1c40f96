#pragma once

#include <vector>

#include "engine/membership/run_file.h"

namespace audiencesync {

/// Rows of sorted runs, and some in memory, as one sorted stream: every person once, with the union of their rows.
///
/// Not row by row: what all the blocks in memory have up to the first end of one of them is sorted at once, which costs
/// the same for two runs and for a hundred. Memory: a block of each run, whatever their hashes are.
class RowGather final : public RowStream {
 public:
  /// `in_memory` in any order, what it refers to outlives this. `scratch` does too.
  RowGather(std::vector<RowRef> in_memory, std::vector<RunCursor> runs, RunScratch& scratch);
  RowGather(const RowGather&) = delete;
  RowGather& operator=(const RowGather&) = delete;
  ~RowGather() override;

  /// Errors: Io, Corrupt.
  Result<bool> advance() override;

 private:
  Result<void> gather();

  std::vector<RowRef> in_memory_;
  std::size_t next_in_memory_ = 0;
  std::vector<RunCursor> runs_;
  RunScratch* scratch_;
  std::vector<RowRef> batch_;  // sorted
  std::size_t next_ = 0;
};

}  // namespace audiencesync
