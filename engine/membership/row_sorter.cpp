#include "engine/membership/row_sorter.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/membership/run_merge.h"

namespace audiencesync {
namespace {

// Small blocks let more runs be merged at once; below this, compression and the calls to the disk suffer.
constexpr std::size_t kRunBlock = 64 << 10;

std::size_t run_block_bytes(MemoryBudget budget) {
  return std::clamp<std::size_t>(budget.bytes / 64, 1 << 10, kRunBlock);
}

}  // namespace

// While rows come in, the buffer has all of the budget; while runs are merged, each has its block twice (as stored and
// raw) and a decompressor (about as much again).
RowSorter::RowSorter(Files& files, Path folder, std::string name, MemoryBudget budget, std::size_t dictionary)
    : files_(files),
      folder_(std::move(folder)),
      name_(std::move(name)),
      block_bytes_(run_block_bytes(budget)),
      most_runs_(std::max<std::size_t>(budget.bytes / 2 / (4 * block_bytes_), 2)),
      buffer_(budget.bytes / 2, dictionary) {}

RowSorter::~RowSorter() = default;

Result<std::unique_ptr<RunFile>> RowSorter::new_run_file() {
  return RunFile::create(files_, folder_ / fmt::format("{}-{}", name_, files_made_++), block_bytes_);
}

Result<void> RowSorter::add(std::uint64_t hash, std::string_view person, const Ranks& audiences) {
  if (buffer_.add(hash, person, audiences) == RowBuffer::Added::Yes) return {};
  TRY(spill());
  if (buffer_.add(hash, person, audiences) == RowBuffer::Added::Yes) return {};
  return Error(ErrorCode::Internal, "a row does not fit into an empty buffer");
}

Result<void> RowSorter::spill() {
  if (!runs_) runs_ = TRY(new_run_file());
  buffer_.sort();
  runs_->begin_run();
  DesiredRow row;
  while (buffer_.next(row)) TRY(runs_->add(row));
  TRY(runs_->end_run());
  buffer_.clear();
  in_memory_ = false;
  return {};
}

Result<void> RowSorter::reduce_runs() {
  while (runs_->runs().size() > most_runs_) {
    auto fewer = TRY(new_run_file());
    const auto count = runs_->runs().size();
    for (std::size_t first = 0; first < count; first += most_runs_) {
      auto merge = TRY(RunMerge::start(*runs_, first, std::min(first + most_runs_, count)));
      fewer->begin_run();
      DesiredRow row;
      auto found = TRY(merge.next(row));
      while (found) {
        TRY(fewer->add(row));
        found = TRY(merge.next(row));
      }
      TRY(fewer->end_run());
    }
    TRY(fewer->seal());
    runs_ = std::move(fewer);
  }
  return {};
}

Result<void> RowSorter::finish() {
  if (in_memory_) {
    buffer_.sort();
    return {};
  }
  if (!buffer_.empty()) TRY(spill());
  buffer_ = RowBuffer(0, 0);  // its memory is the merge's now
  TRY(runs_->seal());
  TRY(reduce_runs());
  auto merge = TRY(RunMerge::start(*runs_, 0, runs_->runs().size()));
  merge_ = std::make_unique<RunMerge>(std::move(merge));
  return {};
}

Result<bool> RowSorter::next(DesiredRow& row) {
  if (in_memory_) return buffer_.next(row);
  return merge_->next(row);
}

}  // namespace audiencesync
