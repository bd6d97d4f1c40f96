#pragma once

#include "engine/plugin/context.h"
#include "plugins/platform/datasets.h"

namespace audiencesync {

/// One of the datasets that a sync has.
struct OwnDataset {
  const char* role;
  std::string name;    // of a new one
  const char* output;  // that its id is handed on as
  std::string holds;   // for its description
};

/// Datasets with the tags of this sync in that role, oldest first. When the list of tags shows none, the list of names
/// is asked too: a list that is late or empty by mistake costs one call here, and a second dataset otherwise.
Result<std::vector<platform::Dataset>> own_datasets(const ReadContext& context, const OwnDataset& which);
/// Makes it and waits until it is listed.
Result<Applied> create_own_dataset(const Change& change, WriteContext& context, const OwnDataset& which);
/// Renames it and puts our tags back; foreign tags stay. Errors: Conflict when it has moved since it was observed.
Result<Applied> update_own_dataset(const Change& change, WriteContext& context, const OwnDataset& which,
                                   const std::string& id);

Result<std::vector<platform::Dataset>> target_datasets(const ReadContext& context);

Result<Applied> create_target(const Change& change, WriteContext& context);
Result<Applied> update_target(const Change& change, WriteContext& context);

}  // namespace audiencesync
