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

}  // namespace audiencesync
