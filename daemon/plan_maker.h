#pragma once

#include <stop_token>

#include "daemon/adapters.h"
#include "daemon/plans/plan_server.h"

namespace audiencesync {

/// Makes the plans that others ask for, each in a process of its own and from a copy of the state below
/// `<state>/plans`, which is gone afterwards: whatever is sent, the state of the daemon and the platform stay as they
/// are. Safe for several threads.
class PlanMaker {
 public:
  /// `config`: of the settings, for the other process. All outlive the maker.
  PlanMaker(const Adapters& adapters, const Settings& settings, Path config)
      : adapters_(adapters), settings_(settings), config_(std::move(config)) {}

  /// Removes what plans of an earlier process have left. Call once, before the first plan.
  Result<void> begin();

  /// Errors: Timeout after listen.deadline; Invalid: a text is no good manifest, with every problem; NoSpace, Io.
  Result<PlanAnswer> make(const PlanRequest& request, std::stop_token stop) const;

 private:
  Result<void> copy_state(const Path& scratch, const std::vector<std::string>& uids) const;

  const Adapters& adapters_;
  const Settings& settings_;
  const Path config_;
};

}  // namespace audiencesync
