#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// Writes the difference between the newest export and the proven snapshot into the target dataset.
StageDescriptor membership_stage();

}  // namespace audiencesync
