#pragma once

#include <optional>
#include <string>

#include "engine/plugin/context.h"
#include "engine/plugin/stage.h"

namespace audiencesync {

/// What to do about a source that nobody of ours can make fresher: it may come by itself.
///
/// A run that was to compute the memberships exactly ends as NotFinished, to be tried again later; a dry plan goes on
/// and says why the memberships are not known.
Result<void> not_ready(const ObserveRequest& request, std::string why, Observed& observed);

/// Why something of that age is too old for `source.max_age`; nullopt when it is not. A held plan may be older than
/// what a new one would use. `what` begins the sentence: "the newest file at ...".
std::optional<std::string> too_old(const ObserveRequest& request, const ReadContext& context, const std::string& what,
                                   Duration age);

}  // namespace audiencesync
