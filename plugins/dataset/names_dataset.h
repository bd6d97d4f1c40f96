#pragma once

#include "engine/model/observed.h"
#include "engine/plugin/context.h"

namespace audiencesync {

/// The dataset with the names of audiences, which only a sync with target.name_lookup has.
inline const ResourceKey kNamesDataset{"dataset", "names"};

/// Adds what is to be seen of it: found by the id remembered, else by our tags. Output: `names_dataset_id`.
Result<void> observe_names_dataset(const ReadContext& context, Observed& observed);
/// Make it, or put its name and tags right; each as with the target.
Result<Applied> create_names_dataset(const Change& change, WriteContext& context);
Result<Applied> update_names_dataset(const Change& change, WriteContext& context);

}  // namespace audiencesync
