#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/value.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// All objects of a catalog list by id. The catalog gives no total: pages are read until a short one.
///
/// Errors: those of the client; Corrupt when a full page brings nothing new (the list does not advance).
Result<std::map<std::string, Value>> list_catalog(http::ReadClient& client, std::string_view what,
                                                  const std::string& path, http::Query query);

/// The object of an answer to a lookup by id, which is `{ "<id>": {…} }` or the bare object; null when it is not there.
const Value* catalog_entry(const Value& answer, const std::string& id);

}  // namespace audiencesync::platform
