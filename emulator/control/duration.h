#pragma once

#include <chrono>
#include <string>

#include "emulator/http/message.h"

namespace emulator {

/// "50ms", "2s", "5m", "3h", "1d", or a number of milliseconds. Throws HttpError 400 naming `what` otherwise.
std::chrono::milliseconds duration_of(const Json& value, const std::string& what);
/// The shortest of those forms that loses nothing.
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace emulator
