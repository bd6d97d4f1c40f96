#pragma once

#include <string>

#include "engine/plugin/context.h"
#include "plugins/export/export_request.h"

namespace audiencesync {

/// Waits, as `source.wait_for_evaluation` says, until the audiences of the request were evaluated after the newest
/// export that the request could use instead: another export before that would only repeat it.
///
/// The wait began at `since` (server time) and lasts as long as the manifest says, over any number of runs. Gives ""
/// when there is a newer evaluation or nothing to wait for, else a sentence that says that none came.
/// Errors: NotFinished when a wait is long; the next run goes on with it.
Result<std::string> await_evaluation(const ExportRequest& request, Time since, WriteContext& context);

}  // namespace audiencesync
