#pragma once

#include <memory>

#include "daemon/adapters.h"
#include "daemon/gitops/git_checkout.h"
#include "daemon/service/manifest_source.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

/// Where the settings say that the manifests are, for people: a folder, or an address with a branch.
std::string manifest_place(const Settings& settings);

/// Looks once at the branch that the settings name, within manifests.git.deadline, and takes its newest commit over if
/// that may count. A commit that may not, and a remote that cannot be reached, are part of the answer.
/// Errors: Locked while another process looks; Io. Ends the process at the deadline.
Result<GitState> look_at_branch(const Adapters& adapters, const Settings& settings);

/// What is known of the branch, without looking at the remote.
Result<GitState> known_of_branch(Files& files, const Settings& settings);

/// The manifests of the settings' folder or branch as they are now, each judged. The remote is not asked.
Result<ManifestSet> manifests_of_settings(const Adapters& adapters, const Settings& settings);

/// The same for the daemon: watched. `files` and `rules` outlive the source; `config` and `settings.state` are what the
/// other process is started with that looks at a remote.
Result<std::unique_ptr<ManifestSource>> open_manifest_source(Files& files, const Settings& settings,
                                                             const ManifestRules& rules, const Path& config);

}  // namespace audiencesync
