#pragma once

#include "engine/plugin/context.h"
#include "engine/plugin/stage.h"

namespace audiencesync {

/// Observes `source.from: files`: which files are there and whether they may be used. Nothing is written anywhere.
///
/// The outputs are those of an export job, with the id of these very files instead of batches, and `files` with their
/// paths. Errors: NotFinished when they cannot be used yet and the memberships are needed now.
Result<Observed> observe_landed_files(const ObserveRequest& request, ReadContext& context);

}  // namespace audiencesync
