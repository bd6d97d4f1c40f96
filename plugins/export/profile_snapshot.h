#pragma once

#include "engine/plugin/context.h"
#include "engine/plugin/stage.h"

namespace audiencesync {

/// Observes `source.from: profile-snapshot`: the newest batch of the dataset that the platform itself writes once a day
/// for the merge policy (Profile-Snapshot-Export). Nothing is written anywhere; the outputs are those of an export job.
///
/// Errors: NotFinished when the newest one cannot be used yet and the memberships are needed now.
Result<Observed> observe_profile_snapshot(const ObserveRequest& request, ReadContext& context);

}  // namespace audiencesync
