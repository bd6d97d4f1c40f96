#pragma once

namespace audiencesync {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace audiencesync
