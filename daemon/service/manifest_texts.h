#pragma once

#include <map>
#include <string>

#include "engine/base/files.h"
#include "engine/manifest/manifest.h"

namespace audiencesync {

using ManifestTexts = std::map<std::string, std::string>;  // by path, as given to `read`

/// Reads and checks a manifest as load_manifest does, and keeps what was read in `texts`.
Loaded<Manifest> load_manifest_recorded(const Files& files, const Path& path, const ManifestRules& rules,
                                        ManifestTexts& texts);

/// The manifest of texts that were kept; the disk is not looked at.
Loaded<Manifest> load_manifest_of(const ManifestTexts& texts, const Path& path, const ManifestRules& rules);

/// The same, and what was read of them is kept in `read`.
Loaded<Manifest> load_manifest_of(const ManifestTexts& texts, const Path& path, const ManifestRules& rules,
                                  ManifestTexts& read);

}  // namespace audiencesync
