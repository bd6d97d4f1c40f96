#pragma once

#include <string>

#include "engine/plugin/context.h"
#include "plugins/membership/ledger.h"

namespace audiencesync {

/// The changed people of a sync, as a resource.
inline const ResourceKey kPeopleKey{"membership", "people"};
/// What we know of the target dataset, as a resource: a repair makes it true again.
inline const ResourceKey kSnapshotKey{"membership", "snapshot"};

/// The state of the target dataset beside the log: reads the list of its batches.
Result<LedgerInput> ledger_input(const std::string& dataset, const std::string& relation, bool take_over,
                                 ReadContext& context);

/// Generations below it no longer count, by the log; 0 when it knows no batch of the dataset.
std::int64_t oldest_counting(const LedgerInput& input);

}  // namespace audiencesync
