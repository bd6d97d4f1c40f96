#pragma once

#include <stop_token>

#include "daemon/adapters.h"
#include "engine/model/outcome.h"

namespace audiencesync {

/// One run of one sync for the daemon: unattended, so the first plan and changed definitions are held for an approval,
/// and everything else is applied within the guards. Tells its end as the event `run.over`.
ExitCode run_child(const Adapters& adapters, std::stop_token stop);

}  // namespace audiencesync
