#pragma once

#include "daemon/commands.h"

namespace audiencesync {

/// Under a daemon: the manifests that the operands name (a name, a uid, the daemon's file, or a file whose text the
/// operator sent), or all that the daemon has accepted. Problems are printed. nullopt: exit 65.
std::optional<std::vector<Manifest>> accepted_manifests(const Options& options, const Settings& settings,
                                                        const Adapters& adapters, const Console& console);

}  // namespace audiencesync
