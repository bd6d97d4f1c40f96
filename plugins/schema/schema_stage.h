#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// The schema of the target dataset: a field group that all syncs of a sandbox share, a schema for each identity
/// namespace, and its primary identity. Only ever adds; what it did not make it does not touch.
///
/// Outputs: `field_group_id`, `schema_id` ($id both).
StageDescriptor schema_stage();

}  // namespace audiencesync
