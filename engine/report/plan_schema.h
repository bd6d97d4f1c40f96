#pragma once

#include "engine/base/value.h"

namespace audiencesync {

/// JSON Schema (draft 2020-12) of what `plan` and `apply` print with --format json: the whole document, with a plan and
/// a verdict for each sync. Members may be added within version 1, so unknown ones are allowed; none is taken away.
Value plan_json_schema();

}  // namespace audiencesync
