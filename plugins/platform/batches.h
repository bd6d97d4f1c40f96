#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/http/client.h"
#include "plugins/platform/batch.h"

namespace audiencesync::platform {

/// The batch as the catalog has it now; nullopt when it does not know it (yet).
Result<std::optional<Batch>> get_batch(http::ReadClient& client, const std::string& id);

/// All batches of a dataset in any status, oldest first (equal times: by id).
Result<std::vector<Batch>> batches_of(http::ReadClient& client, const std::string& dataset);

/// The same, only those with this `externalId`. Usually one; the platform does not promise it.
Result<std::vector<Batch>> batches_with_external_id(http::ReadClient& client, const std::string& external_id);

/// The batch that holds the rows of `batch` today: itself, or the end of its chain of consolidations.
/// Errors: NotFound when a successor is missing, Corrupt when the chain turns in a circle.
Result<Batch> current_holder(http::ReadClient& client, Batch batch);

}  // namespace audiencesync::platform
