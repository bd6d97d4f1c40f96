#pragma once

#include <optional>
#include <string>

#include "emulator/http/message.h"

namespace emulator {

/// A media type of the registry: "xed-full" with version 1, or "xdm-v2".
struct RegistryAccept {
  std::string type;  // without "application/vnd.adobe." and "+json"
  std::optional<std::string> version;
};

// Each throws HttpError with the registry's own complaint when the Accept header does not fit the call.
RegistryAccept accept_for_list(const Request& request);         // xed-id or xed, no version
RegistryAccept accept_for_lookup(const Request& request);       // xed..., with a version
RegistryAccept accept_for_descriptors(const Request& request);  // xdm..., no version

}  // namespace emulator
