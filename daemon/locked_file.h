#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "daemon/service/descriptor.h"
#include "engine/base/files.h"

namespace audiencesync {

/// A small private file (0600) that processes of one state folder share: held by one at a time, read and written whole.
///
/// The lock is the kernel's (flock) and ends with its process. What is in it is a convenience and may be lost with the
/// power: it is not synced.
class LockedFile {
 public:
  /// Makes the file and its folder when absent and waits for the lock. nullopt when it cannot be had, or `stop` came.
  static std::optional<LockedFile> open(const Path& path, std::stop_token stop = {});

  /// Whether somebody holds the lock at this moment. A file that is absent is held by nobody.
  static bool is_held(const Path& path);

  std::string read() const;
  void write(std::string_view content) const;

 private:
  explicit LockedFile(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

}  // namespace audiencesync
