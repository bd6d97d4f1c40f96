#pragma once

#include "emulator/audiences/audiences.h"
#include "emulator/audiences/segments.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// Control calls about the people and about what clients made: evolve, truth, profiles, ledger.
class ControlCalls {
 public:
  ControlCalls(Platform& platform, World& world, Audiences& audiences, Segments& segments);

  void add_routes(Router& router);

 private:
  Response evolve(const Request& request);
  Response truth(const Request& request);
  Response add_profiles(const Request& request);
  Response remove_profiles(const Request& request);
  Response ledger(const Request& request);

  Platform& platform_;
  World& world_;
  Audiences& audiences_;
  Segments& segments_;
};

}  // namespace emulator
