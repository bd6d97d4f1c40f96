#pragma once

#include <functional>
#include <string_view>

#include "engine/plugin/context.h"

namespace audiencesync::platform {

/// Waits until the platform's lists show what was just made: they lag behind, and an observation that does not see it
/// would make it again. Errors: NotFinished when they do not within ten times `timing.settle`.
Result<void> await_listing(WriteContext& context, std::string_view what,
                           const std::function<Result<bool>()>& is_listed);

}  // namespace audiencesync::platform
