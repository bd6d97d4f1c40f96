#pragma once

#include <optional>
#include <string>

#include "emulator/platform.h"

namespace emulator {

/// One schema with every `$ref` and `allOf` merged, fields of its class and of the platform included:
/// {"type":"object","title":..,"properties":{..},"required":[..],"primaryIdentity":"/personID"|null}.
///
/// Maps are {"type":"object","additionalProperties":{..},"meta:xdmType":"map"}. `primaryIdentity` is the slash path of
/// the primary identity descriptor. The id is `$id` or `meta:altId`; the union of profile counts as a schema. nullopt
/// when there is none. The caller holds platform.objects.lock(). Cost: walks the whole schema; keep the result.
std::optional<Json> resolved_schema(const Platform& platform, const std::string& id_or_alt_id);

}  // namespace emulator
