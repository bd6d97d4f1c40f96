#pragma once

#include <vector>

#include "engine/base/files.h"
#include "engine/manifest/manifest.h"
#include "engine/membership/difference.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// The files behind the paths of one side: folders are searched with all below them, except for names that begin with
/// '.' or '_', which Spark puts beside its data. `option` names the side in errors.
/// Errors: NotFound; Invalid for nothing, or a snapshot together with anything else.
Result<DifferenceSide> side_of(const Files& files, const std::vector<Path>& paths, std::string_view option);

/// What a membership means for a manifest, without asking the platform: an audience without an id is looked up by its
/// name in the snapshots of both sides.
/// Errors: Invalid with the place of the audience when that does not tell its id.
Result<RelationSpec> offline_relation(const Files& files, const Manifest& manifest, const DifferenceSide& from,
                                      const DifferenceSide& to);

}  // namespace audiencesync
