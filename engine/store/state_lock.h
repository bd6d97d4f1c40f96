#pragma once

#include <cstdint>
#include <optional>
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

  /// For a child of the holder: the descriptor shares the lock, so the folder is ours for as long as the child lives.
  int descriptor() const { return descriptor_; }

 private:
  explicit StateLock(int descriptor);
  void release();

  int descriptor_;
  int process_;  // that acquired it: a forked child that drops its copy must not unlock for its parent
};

/// Sees that a descriptor this process was started with holds the lock of that state folder.
/// Errors: Locked when it does not.
Result<void> check_inherited_lock(const Path& state, int descriptor);

/// The process that holds a lock.
struct LockHolder {
  std::int64_t process = 0;
  std::string command;
  std::string user;
  std::string host;
  std::string since;  // ISO 8601
};

/// Who holds the lock of a folder now; nullopt when nobody does. A holder that could not say who it is has process 0.
std::optional<LockHolder> lock_holder(const Path& state);

/// Who holds, or last held, the lock of a state folder, as a sentence's end: "pid 123 (apply) of ada on host1 since
/// ...". "another process" when its text cannot be read.
std::string lock_owner(const Path& state);

}  // namespace audiencesync
