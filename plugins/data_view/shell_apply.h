#pragma once

#include "engine/plugin/context.h"

namespace audiencesync {

/// Makes the empty data view of this sync and waits until it is listed. Errors: Rejected with the platform's words when
/// it would not take it, or when the account may not make one.
Result<Applied> create_shell(const Change& change, WriteContext& context);
/// Gives it the declared name again and leaves everything else as it is. Errors: Conflict when it has moved since.
Result<Applied> rename_shell(const Change& change, WriteContext& context);

}  // namespace audiencesync
