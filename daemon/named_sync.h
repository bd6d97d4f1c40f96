#pragma once

#include "daemon/commands.h"

namespace audiencesync {

/// The manifest that one word of the command line means: a file, or the name or uid of a manifest in the settings'
/// folder. Problems of the file are printed; nullopt: exit 65.
/// Errors: NotFound with the names there are.
Result<std::optional<Manifest>> manifest_named(const std::string& word, const Settings& settings,
                                               const Adapters& adapters, const Console& console);

}  // namespace audiencesync
