#pragma once

#include <string>
#include <vector>

#include "emulator/data/lake.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// The audiences of the world as objects: /data/core/ups/audiences, and what a test does to them upstream.
class Audiences {
 public:
  Audiences(Platform& platform, World& world, Lake& lake);

  /// Invents that many, once. Ids are in the order of creation.
  std::vector<std::string> invent(unsigned count);
  void add_routes(Router& router);
  /// [{"id","name"}] in the order of creation.
  Json listed() const;
  /// Ids people may enter: known to the platform, published, computed by it.
  std::vector<std::string> computed() const;

 private:
  Json made(const std::string& id, const std::string& name) const;
  Response list(const Request& request);
  Response one(const Request& request);
  Response bulk_get(const Request& request);
  Response create(const Request& request);
  Response change(const Request& request, bool replace);
  Response remove(const Request& request);
  Response control(const Request& request);

  Platform& platform_;
  World& world_;
  Lake& lake_;
};

}  // namespace emulator
