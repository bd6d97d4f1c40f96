#pragma once

#include <memory>

#include "engine/base/files.h"
#include "engine/manifest/environment.h"
#include "engine/store/state_lock.h"

namespace audiencesync {

/// A folder for the temporary files of one command: 0700, below $TMPDIR or /var/tmp, gone with this object.
///
/// What a killed process left there is removed by the next command of the same user that makes one: a living process
/// holds a lock in its own.
class PrivateFolder {
 public:
  /// Errors: Io, NoSpace with the path.
  static Result<std::unique_ptr<PrivateFolder>> create(Files& files, const Environment& environment);
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder();

  const Path& path() const { return path_; }

 private:
  PrivateFolder(Files& files, Path path, StateLock lock)
      : files_(files), path_(std::move(path)), lock_(std::move(lock)) {}

  Files& files_;
  Path path_;
  StateLock lock_;
};

}  // namespace audiencesync
