#include "engine/membership/run_merge.h"

#include <algorithm>

namespace audiencesync {

Result<RunMerge> RunMerge::start(std::vector<std::unique_ptr<RowStream>> streams) {
  RunMerge merge;
  merge.streams_ = std::move(streams);
  for (const auto& stream : merge.streams_) {
    const auto found = TRY(stream->advance());
    if (found) merge.heap_.push_back({stream->row().hash, stream.get()});
  }
  for (auto at = merge.heap_.size(); at-- > 0;) merge.sink(at);
  return merge;
}

bool RunMerge::before(const Node& left, const Node& right) {
  if (left.hash != right.hash) return left.hash < right.hash;
  return left.stream->row().person < right.stream->row().person;
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
  const auto found = TRY(heap_.front().stream->advance());
  if (found) {
    heap_.front().hash = heap_.front().stream->row().hash;
  } else {
    heap_.front() = heap_.back();
    heap_.pop_back();
  }
  if (heap_.size() > 1) sink(0);
  return {};
}

bool RunMerge::is_top(const Node& other) const {
  return other.hash == heap_.front().hash && same_text(other.stream->row().person, heap_.front().stream->row().person);
}

Result<const DesiredRow*> RunMerge::next() {
  if (top_was_given_) TRY(advance_top());
  top_was_given_ = false;
  if (heap_.empty()) return static_cast<const DesiredRow*>(nullptr);
  // Who equals the top is one of its children.
  const bool alone = (heap_.size() < 2 || !is_top(heap_[1])) && (heap_.size() < 3 || !is_top(heap_[2]));
  if (alone) {
    top_was_given_ = true;
    return &heap_.front().stream->row();
  }
  const auto& first = heap_.front().stream->row();
  person_.assign(first.person);  // advancing may replace the block the view points into
  merged_.hash = first.hash;
  merged_.person = person_;
  merged_.audiences = first.audiences;
  TRY(advance_top());
  while (!heap_.empty() && heap_.front().hash == merged_.hash &&
         same_text(heap_.front().stream->row().person, person_)) {
    const auto& other = heap_.front().stream->row().audiences;
    merged_.audiences.insert(merged_.audiences.end(), other.begin(), other.end());
    TRY(advance_top());
  }
  std::sort(merged_.audiences.begin(), merged_.audiences.end());
  merged_.audiences.erase(std::unique(merged_.audiences.begin(), merged_.audiences.end()), merged_.audiences.end());
  return &merged_;
}

}  // namespace audiencesync
