#pragma once

#include "engine/plugin/context.h"

namespace audiencesync {

/// Make one change of the schema stage real. Each finds first what an interrupted attempt may have made, and reads back
/// that the registry's lists show it. Errors: Conflict when the registry has moved since it was observed.
Result<Applied> create_field_group(const Change& change, WriteContext& context);
Result<Applied> extend_field_group(const Change& change, WriteContext& context);
Result<Applied> create_schema(const Change& change, WriteContext& context);
Result<Applied> extend_schema(const Change& change, WriteContext& context);
Result<Applied> create_names_class(const Change& change, WriteContext& context);
Result<Applied> create_names_schema(const Change& change, WriteContext& context);
Result<Applied> create_identity(const Change& change, WriteContext& context);

}  // namespace audiencesync
