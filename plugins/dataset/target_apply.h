#pragma once

#include "engine/plugin/context.h"
#include "plugins/platform/datasets.h"

namespace audiencesync {

/// Datasets with the tags of this sync's target, oldest first. When the list of tags shows none, the list of names is
/// asked too: a list that is late or empty by mistake costs one call here, and a second dataset otherwise.
Result<std::vector<platform::Dataset>> target_datasets(const ReadContext& context);

/// Makes the target dataset and waits until it is listed.
Result<Applied> create_target(const Change& change, WriteContext& context);
/// Renames it and puts our tags back; foreign tags stay. Errors: Conflict when it has moved since it was observed.
Result<Applied> update_target(const Change& change, WriteContext& context);

}  // namespace audiencesync
