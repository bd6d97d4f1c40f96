#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// The schema of the target dataset: a field group that all syncs of a sandbox share, a schema for each identity
/// namespace, and its primary identity. Only ever adds; what it did not make it does not touch.
///
/// Outputs: `field_group_id`, `schema_id`, and with target.name_lookup `names_class_id`, `names_schema_id` ($id all).
StageDescriptor schema_stage();

}  // namespace audiencesync
