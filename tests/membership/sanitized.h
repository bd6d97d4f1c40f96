#pragma once

namespace audiencesync::testing {

/// Whether this binary runs under a sanitizer: memory is kept after it was freed, and all is ten times slower. Tests
/// whose size is only repetition are smaller there; what they touch stays.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace audiencesync::testing
