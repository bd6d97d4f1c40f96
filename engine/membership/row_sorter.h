#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/membership/row_buffer.h"
#include "engine/membership/run_file.h"

namespace audiencesync {

class RunMerge;

/// How much memory the membership engine may use for rows, whatever the input. The reader of the source has its own.
struct MemoryBudget {
  std::size_t bytes = 96 << 20;
};

/// Takes rows in any order and gives them back sorted by (hash, person), every person once with the union of their
/// audiences. What does not fit into the budget goes to disk as sorted runs, which are merged while reading; with too
/// many runs for one merge some are merged before. docs/adr/0004 says why runs and not partitions.
///
/// One thread. Errors: NoSpace, Io.
class RowSorter {
 public:
  /// Temporary files are made in `folder` under names that begin with `name`.
  RowSorter(Files& files, Path folder, std::string name, MemoryBudget budget, std::size_t dictionary);
  ~RowSorter();

  Result<void> add(std::uint64_t hash, std::string_view person, const Ranks& audiences);
  /// No more rows; `next` may be called from now on.
  Result<void> finish();
  /// False at the end. The row is valid until the next call.
  Result<bool> next(DesiredRow& row);

 private:
  Result<void> spill();
  Result<void> reduce_runs();
  Result<std::unique_ptr<RunFile>> new_run_file();

  Files& files_;
  Path folder_;
  std::string name_;
  std::size_t block_bytes_;
  std::size_t most_runs_;  // merged at once
  RowBuffer buffer_;
  std::unique_ptr<RunFile> runs_;
  int files_made_ = 0;
  std::unique_ptr<RunMerge> merge_;
  bool in_memory_ = true;
};

}  // namespace audiencesync
