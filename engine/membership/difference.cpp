#include "engine/membership/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <condition_variable>
#include <mutex>

#include "engine/base/json.h"
#include "engine/membership/block_format.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/snapshot.h"
#include "engine/membership/sorted_source.h"
#include "engine/membership/workers.h"

namespace audiencesync {
namespace {

// Rows of both sides from which on several threads compare.
constexpr std::uint64_t kLargeDifference = 1 << 16;
// Lines that a section may have in memory before it waits for its turn.
constexpr std::size_t kLargeSection = 2 << 20;
// How far threads may be ahead of the section that is written, for each of them.
constexpr std::uint64_t kSectionsAhead = 2;
constexpr Rank kUnlisted = UINT16_MAX;

Error interrupted_difference() { return Error(ErrorCode::Interrupted, "comparing memberships was interrupted"); }

/// The relation's audiences by the bytes of their ids: what both sides speak in.
Result<Dictionary> listed_audiences(const RelationSpec& spec) {
  std::vector<DictionaryEntry> entries;
  for (const auto& audience : spec.audiences) entries.push_back({audience.id, "", 0});
  auto dictionary = TRY(Dictionary::make(std::move(entries)));
  if (dictionary.size() == spec.audiences.size()) return dictionary;
  return Error(ErrorCode::Invalid, fmt::format("relation {}: an audience is named twice", spec.relation));
}

/// A range of a snapshot as sorted rows. An audience that was renamed is there twice, and is one here.
class SnapshotRows final : public RowStream {
 public:
  /// Both must outlive this. `listed`: from ranks of the snapshot to those of the relation, or kUnlisted.
  SnapshotRows(SnapshotReader& reader, const std::vector<Rank>& listed, const HashRange& range)
      : reader_(reader), listed_(listed) {
    reader_.seek(range);
  }

  Result<bool> advance() override {
    while (true) {
      const auto found = TRY(reader_.next(stored_));
      if (!found) return false;
      row_.audiences.clear();
      for (const auto rank : stored_.audiences) {
        const auto own = listed_[rank];
        if (own == kUnlisted || (!row_.audiences.empty() && row_.audiences.back() == own)) continue;
        row_.audiences.push_back(own);
      }
      if (row_.audiences.empty()) continue;
      row_.hash = stored_.hash;
      row_.person = stored_.person;
      return true;
    }
  }

 private:
  SnapshotReader& reader_;
  const std::vector<Rank>& listed_;
  SnapshotRow stored_;
};

/// One side, ready to be read by any range of hashes.
struct OpenSide {
  SortedSource sorted;
  std::vector<std::unique_ptr<SnapshotReader>> readers;  // one for each thread
  std::vector<Rank> listed;
  std::uint64_t rows = 0;
  DroppedRows dropped;

  Result<void> open_snapshot(const Files& files, const Path& path, const Dictionary& audiences, std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) {
      auto reader = TRY(SnapshotReader::open(files, path));
      readers.push_back(std::move(reader));
    }
    const auto& own = readers.front()->dictionary();
    for (std::size_t rank = 0; rank < own.size(); ++rank) {
      listed.push_back(audiences.find(own.entry(static_cast<Rank>(rank)).id, "").value_or(kUnlisted));
    }
    rows = readers.front()->rows();
    return {};
  }

  std::unique_ptr<RowStream> stream(std::size_t lane, const HashRange& range, RunScratch& scratch) const {
    if (readers.empty()) return sorted_stream(sorted, range, scratch);
    return std::make_unique<SnapshotRows>(*readers[lane], listed, range);
  }
};

/// Writes the lines of sections in their order, whichever thread ends first. Memory: a few sections, each of a limited
/// size.
class OrderedLines {
 public:
  OrderedLines(const Difference::Writer& write, std::uint64_t sections, std::size_t threads)
      : write_(write), ahead_(kSectionsAhead * threads), lines_(sections), done_(sections, false) {}

  /// The next section to compare; nullopt when there is none, or something failed.
  std::optional<std::uint64_t> begin() {
    std::unique_lock lock(mutex_);
    const auto section = next_++;
    if (section >= done_.size()) return std::nullopt;
    changed_.wait(lock, [&] { return failure_ || section < turn_ + ahead_; });
    return failure_ ? std::nullopt : std::optional(section);
  }

