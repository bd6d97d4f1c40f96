#pragma once

#include <string>
#include <vector>

#include "emulator/http/message.h"

namespace emulator {

/// Ids of a bulk-get, `{"ids":[{"id":".."}]}`; between 1 and 100. Throws an HttpError 400 for any other body.
std::vector<std::string> bulk_ids(const Request& request);

}  // namespace emulator
