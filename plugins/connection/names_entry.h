#pragma once

#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/observed.h"
#include "plugins/platform/connections.h"

namespace audiencesync {

/// The dataset with the names of audiences in a connection, which only a sync with target.name_lookup has.
inline const ResourceKey kConnectedNames{"connection", "names"};

/// What a connection must have to look names up.
Resource wanted_names_entry(const Manifest& manifest);

/// Adds what is to be seen of it, or what a person must do; `dataset` is "" while it is known after apply, `connection`
/// null while it is not clear which is meant. Pure.
void judge_names_entry(const Manifest& manifest, const std::string& dataset, const platform::Connection* connection,
                       Observed& observed);

}  // namespace audiencesync
