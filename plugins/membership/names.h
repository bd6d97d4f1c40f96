#pragma once

#include "engine/model/observed.h"
#include "engine/plugin/context.h"

namespace audiencesync {

/// The names of a sync's audiences in its lookup dataset: a row each, with the id as its key.
inline const ResourceKey kNames{"membership", "names"};

/// Adds what is wanted, what the newest batch of ours holds, and older batches that may go. `audiences` is the output
/// of the audiences stage. What a batch holds is told by its tags, so nothing but the catalog is read.
Result<void> observe_names(const Value& audiences, ReadContext& context, Observed& observed);

/// Writes all names as one batch and proves it. Safe to repeat. Errors: Rejected when the platform does not take it.
Result<Applied> write_names(const Change& change, WriteContext& context);

}  // namespace audiencesync
