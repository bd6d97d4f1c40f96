#pragma once

#include <optional>
#include <string_view>

#include "daemon/adapters.h"
#include "engine/manifest/settings.h"
#include "engine/store/state_lock.h"

namespace audiencesync {

/// The right to write the state, for as long as this lives.
///
/// On its own, a process holds the whole state. Under a daemon, which holds it for all its children, a child that works
/// on a sync holds that sync: two of them never run at the same time, and different ones do.
class WriteAccess {
 public:
  /// `command` as in StateLock::acquire. Errors: as there.
  static Result<WriteAccess> acquire(const Adapters& adapters, const Settings& settings, std::string_view command);
  /// Of one sync; needed by whatever changes its target, beside the access to the state.
  static Result<std::optional<StateLock>> acquire_sync(const Adapters& adapters, const Settings& settings,
                                                       std::string_view command, const std::string& uid);

 private:
  std::optional<StateLock> lock_;
};

}  // namespace audiencesync
