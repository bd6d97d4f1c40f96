#include "engine/store/store.h"

namespace audiencesync {

const char* to_string(HoldState state) {
  switch (state) {
    case HoldState::Offered:
      return "offered";
    case HoldState::Held:
      return "held";
    case HoldState::Approved:
      return "approved";
    case HoldState::Rejected:
      return "rejected";
    case HoldState::Lapsed:
      return "lapsed";
    case HoldState::Stale:
      return "stale";
    case HoldState::Applied:
      return "applied";
  }
  return "held";
}

}  // namespace audiencesync
