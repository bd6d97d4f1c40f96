#pragma once

#include "engine/base/files.h"
#include "engine/http/rate_limit.h"

namespace audiencesync {

/// The calls of all processes of a state folder, one file for each limit. Thread-safe.
class CallLedger final : public http::RateLedger {
 public:
  explicit CallLedger(Path folder) : folder_(std::move(folder)) {}

  std::optional<Instant> grant(const std::string& name, const std::vector<http::RateWindow>& windows,
                               Instant wish) override;

 private:
  const Path folder_;
};

}  // namespace audiencesync
