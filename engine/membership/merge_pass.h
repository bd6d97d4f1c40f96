#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/membership/comparison.h"
#include "engine/membership/row_sorter.h"

namespace audiencesync {

/// The second half of a comparison: merges sorted rows with the snapshot, section by section on several threads, and
/// writes candidate and changeset in order. Each thread has its own reader of the snapshot and packs one section in
/// memory; a section that grows large waits for its turn and is written as it goes, so memory has a limit.
class MergePass {
 public:
  struct Inputs {
    const RelationSpec& spec;
    const ComparisonScope& scope;
    Comparison::Unchanged unchanged;
    /// One for each thread, all of the same snapshot; empty when nothing was proven yet.
    std::vector<std::unique_ptr<SnapshotReader>>& before;
    const std::vector<std::unique_ptr<RowSorter>>& rows;
    SnapshotWriter& candidate;
    ChangesetWriter& changes;
    std::size_t threads;  // 1: one part, else a part for each section
    /// One for each thread: who is in what, for those whom `rows` have; empty when `rows` say that themselves.
    std::vector<std::unique_ptr<SnapshotReader>>& restored;
  };
  MergePass(Inputs inputs, std::stop_token stop);
  ~MergePass();

  /// Errors: Corrupt, Io, NoSpace, Interrupted.
  Result<ComparisonCounts> run();

 private:
  struct Part;
  struct Lane;
  Result<void> work(std::size_t lane);
  Result<void> compare_range(Lane& lane, const HashRange& range, std::uint64_t number, Part& part);
  Result<void> write_large(std::uint64_t number, Part& part);
  Result<void> hand_over(std::uint64_t number, std::unique_ptr<Part> part);
  void give_up(Error why);

  Inputs in_;
  std::stop_token stop_;
  std::uint64_t count_ = 1;
  std::atomic<std::uint64_t> next_{0};  // part to begin
  std::mutex mutex_;                    // guards what follows and the writers
  std::condition_variable changed_;
  std::uint64_t turn_ = 0;                      // part to write
  std::optional<Error> failure_;                // the first one
  std::vector<std::unique_ptr<Part>> waiting_;  // by number
  ComparisonCounts counts_;
};

}  // namespace audiencesync
