#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace audiencesync::platform {

/// What reading connections and data views takes, for people.
inline constexpr std::string_view kAnalyticsRights =
    "the technical account as product administrator of Customer Journey Analytics, with View Schemas, View Datasets "
    "and View Identity Namespaces on the sandbox";

/// How a stage says that Customer Journey Analytics gave no answer: "cannot check: needs ...". What the analysts see
/// must not hold up what is written for them, so such an error ends no run.
///
/// nullopt for an error that has nothing to do with the answer (interrupted, a full disk, a bug). `rights` is what a
/// 403 asks for.
std::optional<std::string> cannot_check(const Error& error, std::string_view rights);

}  // namespace audiencesync::platform
