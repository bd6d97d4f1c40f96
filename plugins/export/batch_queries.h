#pragma once

#include "engine/plugin/stage.h"

// Whether the organisation may run batch queries, which engine query-service needs: asked before an export is made.

namespace audiencesync {

inline const ResourceKey kBatchQueriesKey{"export", "batch-queries"};

/// Adds the resource when it was once seen that they may run: for this state folder and these credentials. What was
/// seen is remembered with its date. Reads the log of queries when nothing is remembered.
Result<void> observe_batch_queries(const ReadContext& context, Observed& observed);

/// Tries it: a CREATE TABLE AS of one row, which is dropped again. Errors: Unsupported with the platform's words,
/// naming engine local, when they may not run; Rejected when the statement failed for another reason.
Result<Applied> try_batch_queries(WriteContext& context);

}  // namespace audiencesync
