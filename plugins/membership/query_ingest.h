#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// Whether a change is one of engine query-service.
bool is_by_query(const Change& change);

/// Writes a changeset into the target by one INSERT out of it, proves the batch by its query, dataset and exact count
/// of records, and makes it current. Errors: Conflict when the target or the changeset is no longer what was planned
/// with; Rejected with the platform's reason.
Result<Applied> ingest_by_query(const Change& change, WriteContext& context);

}  // namespace audiencesync
