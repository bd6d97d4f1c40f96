#pragma once

#include <optional>
#include <vector>

#include "engine/plugin/context.h"
#include "plugins/platform/datasets.h"

namespace audiencesync {

/// Our dataset that export jobs write into. It holds nothing that cannot be made again.
struct Staging {
  std::optional<platform::Dataset> dataset;
  std::vector<Finding> findings;  // a Refuse when it is not ours to use
};

/// Under which key the id of the staging dataset is remembered.
inline constexpr const char* kStagingMemory = "staging";

/// Name and role of the staging dataset of a sync.
std::string staging_name(const std::string& uid);

/// Finds it by our tags, or by the id remembered when no list shows it. Of several, the oldest is used and the others
/// are reported.
Result<Staging> find_staging(ReadContext& context);

/// Makes it, and waits until the lists show it, so that nobody takes it for missing and makes another.
Result<std::string> create_staging(WriteContext& context);

}  // namespace audiencesync
