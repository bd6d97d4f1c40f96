#pragma once

#include <vector>

#include "engine/manifest/settings.h"
#include "engine/membership/memberships.h"
#include "engine/model/plan.h"
#include "engine/reconcile/pass.h"
#include "engine/store/store.h"

namespace audiencesync {

/// The line of a stage in the plan, from what it saw.
StageState stage_state(const StageView& view);

/// How many people each audience had after the last runs that ended converged, oldest first; `runs` is newest first.
std::map<AudienceId, std::vector<std::uint64_t>> membership_history(const std::vector<RunRecord>& runs);

/// `most` people of each kind of change, masked, with the names of the audiences they enter and leave; the same people
/// for the same changeset. Cost: reads the first few thousand rows of the changeset.
Result<std::vector<Sample>> plan_samples(Memberships& memberships, const Bulk& bulk, const Forgotten& forgotten,
                                         std::size_t most);

/// What the changes take: records, bytes, calls that write.
Cost plan_cost(const std::vector<Change>& changes, const Limits& limits);

}  // namespace audiencesync
