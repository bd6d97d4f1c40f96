#pragma once

#include <optional>
#include <string>

#include "emulator/registry/resources.h"

namespace emulator {

/// Throws HttpError 400 when a document of the tenant cannot be: title, references, property names and types, the
/// tenant root of custom fields, a class for schemas. `own_id` is its `$id` when it exists already.
void check_resource(const Platform& platform, const std::string& type, const Json& document, const std::string& own_id);

/// The first field (dotted path) that rows written under `before` could violate under `after`: removed, of another
/// type, or newly required. nullopt when the change only adds. Both are merged documents.
std::optional<std::string> breaking_change(const Json& before, const Json& after);

}  // namespace emulator
