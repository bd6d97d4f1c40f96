#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/membership/row_buffer.h"
#include "engine/membership/run_file.h"

namespace audiencesync {

/// How much memory the membership engine may use for rows, whatever the input. The reader of the source has its own.
struct MemoryBudget {
  std::size_t bytes = 80'000'000;  // within(256 MB): what limits.memory is where nobody sets it

  /// What is left of the memory of a process for rows, beside the largest reader, DuckDB, and the program itself.
  static constexpr MemoryBudget within(std::size_t process) { return {process / 16 * 5}; }
};

/// Takes rows in any order and gives ranges of them back sorted by (hash, person). What does not fit into the budget
/// goes to disk as sorted runs. docs/adr/0004 says why runs and not partitions.
///
/// One thread fills a sorter; several may read from it. Errors: NoSpace, Io.
class RowSorter {
 public:
  /// Temporary files are made in `folder` under names that begin with `name`.
  /// Ranks are below `dictionary`. `hash`: see RunShape.
  RowSorter(Files& files, Path folder, std::string name, MemoryBudget budget, std::size_t dictionary,
            std::uint64_t (*hash)(std::string_view) = nullptr);

  Result<void> add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences) {
    if (add_quickly(hash, person, audiences)) [[likely]]
      return {};
    return spill_and_add(hash, person, audiences);
  }
  /// Whether there was space; if not nothing happened, and `add` makes some. The answer of `add` alone costs as much.
  bool add_quickly(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences) {
    return buffer_.add(hash, person, audiences) == RowBuffer::Added::Yes;
  }
  /// No more rows. `most_runs`: how many can be read at once beside the budget. With more, the buffer gives its memory
  /// to four times as many; with still more, runs are merged until so many are left.
  Result<void> finish(std::size_t most_runs);

  /// A range of rows, each person once. After `finish`; the sorter and `scratch` must outlive it.
  std::unique_ptr<RowStream> stream(const HashRange& range, RunScratch& scratch) const {
    const RowSorter* const alone = this;
    return stream({&alone, 1}, range, scratch);
  }
  /// The same of several sorters together.
  static std::unique_ptr<RowStream> stream(std::span<const RowSorter* const> sorters, const HashRange& range,
                                           RunScratch& scratch);
  /// Bytes that each stream of a run needs while it is read.
  std::size_t block_bytes() const;
  std::size_t runs() const { return runs_ ? runs_->runs().size() : 0; }

 private:
  Result<void> spill_and_add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences);
  Result<void> spill();
  Result<void> reduce_runs(std::size_t most_runs);
  Result<std::unique_ptr<RunFile>> new_run_file();

  Files& files_;
  Path folder_;
  std::string name_;
  RunShape shape_;
  RowBuffer buffer_;
  std::unique_ptr<RunFile> runs_;
  RowRefSorter order_;
  int files_made_ = 0;
};

}  // namespace audiencesync
