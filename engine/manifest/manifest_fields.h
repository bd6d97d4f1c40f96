#pragma once

#include "engine/manifest/field_table.h"

namespace audiencesync {

/// Every key of a manifest, `extends` included. Safe for threads.
const FieldTable& manifest_fields();

/// Every key of the settings file. Safe for threads.
const FieldTable& settings_fields();

}  // namespace audiencesync
