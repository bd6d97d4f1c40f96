#include "engine/membership/merge_pass.h"

#include <compare>

#include "engine/membership/desired_rows.h"
#include "engine/membership/sorted_source.h"
#include "engine/membership/workers.h"

namespace audiencesync {
namespace {

// What a part may have packed before it waits for its turn.
constexpr std::size_t kLargePart = 4 << 20;
// How far the threads may be ahead of the part that is written.
constexpr std::uint64_t kAhead = 2;

Error interrupted_merge() { return Error(ErrorCode::Interrupted, "comparing memberships was interrupted"); }

}  // namespace

struct MergePass::Part {
  Part(const Dictionary& dictionary, BlockCompressor& compressor, bool sections)
      : candidate(dictionary, compressor, sections), changes(dictionary, compressor) {}
  SnapshotPart candidate;
  ChangesetPart changes;
};

struct MergePass::Lane {
  Lane(const Inputs& in, SnapshotReader* reader, SnapshotReader* restored_in)
      : before(reader), restored(restored_in), comparison(in.spec, in.scope, in.unchanged) {}
  SnapshotReader* before;
  SnapshotReader* restored;
  LeftOut left_out;
  Comparison comparison;
  BlockCompressor compressor;
  RunScratch scratch;
  std::uint64_t people = 0;
};

// Here, where a part is known: it is owned.
MergePass::MergePass(Inputs inputs, std::stop_token stop) : in_(inputs), stop_(std::move(stop)) {}
MergePass::~MergePass() = default;

Result<ComparisonCounts> MergePass::run() {
  count_ = in_.threads > 1 ? kSections : 1;
  waiting_.resize(count_);
  counts_.audiences = in_.scope.audiences;
  TRY(run_workers(in_.threads, [this](std::size_t lane) { return work(lane); }));
  if (failure_) return std::move(*failure_);
  return std::move(counts_);
}

Result<void> MergePass::work(std::size_t number) {
  Lane lane(in_, in_.before.empty() ? nullptr : in_.before[number].get(),
            in_.restored.empty() ? nullptr : in_.restored[number].get());
  while (true) {
    const auto section = next_++;
    if (section >= count_) break;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return failure_ || section < turn_ + kAhead * in_.threads; });
      if (failure_) return {};
    }
    auto part = std::make_unique<Part>(in_.scope.dictionary, lane.compressor, count_ > 1);
    auto done = compare_range(lane, count_ > 1 ? HashRange::section(section) : HashRange(), section, *part);
    if (done.ok()) done = part->candidate.end();
    if (done.ok()) done = part->changes.end();
    if (done.ok()) done = hand_over(section, std::move(part));
    if (!done.ok()) {
      give_up(std::move(done).error());
      return {};
    }
  }
  const std::lock_guard lock(mutex_);
  counts_.add(lane.comparison.counts());
  counts_.left_out.people += lane.left_out.people;
  counts_.left_out.memberships += lane.left_out.memberships;
  return {};
}

Result<void> MergePass::compare_range(Lane& lane, const HashRange& range, std::uint64_t number, Part& part) {
  auto rows = sorted_stream(in_.rows, range, lane.scratch);
  auto merge = TRY(DesiredRows::start(std::move(rows), in_.spec, in_.scope, lane.restored, range, lane.left_out));
  SnapshotRow known;
  bool more_known = false;
  if (lane.before != nullptr) {
    lane.before->seek(range);
    more_known = TRY(lane.before->next(known));
  }
  const auto* desired = TRY(merge.next());
  while (more_known || desired != nullptr) {
    if ((lane.people++ & 1023U) == 0) {
      if (stop_.stop_requested()) return interrupted_merge();
      if (part.candidate.packed() + part.changes.packed() > kLargePart) TRY(write_large(number, part));
    }
    auto order = std::strong_ordering::less;
    if (!more_known) {
      order = std::strong_ordering::greater;
    } else if (desired != nullptr) {
      order = row_order(known, *desired);
    }
    TRY(lane.comparison.add(order <= 0 ? &known : nullptr, order >= 0 ? desired : nullptr, part.candidate,
                            part.changes));
    if (order <= 0) more_known = TRY(lane.before->next(known));
    if (order >= 0) desired = TRY(merge.next());
  }
  return {};
}

// A part that is at its turn goes to the files as it grows; another one waits until it is.
Result<void> MergePass::write_large(std::uint64_t number, Part& part) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || number == turn_; });
  if (failure_) return interrupted_merge();
  TRY(in_.candidate.take(part.candidate));
  return in_.changes.take(part.changes);
}

Result<void> MergePass::hand_over(std::uint64_t number, std::unique_ptr<Part> part) {
  const std::lock_guard lock(mutex_);
  waiting_[number] = std::move(part);
  while (turn_ < count_ && waiting_[turn_] != nullptr) {
    TRY(in_.candidate.close(waiting_[turn_]->candidate));
    TRY(in_.changes.close(waiting_[turn_]->changes));
    waiting_[turn_].reset();
    ++turn_;
  }
  changed_.notify_all();
  return {};
}

void MergePass::give_up(Error why) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(why);
  changed_.notify_all();
}

}  // namespace audiencesync
