#pragma once

#include "engine/manifest/manifest.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {

/// Replaces ${NAME} in every scalar value of the tree; $${ stands for ${, and a lone $ is itself.
///
/// Reported, each at its scalar: a name the settings do not list, one that is not set, one that is named like a
/// credential, and a ${ without its }. Keys are left alone, and so is the value of a root key 'extends'.
void substitute_variables(YamlNode& root, const ManifestRules& rules, Problems& problems);

}  // namespace audiencesync
