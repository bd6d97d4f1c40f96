#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// What the newest finished evaluation counted.
struct Evaluation {
  std::string id;
  std::optional<Time> finished;
  std::map<std::string, std::uint64_t> people;  // by audience id
};

/// The newest SUCCEEDED segment job; nullopt when there is none yet.
Result<std::optional<Evaluation>> latest_evaluation(http::ReadClient& client);

}  // namespace audiencesync::platform
