#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// A finished evaluation, and what it counted.
struct Evaluation {
  std::string id;
  bool nightly = false;             // of the platform's schedule, which evaluates everything
  std::set<std::string> audiences;  // evaluated by it; "*" stands for all
  std::optional<Time> finished;
  std::map<std::string, std::uint64_t> people;  // by audience id
};

/// The last SUCCEEDED segment jobs, in no order.
Result<std::vector<Evaluation>> recent_evaluations(http::ReadClient& client);
/// The newest SUCCEEDED segment job; nullopt when there is none yet.
Result<std::optional<Evaluation>> latest_evaluation(http::ReadClient& client);

}  // namespace audiencesync::platform
