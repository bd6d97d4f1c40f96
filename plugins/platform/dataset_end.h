#pragma once

#include "plugins/platform/datasets.h"

namespace audiencesync::platform {

/// When the platform will delete the dataset by itself; nullopt when nobody asked it to.
std::optional<Time> expiry_of(const Dataset& dataset);

/// Deletes a dataset with every record in it. Repeatable: one that is gone is fine.
Result<void> delete_dataset(http::WriteClient& client, const std::string& id);

/// Asks the platform to delete a dataset at a time, at least a day from now. Errors: Rejected when it was asked before.
Result<void> expire_dataset(http::WriteClient& client, const Dataset& dataset, Time at, const std::string& why);

}  // namespace audiencesync::platform
