#include "engine/base/server_time.h"

#include <algorithm>

namespace audiencesync {

void ServerTime::observe(Time date, Time sent, Time received) {
  if (received < sent) return;  // our own clock was set back in between: the bounds would be upside down
  // The server wrote `date` somewhere in [sent, received], and meant [date, date + 1 s).
  const Duration least = date - received;
  const Duration most = date + std::chrono::seconds(1) - sent;
  const std::scoped_lock lock(mutex_);
  if (least_ && least <= *most_ && most >= *least_) {
    least_ = std::max(*least_, least);
    most_ = std::min(*most_, most);
  } else {
    // No overlap: one of the clocks was set; what we learned before is void.
    least_ = least;
    most_ = most;
  }
}

Time ServerTime::now() const { return clock_.now() + offset(); }

Duration ServerTime::offset() const {
  const std::scoped_lock lock(mutex_);
  if (!least_) return Duration(0);
  return std::clamp(Duration(0), *least_, *most_);
}

}  // namespace audiencesync
