#pragma once

#include <string>
#include <vector>

#include "engine/base/value.h"

namespace audiencesync::testing {

/// Where `value` breaks a JSON Schema, as `path: why`; empty when it is valid.
///
/// Knows the keywords our schemas use, and reports any other: type, enum, const, properties, required,
/// additionalProperties, items, anyOf, $ref into $defs, pattern, minimum, minItems, maxItems, minProperties.
std::vector<std::string> schema_violations(const Value& schema, const Value& value);

}  // namespace audiencesync::testing
