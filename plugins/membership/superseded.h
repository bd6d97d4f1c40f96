#pragma once

#include "engine/plugin/context.h"

namespace audiencesync {

/// Takes one batch of an earlier generation out of the target dataset and waits until it is inactive, so that the next
/// older one never goes after a newer one. Safe to repeat. Errors: Conflict when the batch is not in our dataset,
/// NotFinished when it stays live past the deadline of a batch, Rejected when the platform refuses.
Result<Applied> remove_superseded(const Change& change, WriteContext& context);

}  // namespace audiencesync
