#pragma once

#include <cstdint>
#include <memory>

#include "emulator/data/lake.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// How large a world to invent when the data folder holds none yet.
struct WorldOptions {
  std::uint64_t profiles = 1000;
  unsigned audiences = 8;
  std::uint64_t seed = 1;
};

/// Everything that holds rows: the people and their audiences, export jobs, the catalog, data access, batch ingestion.
///
/// Built once, before the router serves; outlives it. Routes run on many threads, heavy work on one worker of its own
/// that is due by the platform's clock. A data folder that already holds a world is opened, never generated again.
/// Throws std::runtime_error when the data folder cannot be opened.
class DataPlane {
 public:
  DataPlane(Platform& platform, const WorldOptions& options);
  ~DataPlane();

  void add_routes(Router& router);
  /// [{"id","name"}] of the audiences people know about, for the ready file.
  Json audiences() const;

  World& world();
  Lake& lake();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
