#pragma once

#include <optional>
#include <string>

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// /data/core/idnamespace/identities: the standard namespaces and those a client adds.
/// Whether there is a namespace of that code, in whatever case. Needs the objects locked.
bool knows_namespace(const Platform& platform, const std::string& code);

void add_namespace_routes(Router& router, Platform& platform);

/// The namespace of that code, exactly as written. The caller holds platform.objects.lock().
std::optional<Json> find_namespace(const Platform& platform, const std::string& code);
/// The same by numeric id.
std::optional<Json> find_namespace_by_id(const Platform& platform, const std::string& id);

}  // namespace emulator
