#pragma once

#include "emulator/http/front.h"
#include "emulator/tls/identity.h"

namespace emulator {

/// Serves one accepted TCP socket until either side closes it. Takes no ownership: the caller closes `socket`.
/// With `tls` the peer must begin with a handshake. Returns when done; throws nothing.
void serve_connection(int socket, const TlsIdentity* tls, Front& front) noexcept;

}  // namespace emulator
