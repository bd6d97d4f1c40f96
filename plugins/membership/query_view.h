#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// What the membership stage sees with engine query-service: the counts of a changeset that the platform computed out
/// of the export and the target as it is. No row comes here, and no snapshot is kept: the target is the base.
/// Errors: Unsupported for what needs rows on this machine (reading the target back).
Result<Observed> observe_by_query(const ObserveRequest& request, ReadContext& context);

}  // namespace audiencesync
