#include "engine/membership/run_merge.h"

#include <algorithm>

namespace audiencesync {

Result<RunMerge> RunMerge::start(RunFile& file, std::size_t first, std::size_t last) {
  RunMerge merge;
  for (auto run = first; run < last; ++run) {
    auto& reader = merge.readers_.emplace_back(file.reader(), file.runs()[run]);
    const auto found = TRY(reader.advance());
    if (found) merge.heap_.push_back(merge.readers_.size() - 1);
  }
  for (auto at = merge.heap_.size(); at-- > 0;) merge.sink(at);
  return merge;
}

bool RunMerge::before(std::size_t left, std::size_t right) const {
  const auto& one = readers_[left].row();
  const auto& other = readers_[right].row();
  if (one.hash != other.hash) return one.hash < other.hash;
  return one.person < other.person;
}

void RunMerge::sink(std::size_t at) {
  while (true) {
    auto least = at;
    for (auto child = 2 * at + 1; child < std::min(2 * at + 3, heap_.size()); ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (least == at) return;
    std::swap(heap_[at], heap_[least]);
    at = least;
  }
}

Result<void> RunMerge::advance_top() {
  const auto found = TRY(readers_[heap_.front()].advance());
  if (!found) {
    heap_.front() = heap_.back();
    heap_.pop_back();
  }
  if (!heap_.empty()) sink(0);
  return {};
}

Result<bool> RunMerge::next(DesiredRow& row) {
  if (heap_.empty()) return false;
  const auto& first = readers_[heap_.front()].row();
  person_.assign(first.person);  // advancing may replace the block the view points into
  row.hash = first.hash;
  row.person = person_;
  row.audiences = first.audiences;
  TRY(advance_top());
  bool merged = false;
  while (!heap_.empty()) {
    const auto& other = readers_[heap_.front()].row();
    if (other.hash != row.hash || other.person != row.person) break;
    row.audiences.insert(row.audiences.end(), other.audiences.begin(), other.audiences.end());
    merged = true;
    TRY(advance_top());
  }
  if (merged) {
    std::sort(row.audiences.begin(), row.audiences.end());
    row.audiences.erase(std::unique(row.audiences.begin(), row.audiences.end()), row.audiences.end());
  }
  return true;
}

}  // namespace audiencesync
