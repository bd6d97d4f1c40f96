#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/store/store.h"
#include "plugins/platform/batch.h"

namespace audiencesync {

/// Live batches of ours beyond which everyone is written again, whatever the row rule.
inline constexpr std::size_t kMostLiveBatches = 60;

/// Platform documentation: lake to Customer Journey Analytics takes 90 minutes, reports one to two hours more. Deleting
/// a batch before its successor has arrived would show people in nothing.
inline constexpr Duration kArrivesWithin = std::chrono::hours(3);

/// Why everyone should be written again although only some changed, as a sentence for the plan; nullopt when there is
/// no reason. `written` are the batches of the relation in its dataset, from the log. Pure.
std::optional<std::string> full_generation_due(const Target& target, const std::vector<BatchRecord>& written, Time now);

/// What may be done about batches that a full generation has made superfluous.
struct OldBatches {
  std::vector<BatchRecord> removable;  // oldest first
  std::vector<BatchRecord> shared;     // consolidated with rows that still count: they stay
  std::optional<Time> waits_until;     // there are some, but Customer Journey Analytics may not have the new ones yet
};

/// Sorts out superseded batches of ours that are still in the dataset. Those that still count, and those of others, are
/// never among them. Pure.
OldBatches old_batches(const std::vector<BatchRecord>& written, const std::vector<platform::Batch>& seen, Time now);

}  // namespace audiencesync
