#pragma once

#include <string_view>

#include "engine/membership/bytes.h"

namespace audiencesync {

/// Whether a field of an export is `wanted`: samples of the registry carry the prefix `xdm:`, exports do not.
inline bool is_export_field(std::string_view name, std::string_view wanted) {
  constexpr std::string_view kPrefix = "xdm:";
  // The colon alone settles it for nearly every name.
  if (name.size() > 4 && name[3] == ':' && name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return same_text(name, wanted);
}

}  // namespace audiencesync
