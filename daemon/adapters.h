#pragma once

#include <functional>
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/http/rate_limit.h"
#include "engine/http/retry.h"
#include "engine/http/transport.h"
#include "engine/manifest/environment.h"
#include "engine/report/event_sink.h"
#include "engine/store/sqlite/sqlite_store.h"

namespace audiencesync {

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
  http::RetryPolicy retry;
  std::string user = {};  // who runs the program, for the history
};

}  // namespace audiencesync
