#pragma once

#include <string_view>

#include "engine/plugin/context.h"

namespace audiencesync {

/// Sends the changed people of a bulk as batches, proves each, and makes its snapshot current.
///
/// Order: batch opened under a new generation, files put, completed, processed with exactly the sent count and no
/// failed record, committed in one transaction. People whose records the platform rejects go to quarantine and keep
/// their old snapshot entry; when it names nobody the batch is halved until one is left. Safe to repeat from any point.
/// Errors: Conflict when the files behind the change are gone (the open batch is aborted first), Rejected when more
/// people are rejected than guard.max_bad_rows allows.
Result<Applied> ingest(const Change& change, WriteContext& context);

/// True when a snapshot is that of the beginning of a full generation: the rest of its people are in the dataset as
/// they were before.
bool is_unfinished(const SnapshotRecord& snapshot);

/// True when a batch's externalId belongs to an attempt to write this bulk.
bool is_attempt_of(std::string_view external_id, const Bulk& bulk);

}  // namespace audiencesync
