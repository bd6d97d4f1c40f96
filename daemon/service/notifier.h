#pragma once

#include <optional>
#include <string>

#include "engine/base/clock.h"

namespace audiencesync {

/// What the service manager is told (sd_notify). Without one, nothing happens.
class Notifier {
 public:
  void ready();
  void reloading();
  void stopping();
  /// One line for `systemctl status`; sent when it is another one than before.
  void status(const std::string& text);
  void alive();
  /// How often it wants to hear `alive`, if at all: half of what it waits for.
  static std::optional<Duration> alive_interval();

 private:
  std::string status_;
};

}  // namespace audiencesync
