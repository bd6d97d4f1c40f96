#pragma once

#include "engine/manifest/field_reader.h"
#include "engine/manifest/manifest.h"

namespace audiencesync {

inline constexpr std::size_t kMaxAudiences = 4'000;  // the platform's limit for one sandbox

/// Reports what is wrong between keys: audiences that are there twice or too many, a field outside the tenant, an
/// organisation or sandbox the settings do not allow. `root` gives the places.
void check_static_rules(const Manifest& manifest, const FieldReader& root, const ManifestRules& rules,
                        Problems& problems);

}  // namespace audiencesync
