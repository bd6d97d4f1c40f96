#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "daemon/service/child_job.h"
#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/http/rate_limit.h"
#include "engine/http/retry.h"
#include "engine/http/transport.h"
#include "engine/manifest/environment.h"
#include "engine/report/event_sink.h"
#include "engine/store/sqlite/sqlite_store.h"

namespace audiencesync {

/// The daemon that started this process: it holds the state, and what it has accepted counts, not what is on the disk.
struct UnderDaemon {
  ChildJob job;
  int lock = -1;  // shares the daemon's lock of the state
};

/// The outside world as the program meets it. main() gives the real one; tests put seams between, at each durable write
/// and each call. Owned by the caller, outlives the program.
struct Adapters {
  Files& files;
  const Clock& clock;
  http::Transport& transport;
  EventSink& events;
  Environment environment;
  std::function<Result<std::unique_ptr<Store>>(const Path&, OpenMode)> open_store;
  http::RateLimits rate_limits;
  std::optional<http::RetryPolicy> retry;  // instead of the one of the settings
  std::string user = {};                   // who runs the program, for the history
  const UnderDaemon* daemon = nullptr;     // null: the process is on its own
};

}  // namespace audiencesync