  /// Writes the beginning of a section that grew large, once all before it are written.
  Result<void> write_early(std::uint64_t section, std::string& lines) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || section == turn_; });
    TRY(write_out(lines));
    lines.clear();
    return {};
  }

  Result<void> end(std::uint64_t section, std::string lines) {
    const std::lock_guard lock(mutex_);
    lines_[section] = std::move(lines);
    done_[section] = true;
    while (turn_ < done_.size() && done_[turn_]) {
      TRY(write_out(lines_[turn_]));
      // To assign an empty text would keep the memory, section for section.
      std::string().swap(lines_[turn_]);
      ++turn_;
    }
    changed_.notify_all();
    return {};
  }

  void give_up(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = why;
    changed_.notify_all();
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  // Under the lock: whoever comes after a failure must find it.
  Result<void> write_out(const std::string& lines) {
    if (failure_) return *failure_;
    if (lines.empty()) return {};
    auto written = write_(lines);
    if (!written.ok()) failure_ = written.error();
    return written;
  }

  const Difference::Writer& write_;
  std::uint64_t ahead_;
  std::mutex mutex_;  // guards what follows, and the writing
  std::condition_variable changed_;
  std::uint64_t next_ = 0;
  std::uint64_t turn_ = 0;
  std::vector<std::string> lines_;
  std::vector<bool> done_;
  std::optional<Error> failure_;
};

/// One thread's comparison: lines and counts.
class DifferenceLane {
 public:
  DifferenceLane(std::size_t number, const OpenSide& from, const OpenSide& to, const Dictionary& audiences,
                 std::stop_token stop)
      : number_(number), from_(from), to_(to), stop_(std::move(stop)) {
    for (std::size_t rank = 0; rank < audiences.size(); ++rank) {
      quoted_.emplace_back();
      append_json_string(quoted_.back(), audiences.entry(static_cast<Rank>(rank)).id);
    }
    counts_.audiences.resize(audiences.size());
  }

  Result<void> work(OrderedLines& out, std::uint64_t sections) {
    for (auto section = out.begin(); section; section = out.begin()) {
      lines_.clear();
      TRY(compare(sections == 1 ? HashRange() : HashRange::section(*section), *section, out));
      TRY(out.end(*section, std::move(lines_)));
    }
    return {};
  }
  const DifferenceCounts& counts() const { return counts_; }

 private:
  Result<void> compare(const HashRange& range, std::uint64_t section, OrderedLines& out) {
    const auto before = from_.stream(number_, range, scratch_);
    const auto after = to_.stream(number_, range, scratch_);
    const auto* old_row = TRY(next_row(*before));
    const auto* new_row = TRY(next_row(*after));
    while (old_row != nullptr || new_row != nullptr) {
      if ((people_++ & 1023U) == 0) {
        if (stop_.stop_requested()) return interrupted_difference();
        if (lines_.size() > kLargeSection) TRY(out.write_early(section, lines_));
      }
      auto order = std::strong_ordering::less;
      if (old_row == nullptr) {
        order = std::strong_ordering::greater;
      } else if (new_row != nullptr) {
        order = row_order(*old_row, *new_row);
      }
      add(order <= 0 ? old_row : nullptr, order >= 0 ? new_row : nullptr);
      if (order <= 0) old_row = TRY(next_row(*before));
      if (order >= 0) new_row = TRY(next_row(*after));
    }
    return {};
  }

  void add(const DesiredRow* before, const DesiredRow* after) {
    static const Ranks kNone;
    const auto& was = before != nullptr ? before->audiences : kNone;
    const auto& is = after != nullptr ? after->audiences : kNone;
    if (before != nullptr) ++counts_.from.people;
    if (after != nullptr) ++counts_.to.people;
    for (const auto rank : was) ++counts_.audiences[rank].before;
    for (const auto rank : is) ++counts_.audiences[rank].after;
    if (was == is) return;
    ++counts_.people;
    lines_ += "{\"personID\":";
    append_json_string(lines_, before != nullptr ? before->person : after->person);
    lines_ += ",\"entered\":[";
    append_missing(is, was, &AudienceDelta::entered);
    lines_ += "],\"left\":[";
    append_missing(was, is, &AudienceDelta::left);
    lines_ += "]}\n";
  }

  // Those of `all` that `other` lacks; both are sorted.
  void append_missing(const Ranks& all, const Ranks& other, std::uint64_t AudienceDelta::*counter) {
    auto at = other.begin();
    bool first = true;
    for (const auto rank : all) {
      while (at != other.end() && *at < rank) ++at;
      if (at != other.end() && *at == rank) continue;
      if (!first) lines_ += ',';
      first = false;
      lines_ += quoted_[rank];
      ++(counts_.audiences[rank].*counter);
    }
  }

