#pragma once

#include <cstdint>

#include "engine/manifest/manifest.h"

namespace audiencesync {

/// True while `part` of `whole` is not more than the limit allows; exactly the limit is allowed. Both halves of a limit
/// must hold, a half that is not given always does.
bool within(const Limit& limit, std::uint64_t part, std::uint64_t whole);

}  // namespace audiencesync
