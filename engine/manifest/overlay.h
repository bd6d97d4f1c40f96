#pragma once

#include <optional>

#include "engine/manifest/manifest.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {

inline constexpr int kMaxExtends = 5;  // files below the first one

/// Reads a manifest and the files it extends, and lays each over its base: maps merge key by key, everything else
/// replaces. Variables are replaced and secrets refused in each file; every node keeps the place in its own file.
///
/// A base is a relative path that stays in the folder of `path`, also behind symbolic links. nullopt: nothing usable,
/// reported.
std::optional<YamlNode> load_with_bases(const Files& files, const Path& path, const ManifestRules& rules,
                                        Problems& problems);

/// `over` laid over `base`.
YamlNode merge_over(YamlNode base, YamlNode over);

}  // namespace audiencesync
