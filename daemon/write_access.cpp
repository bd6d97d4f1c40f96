#include "daemon/write_access.h"

#include <fmt/format.h>

namespace audiencesync {

Result<WriteAccess> WriteAccess::acquire(const Adapters& adapters, const Settings& settings, std::string_view command) {
  WriteAccess access;
  if (adapters.daemon != nullptr) {
    TRY(check_inherited_lock(settings.state, adapters.daemon->lock));
    return access;
  }
  access.lock_ = TRY(StateLock::acquire(settings.state, command));
  return access;
}

Result<std::optional<StateLock>> WriteAccess::acquire_sync(const Adapters& adapters, const Settings& settings,
                                                           std::string_view command, const std::string& uid) {
  std::optional<StateLock> lock;
  if (adapters.daemon != nullptr) lock = TRY(StateLock::acquire(settings.state / "syncs" / uid, command));
  return lock;
}

}  // namespace audiencesync
