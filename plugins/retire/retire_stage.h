#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// What becomes of the datasets of a sync that is over.
enum class Ending {
  Expire,  // the platform deletes them kRetiredFor from now
  Delete,  // we do, at once
};

inline constexpr std::chrono::hours kRetiredFor{24 * 30};

/// The one stage of a run that ends a sync; no stage of any other run.
///
/// First the target dataset, and the one with the names, have to leave every connection: a person's action, for the
/// platform has no call. Then the datasets of the sync go, those of the exports too. Only what carries the tags of this
/// sync and of this state folder is touched, and nothing that flows into the Real-Time Customer Profile.
StageDescriptor retire_stage(Ending ending);

}  // namespace audiencesync
