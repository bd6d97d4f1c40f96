#pragma once

#include <string>

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// /tenant/descriptors: what is said about fields of a schema, above all which one is the identity.
void add_descriptor_routes(Router& router, Platform& platform, const std::string& base);

/// Keeps a descriptor that was checked; answers it as stored, with its `@id`. platform.objects.lock() is held.
Json store_descriptor(Platform& platform, Json descriptor);

/// Slash path of the primary identity of a schema, or null. platform.objects.lock() is held.
Json primary_identity(const Platform& platform, const std::string& schema_id);

/// Removes what is said about a schema that goes. platform.objects.lock() is held.
void erase_descriptors(Platform& platform, const std::string& schema_id);

}  // namespace emulator
