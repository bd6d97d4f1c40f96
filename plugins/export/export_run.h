#pragma once

#include "engine/plugin/context.h"

namespace audiencesync {

/// Starts the job that the change describes, or adopts the one an interrupted attempt started, and waits until its
/// batches are readable and the list of jobs shows it.
///
/// Errors: Rejected when the job or a batch of it failed, with the platform's reasons (the next run starts a new one);
/// Timeout when it ran longer than `deadline_export` and was cancelled; NotFinished while batches are processed
/// or the list lags behind.
Result<Applied> run_export(const Change& change, WriteContext& context);

/// Takes back a batch of an older export. A refusal of the platform is only reported: the rows are merely not needed.
Result<Applied> drop_export_batch(const Change& change, WriteContext& context);

}  // namespace audiencesync
