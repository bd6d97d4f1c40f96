#pragma once

#include <string>
#include <string_view>

#include "engine/base/files.h"
#include "engine/base/result.h"

namespace audiencesync {

/// The right to write a state folder, held until this object goes away or the process ends, however it ends.
///
/// An open-file-description lock on `<state>/lock`. The text in that file tells people who holds it; it decides
/// nothing, so what a killed process left in it never blocks. The state must be on a local disk.
class StateLock {
 public:
  /// `command` is the word of the command line ("apply"), without arguments. Makes the folder (0700) when absent.
  /// Errors: Locked naming the holder; Invalid when others may write to the folder; Io.
  static Result<StateLock> acquire(const Path& state, std::string_view command);

  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&& other) noexcept;
  ~StateLock();

 private:
  explicit StateLock(int descriptor);
  void release();

  int descriptor_;
  int process_;  // that acquired it: a forked child that drops its copy must not unlock for its parent
};

/// Who holds, or last held, the lock of a state folder, as a sentence's end: "pid 123 (apply) of ada on host1 since
/// ...". "another process" when its text cannot be read.
std::string lock_owner(const Path& state);

}  // namespace audiencesync