  std::size_t number_;
  const OpenSide& from_;
  const OpenSide& to_;
  std::stop_token stop_;
  std::vector<std::string> quoted_;  // ids as JSON, by rank
  RunScratch scratch_;
  std::string lines_;
  std::uint64_t people_ = 0;
  DifferenceCounts counts_;
};

void add_counts(DifferenceCounts& to, const DifferenceCounts& from) {
  to.from.people += from.from.people;
  to.to.people += from.to.people;
  to.people += from.people;
  for (std::size_t i = 0; i < to.audiences.size(); ++i) {
    to.audiences[i].before += from.audiences[i].before;
    to.audiences[i].after += from.audiences[i].after;
    to.audiences[i].entered += from.audiences[i].entered;
    to.audiences[i].left += from.audiences[i].left;
  }
}

}  // namespace

Difference::Difference(Files& files, PersonSource& source, Path folder, MemoryBudget budget)
    : Difference(files, source, std::move(folder), budget, person_hash) {}

Difference::Difference(Files& files, PersonSource& source, Path folder, MemoryBudget budget,
                       LocalMemberships::PersonHash hash)
    : files_(files), source_(source), folder_(std::move(folder)), budget_(budget), hash_(hash) {}

Result<DifferenceCounts> Difference::run(const RelationSpec& spec, const DifferenceSide& from, const DifferenceSide& to,
                                         const Writer& write, std::stop_token stop) {
  const auto audiences = TRY(listed_audiences(spec));
  std::vector<Rank> targets;
  for (const auto& one : spec.audiences) targets.push_back(audiences.find(one.id, "").value_or(0));
  const auto cores = core_count();
  // Two exports share the memory; a snapshot needs next to none.
  const auto exports = (from.snapshot ? 0 : 1) + (to.snapshot ? 0 : 1);
  const MemoryBudget budget{budget_.bytes / std::max(exports, 1)};
  const auto open = [&](const DifferenceSide& side, const char* name) -> Result<OpenSide> {
    OpenSide opened;
    if (side.snapshot) {
      TRY(opened.open_snapshot(files_, *side.snapshot, audiences, std::max<std::size_t>(cores, 1)));
      return opened;
    }
    const SortingPlace place{files_, folder_, name, budget, cores, hash_};
    opened.sorted =
        TRY(sort_source(place, source_, side.exported, spec, targets, audiences.size(), opened.dropped, stop));
    opened.rows = opened.dropped.read;
    return opened;
  };
  // Snapshots first: should one be damaged, no export is read for nothing.
  OpenSide sides[2];
  for (const bool snapshots : {true, false}) {
    if (from.snapshot.has_value() == snapshots) sides[0] = TRY(open(from, "from"));
    if (to.snapshot.has_value() == snapshots) sides[1] = TRY(open(to, "to"));
  }
  const bool large = sides[0].rows + sides[1].rows >= kLargeDifference;
  const std::uint64_t sections = large ? kSections : 1;
  const auto threads = large ? cores : 1;
  OrderedLines out(write, sections, threads);
  std::vector<std::unique_ptr<DifferenceLane>> lanes;
  for (std::size_t i = 0; i < threads; ++i) {
    lanes.push_back(std::make_unique<DifferenceLane>(i, sides[0], sides[1], audiences, stop));
  }
  TRY(run_workers(threads, [&](std::size_t number) -> Result<void> {
    auto done = lanes[number]->work(out, sections);
    if (!done.ok()) out.give_up(done.error());
    return {};
  }));
  if (out.failure()) return *out.failure();

  DifferenceCounts counts;
  counts.audiences.resize(audiences.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    counts.audiences[targets[i]] = {.id = spec.audiences[i].id, .name = spec.audiences[i].name};
  }
  for (const auto& lane : lanes) add_counts(counts, lane->counts());
  counts.from.dropped = sides[0].dropped;
  counts.to.dropped = sides[1].dropped;
  return counts;
}

Result<std::vector<AudiencePeople>> audiences_of_snapshot(const Files& files, const Path& path) {
  const auto reader = TRY(SnapshotReader::open(files, path));
  std::vector<AudiencePeople> audiences;
  for (std::size_t rank = 0; rank < reader->dictionary().size(); ++rank) {
    const auto& entry = reader->dictionary().entry(static_cast<Rank>(rank));
    audiences.push_back({entry.id, entry.name, reader->people()[rank]});
  }
  return audiences;
}

Result<bool> is_membership_file(const Files& files, const Path& path) {
  const auto file = TRY(files.open(path));
  std::string first(kBlockMagic.size(), '\0');
  const auto count = TRY(file->read_at(0, first));
  return count == first.size() && first == kBlockMagic;
}

}  // namespace audiencesync
