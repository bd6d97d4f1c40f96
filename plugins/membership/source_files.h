#pragma once

#include <string>
#include <vector>

#include "engine/membership/relation_spec.h"
#include "engine/plugin/context.h"

namespace audiencesync {

/// Fetches the Parquet files of export batches into `folder`; files already there with the right length are kept.
///
/// Follows consolidations. Errors: NotFound when a batch has no readable rows any more, and those of the client.
Result<std::vector<Path>> fetch_source_files(ReadContext& context, const std::vector<std::string>& batches,
                                             const Path& folder);

/// Succeeds when files on this machine are those that `id` names (LandedFiles::id). Errors: Conflict when one has
/// changed or is gone since.
Result<void> check_unchanged(ReadContext& context, const std::vector<Path>& files, const std::string& id);

}  // namespace audiencesync
