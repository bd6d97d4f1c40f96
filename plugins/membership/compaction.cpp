#include "plugins/membership/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace audiencesync {
namespace {

std::string in_days(Duration span) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(span).count();
  return hours % 24 == 0 ? fmt::format("{} d", hours / 24) : fmt::format("{} h", hours);
}

}  // namespace

std::optional<std::string> full_generation_due(const Target& target, const std::vector<BatchRecord>& written,
                                               Time now) {
  std::size_t counting = 0;
  std::optional<Time> last_full;
  for (const auto& batch : written) {
    if (batch.superseded) continue;
    ++counting;
    // What everything later builds on: the first batch that still counts is (the beginning of) a full generation.
    last_full = last_full ? std::min(*last_full, batch.proven) : batch.proven;
  }
  if (counting < 2) return std::nullopt;
  if (counting > kMostLiveBatches) {
    return fmt::format("everyone is written again: {} batches count by now, at most {} should", counting,
                       kMostLiveBatches);
  }
  if (target.row_rule == RowRule::Replace || now - *last_full < target.compact_every) return std::nullopt;
  return fmt::format("everyone is written again: the last full generation is {} old (target.compact_every: {})",
                     in_days(now - *last_full), in_days(target.compact_every));
}

OldBatches old_batches(const std::vector<BatchRecord>& written, const std::vector<platform::Batch>& seen, Time now) {
  std::map<std::string, const platform::Batch*> catalog;
  for (const auto& batch : seen) catalog[batch.id] = &batch;
  std::map<std::string, bool> counts_on;  // holders of rows that still count
  Time newest{};
  for (const auto& record : written) {
    if (record.superseded) continue;
    newest = std::max(newest, record.proven);
    auto found = catalog.find(record.batch);
    while (found != catalog.end() && !found->second->successor.empty()) {
      if (!counts_on.emplace(found->second->successor, true).second) break;
      found = catalog.find(found->second->successor);
    }
  }
  OldBatches old;
  for (const auto& record : written) {
    if (!record.superseded) continue;
    const auto found = catalog.find(record.batch);
    if (found == catalog.end()) continue;
    if (platform::is_live(*found->second)) {
      old.removable.push_back(record);
    } else if (counts_on.contains(found->second->successor)) {
      old.shared.push_back(record);
    }
  }
  std::sort(old.removable.begin(), old.removable.end(),
            [](const auto& left, const auto& right) { return left.generation < right.generation; });
  if (!old.removable.empty() && now < newest + kArrivesWithin) {
    old.waits_until = newest + kArrivesWithin;
    old.removable.clear();
  }
  return old;
}

}  // namespace audiencesync
