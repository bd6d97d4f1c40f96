#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>

namespace audiencesync {

/// Gives process `pid` (0: this one) at most `bytes` of memory of its own (RLIMIT_DATA); 0 for no limit. A program
/// built with a sanitizer reserves terabytes for its marks before it begins, so there nothing is limited. Safe between
/// fork and exec.
inline void limit_data(pid_t pid, std::uint64_t bytes) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (bytes == 0) return;
  const rlimit limit{bytes, bytes};
  static_cast<void>(::prlimit(pid, RLIMIT_DATA, &limit, nullptr));
#else
  static_cast<void>(pid);
  static_cast<void>(bytes);
#endif
}

}  // namespace audiencesync
