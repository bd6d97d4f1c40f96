#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// Brings the people of the declared audiences into our staging dataset and says which batches hold them.
///
/// Outputs, once there is a usable export: `dataset` (staging), `job`, `batches` (ids as the job named them: the pinned
/// source), `holders` (batches that hold these rows today; they differ after a consolidation), `profiles` (rows),
/// `created` (ms since the epoch, server time).
StageDescriptor export_stage();

}  // namespace audiencesync
