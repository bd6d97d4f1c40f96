#include "engine/membership/row_sorter.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/membership/row_gather.h"

namespace audiencesync {
namespace {

// Small blocks let more runs be merged at once, and stay in the processor's cache with those of other runs; below this
// the calls to the disk are felt.
constexpr std::size_t kRunBlock = 32 << 10;
// How many more runs the buffer's own memory has blocks for, once it is given back.
constexpr std::size_t kRunsForBuffer = 4;

std::size_t run_block_bytes(MemoryBudget budget) {
  return std::clamp<std::size_t>(budget.bytes / 64, 1 << 10, kRunBlock);
}

}  // namespace

// The whole budget holds rows; what a merge of runs needs beside it is asked for in `finish`.
RowSorter::RowSorter(Files& files, Path folder, std::string name, MemoryBudget budget, std::size_t dictionary,
                     std::uint64_t (*hash)(std::string_view))
    : files_(files),
      folder_(std::move(folder)),
      name_(std::move(name)),
      shape_{run_block_bytes(budget), dictionary, hash},
      buffer_(budget.bytes, dictionary) {}

// A row, where it is referred to twice, and the block as it was stored, of which a thread has one at a time.
std::size_t RowSorter::block_bytes() const { return shape_.block_bytes * 2; }

Result<std::unique_ptr<RunFile>> RowSorter::new_run_file() {
  return RunFile::create(files_, folder_ / fmt::format("{}-{}", name_, files_made_++), shape_);
}

Result<void> RowSorter::spill_and_add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences) {
  TRY(spill());
  if (buffer_.add(hash, person, audiences) == RowBuffer::Added::Yes) return {};
  return Error(ErrorCode::Internal, "a row does not fit into an empty buffer");
}

Result<void> RowSorter::spill() {
  if (!runs_) runs_ = TRY(new_run_file());
  runs_->begin_run(buffer_.size());
  DesiredRow row;
  const auto write = [&](std::vector<RowRef>& rows) -> Result<void> {
    order_.sort(rows);
    for (std::size_t next = 0; next < rows.size();) {
      take_person(rows, next, row);
      TRY(runs_->add(row));
    }
    return {};
  };
  TRY(buffer_.each_part(write));
  TRY(runs_->end_run());
  buffer_.clear();
  return {};
}

Result<void> RowSorter::reduce_runs(std::size_t most_runs) {
  RunScratch scratch;
  while (runs_->runs().size() > most_runs) {
    auto fewer = TRY(new_run_file());
    const auto count = runs_->runs().size();
    for (std::size_t first = 0; first < count; first += most_runs) {
      std::vector<RunCursor> group;
      std::uint64_t rows = 0;
      for (auto run = first; run < std::min(first + most_runs, count); ++run) {
        rows += runs_->rows(runs_->runs()[run]);
        group.emplace_back(*runs_, runs_->runs()[run], HashRange(), scratch);
      }
      RowGather merge({}, std::move(group), scratch);
      fewer->begin_run(rows);
      auto found = TRY(merge.advance());
      while (found) {
        TRY(fewer->add(merge.row()));
        found = TRY(merge.advance());
      }
      TRY(fewer->end_run());
    }
    TRY(fewer->seal());
    runs_ = std::move(fewer);
  }
  return {};
}

Result<void> RowSorter::finish(std::size_t most_runs) {
  if (!runs_) return {};
  most_runs = std::max<std::size_t>(most_runs, 2);
  if (runs() > most_runs) {
    if (!buffer_.empty()) TRY(spill());
    buffer_.release();
    most_runs *= kRunsForBuffer;
  }
  TRY(runs_->seal());
  return reduce_runs(most_runs);
}

std::unique_ptr<RowStream> RowSorter::stream(std::span<const RowSorter* const> sorters, const HashRange& range,
                                             RunScratch& scratch) {
  std::vector<RowRef> in_memory;
  std::vector<RunCursor> runs;
  for (const auto* one : sorters) {
    one->buffer_.collect(range, in_memory);
    if (!one->runs_) continue;
    for (const auto& run : one->runs_->runs()) runs.emplace_back(*one->runs_, run, range, scratch);
  }
  return std::make_unique<RowGather>(std::move(in_memory), std::move(runs), scratch);
}

}  // namespace audiencesync
