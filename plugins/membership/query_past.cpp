#include "plugins/membership/query_past.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plugins/membership/findings.h"
#include "plugins/membership/past.h"

namespace audiencesync {
namespace {

constexpr std::size_t kEveryRun = 1'000'000;

/// Which states of the past the dataset still has.
class Reachable {
 public:
  Reachable(const std::string& relation, const LedgerInput& ledger) : relation_(relation), ledger_(ledger) {}

  /// A batch that a state needs and the dataset no longer has.
  Result<std::optional<BatchRecord>> lacks(std::int64_t generation) {
    std::int64_t full = 0;  // everyone was written from this generation on
    for (const auto& record : ledger_.written) {
      if (counts(record) && record.generation <= generation) full = std::max(full, record.supersedes_below);
    }
    for (const auto& record : ledger_.written) {
      if (!counts(record) || record.generation > generation || record.generation < full) continue;
      if (!TRY(is_there(record))) return std::optional(record);
    }
    return std::optional<BatchRecord>();
  }

 private:
  bool counts(const BatchRecord& record) const {
    return record.relation == relation_ && record.dataset == ledger_.dataset;
  }

  Result<bool> is_there(const BatchRecord& record) {
    const auto known = there_.find(record.batch);
    if (known != there_.end()) return known->second;
    const bool there = TRY(rows_are_there(ledger_, record.batch));
    there_.emplace(record.batch, there);
    return there;
  }

  const std::string& relation_;
  const LedgerInput& ledger_;
  std::map<std::string, bool> there_;
};

// Which audiences were in the sync then, also those that nobody was in: by the manifest that wrote that state. Of one
// that it has by name only, a run that counted it tells the id.
std::set<AudienceId> audiences_then(const std::vector<RunRecord>& runs, std::int64_t first, std::int64_t last) {
  std::set<AudienceId> ids;
  std::set<std::string> names;
  for (const auto& run : runs) {
    if (run.id != first) continue;
    for (const auto& audience : run.manifest.items("audiences")) {
      const auto id = audience.text("id");
      if (id.empty()) {
        names.insert(audience.text("name"));
      } else {
        ids.insert(id);
      }
    }
  }
  for (const auto& run : runs) {
    if (run.id < first || run.id > last) continue;
    for (const auto& audience : run.summary.items("memberships")) {
      if (names.contains(audience.text("name"))) ids.insert(audience.text("id"));
    }
  }
  return ids;
}

}  // namespace

Result<PastState> past_state(std::int64_t run, const std::string& relation, const LedgerInput& ledger,
                             const ReadContext& context) {
  const auto snapshots = TRY(context.records().past_snapshots(relation, kAllSnapshots));
  const auto found = std::find_if(snapshots.begin(), snapshots.end(),
                                  [&](const PastSnapshot& snapshot) { return snapshot.run <= run; });
  if (found == snapshots.end()) return nothing_proven_by(run);
  Reachable reachable(relation, ledger);
  std::optional<std::int64_t> oldest;
  for (auto each = snapshots.begin(); each != std::next(found); ++each) {
    const auto& record = each->record;
    const auto lost = record.dataset == ledger.dataset ? TRY(reachable.lacks(record.generation)) : std::nullopt;
    if (record.dataset == ledger.dataset && !lost) {
      oldest = each->run;
      continue;
    }
    if (each != found) continue;
    const auto why = lost ? fmt::format("batch {} of generation {}, which they need, is no longer in dataset {}",
                                        lost->batch, lost->generation, ledger.dataset)
                          : fmt::format("they were written to dataset {}, not to {}", record.dataset, ledger.dataset);
    const auto reach = oldest ? fmt::format("the dataset goes back to run {}", *oldest)
                              : std::string("the dataset has none of the past");
    return Error(ErrorCode::NotFound,
                 fmt::format("the memberships after run {} cannot be had from the target dataset any more: {}; {}; "
                             "engine: local keeps its own past from its first run on",
                             run, why, reach));
  }
  PastState past;
  past.restore.generation = found->record.generation;
  past.people = found->record.people;
  const auto runs = TRY(context.records().runs(context.manifest().uid, kEveryRun));
  past.restore.audiences = audiences_then(runs, found->run, run);
  return past;
}

}  // namespace audiencesync
