#pragma once

#include "emulator/http/front.h"

namespace emulator {

/// Serves one accepted TCP socket until either side closes it. Takes no ownership: the caller closes `socket`.
/// Returns when done; throws nothing.
void serve_connection(int socket, Front& front) noexcept;

}  // namespace emulator
