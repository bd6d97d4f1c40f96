#pragma once

#include "emulator/data/worker.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// Who an expression would select: /data/core/ups/preview and /estimate, and what is known about the whole base,
/// /previewsamplestatus.
///
/// An expression that is an audience's own selects its members. A preview is an object of kind "preview"; its numbers
/// are counted once, `preview_delay` after it was asked for.
class Previews {
 public:
  Previews(Platform& platform, World& world, Worker& worker);

  void add_routes(Router& router);
  /// Takes up the previews that a stopped process left unfinished.
  void resume();

 private:
  Response create(const Request& request);
  Response one(const Request& request);
  Response remove(const Request& request);
  Response estimate(const Request& request);
  Response sample(const Request& request);
  Response namespaces(const Request& request);

  const Json& known(const Request& request) const;
  /// Throws PqlFailure. Needs the objects locked.
  std::string condition_of(const std::string& expression);
  void schedule(const std::string& id, std::int64_t due);
  void finish(const std::string& id);

  Platform& platform_;
  World& world_;
  Worker& worker_;
};

}  // namespace emulator
