#pragma once

#include <memory>

#include "daemon/gitops/git_repository.h"

namespace audiencesync {

/// Opens the bare repository in a folder, and makes it when there is none. A damaged one is made anew: all of it can be
/// fetched again. Errors: Io.
Result<std::unique_ptr<GitRepository>> open_git_repository(Files& files, const Path& folder);

}  // namespace audiencesync
