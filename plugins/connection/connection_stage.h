#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// Whether the target dataset is in a connection of Customer Journey Analytics as it must be.
///
/// No API adds it there, so whatever is missing or wrong is a step for a person, checked by reading. Outputs:
/// `connection_id` and `connection_name` of the connection in question as soon as it is known, `ready` (bool: the
/// dataset is in it and nothing is wrong), `native` (bool: the platform's own audience analysis is in it).
StageDescriptor connection_stage();

}  // namespace audiencesync
