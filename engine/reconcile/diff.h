#pragma once

#include <vector>

#include "engine/model/change.h"
#include "engine/model/observed.h"
#include "engine/plugin/stage.h"

namespace audiencesync {

/// Lists what must happen so that `observed` becomes `desired`, by the rules of one stage.
///
/// Only the fields a desired resource names are compared; a field that is a Ref, still unknown, counts as equal when
/// the object exists. Memberships that differ (`Resource::pending` with people) become one Ingest. Order: as desired
/// lists them, then deletions by key. A guide of the observation gives a change its reason and steps; where nothing
/// could be checked nothing changes. Never fails, does no I/O.
std::vector<Change> diff(const std::vector<Resource>& desired, const Observed& observed,
                         const std::vector<ResourceRule>& rules);

/// Whether a change of this resource is a repair (ResourceRule::repair).
bool is_repair(const std::vector<ResourceRule>& rules, const ResourceKey& key);

/// Whether it only makes a scratch dataset (ResourceRule::scratch).
bool is_scratch(const std::vector<ResourceRule>& rules, const ResourceKey& key);

/// True when `observed` holds everything `wanted` says: objects member by member, arrays element by element.
bool contains(const Value& observed, const Value& wanted);

}  // namespace audiencesync
