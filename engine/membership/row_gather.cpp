#include "engine/membership/row_gather.h"

#include <algorithm>

namespace audiencesync {
namespace {

constexpr std::size_t kRowsAhead = 8;  // rows: what is read so far ahead comes in time

bool beyond(const RowRef& row, const RowRef& limit) {
  if (row.hash != limit.hash) return row.hash > limit.hash;
  return row.person() > limit.person();
}

// How many of sorted rows are not beyond the limit. Blocks of as many runs have about as many rows of the same hashes,
// so the end is near.
std::size_t count_within(std::span<const RowRef> rows, const RowRef& limit) {
  std::size_t count = 0;
  while (count < rows.size() && !beyond(rows[count], limit)) ++count;
  return count;
}

}  // namespace

RowGather::RowGather(std::vector<RowRef> in_memory, std::vector<RunCursor> runs, RunScratch& scratch)
    : in_memory_(std::move(in_memory)), runs_(std::move(runs)), scratch_(&scratch) {
  scratch_->sorter.sort(in_memory_);
}

RowGather::~RowGather() {
  for (auto& run : runs_) run.give_back();
}

Result<bool> RowGather::advance() {
  if (next_ == batch_.size()) {
    TRY(gather());
    if (batch_.empty()) return false;
  }
  // Sorted rows lie all over the memory.
  if (next_ + kRowsAhead < batch_.size()) __builtin_prefetch(batch_[next_ + kRowsAhead].at);
  take_person(batch_, next_, row_);
  return true;
}

Result<void> RowGather::gather() {
  batch_.clear();
  next_ = 0;
  // The first end of a block that others follow: what lies before it is in memory.
  const RowRef* limit = nullptr;
  for (std::size_t i = 0; i < runs_.size();) {
    auto& run = runs_[i];
    while (run.rows().empty() && run.more()) TRY(run.load());
    if (run.rows().empty()) {
      run.give_back();
      if (i + 1 != runs_.size()) run = std::move(runs_.back());
      runs_.pop_back();
      continue;
    }
    if (run.more() && (limit == nullptr || beyond(*limit, run.rows().back()))) limit = &run.rows().back();
    ++i;
  }
  std::size_t givers = 0;
  const auto give = [&](std::span<const RowRef> rows) {
    const auto count = limit == nullptr ? rows.size() : count_within(rows, *limit);
    batch_.insert(batch_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count));
    givers += count > 0 ? 1 : 0;
    return count;
  };
  next_in_memory_ += give(std::span<const RowRef>(in_memory_).subspan(next_in_memory_));
  for (auto& run : runs_) run.take(give(run.rows()));
  if (givers > 1) scratch_->sorter.sort(batch_);
  return {};
}

}  // namespace audiencesync
