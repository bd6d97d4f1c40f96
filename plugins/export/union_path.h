#pragma once

#include <optional>
#include <string>

#include "engine/base/value.h"

namespace audiencesync {

/// Why the rows of the union schema have no text at this dotted path, or nullopt when they have: names the deepest part
/// that exists and the names that are near the missing one. A wrong path would otherwise show only when the batch of
/// the export fails, or never. `union_schema` is the union with its references resolved, null when there is none. Pure.
std::optional<std::string> path_problem(const Value& union_schema, const std::string& path);

}  // namespace audiencesync
