#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// The dataset that holds the memberships for Customer Journey Analytics.
///
/// It is found by the id remembered from an earlier run, else by `target.dataset_id`, else by our tags; its name is
/// only a label. One that vanished is never made again silently, because the ids of components in Customer Journey
/// Analytics carry the dataset's id. Output: `dataset_id`; with target.name_lookup
/// `names_dataset_id`.
StageDescriptor dataset_stage();

}  // namespace audiencesync
