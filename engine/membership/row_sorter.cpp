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

// The whole budget holds rows; what a merge of runs needs beside it is asked for in `finish`.
RowSorter::RowSorter(Files& files, Path folder, std::string name, MemoryBudget budget, std::size_t dictionary)
    : files_(files),
      folder_(std::move(folder)),
      name_(std::move(name)),
      block_bytes_(run_block_bytes(budget)),
      buffer_(budget.bytes, dictionary) {}

Result<std::unique_ptr<RunFile>> RowSorter::new_run_file() {
  return RunFile::create(files_, folder_ / fmt::format("{}-{}", name_, files_made_++), block_bytes_);
}

Result<void> RowSorter::spill_and_add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences) {
  TRY(spill());
  if (buffer_.add(hash, person, audiences) == RowBuffer::Added::Yes) return {};
  return Error(ErrorCode::Internal, "a row does not fit into an empty buffer");
}

Result<void> RowSorter::spill() {
  if (!runs_) runs_ = TRY(new_run_file());
  runs_->begin_run(buffer_.size());
  const auto write = [&](RowStream& rows) -> Result<void> {
    auto found = TRY(rows.advance());
    while (found) {
      TRY(runs_->add(rows.row()));
      found = TRY(rows.advance());
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
      std::vector<std::unique_ptr<RowStream>> group;
      std::uint64_t rows = 0;
      for (auto run = first; run < std::min(first + most_runs, count); ++run) {
        for (const auto& block : runs_->runs()[run].blocks) rows += block.rows;
        group.push_back(std::make_unique<RunReader>(runs_->reader(), runs_->runs()[run], HashRange(), scratch));
      }
      auto merge = TRY(RunMerge::start(std::move(group)));
      fewer->begin_run(rows);
      const auto* row = TRY(merge.next());
      while (row != nullptr) {
        TRY(fewer->add(*row));
        row = TRY(merge.next());
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
  TRY(runs_->seal());
  return reduce_runs(std::max<std::size_t>(most_runs, 2));
}

void RowSorter::streams(std::span<const RowSorter* const> sorters, const HashRange& range, RunScratch& scratch,
                        std::vector<std::unique_ptr<RowStream>>& out) {
  std::vector<const RowBuffer*> buffers;
  for (const auto* one : sorters) {
    if (!one->buffer_.empty()) buffers.push_back(&one->buffer_);
    if (!one->runs_) continue;
    for (const auto& run : one->runs_->runs()) {
      out.push_back(std::make_unique<RunReader>(one->runs_->reader(), run, range, scratch));
    }
  }
  if (!buffers.empty()) out.push_back(RowBuffer::stream(buffers, range));
}

}  // namespace audiencesync
