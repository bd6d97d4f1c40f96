#include "daemon/service/notifier.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <chrono>

namespace audiencesync {

void Notifier::ready() { ::sd_notify(0, "READY=1"); }

void Notifier::reloading() {
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
  ::sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()).c_str());
}

void Notifier::stopping() { ::sd_notify(0, "STOPPING=1\nSTATUS=stopping"); }

void Notifier::status(const std::string& text) {
  if (text == status_) return;
  status_ = text;
  ::sd_notify(0, ("STATUS=" + text).c_str());
}

void Notifier::alive() { ::sd_notify(0, "WATCHDOG=1"); }

std::optional<Duration> Notifier::alive_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::microseconds(microseconds / 2));
}

}  // namespace audiencesync
