#pragma once

#include <string>

#include "engine/model/change.h"
#include "engine/model/observed.h"
#include "tests/support/world.h"

// What is compared by the contract of stages, as texts whose difference can be read.

namespace audiencesync::testing {

std::string text_of(const Outputs& outputs);
std::string text_of(const Observed& observed);
/// Action and key.
std::string text_of(const Change& change);

/// What stands on the platform for one sync, without ids, versions and times: equal worlds give equal texts.
std::string standing(World& world, const std::string& stage);

}  // namespace audiencesync::testing
