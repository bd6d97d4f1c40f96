#pragma once

#include "emulator/catalog/expirations.h"
#include "emulator/data/lake.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// Datasets of the catalog: /data/foundation/catalog/dataSets and its v2 PATCH.
class Datasets {
 public:
  Datasets(Platform& platform, Lake& lake, World& world);

  void add_routes(Router& router);

 private:
  Response create(const Request& request);
  Response list(const Request& request);
  Response one(const Request& request);
  Response change(const Request& request);
  Response change_nested(const Request& request);
  Response replace(const Request& request);
  Response remove(const Request& request);
  void erase(const std::string& id);

  const Json& known(const std::string& id) const;
  Json shown(const std::string& id, const Json& dataset) const;
  std::string table_for(const std::string& name, const std::string& id) const;
  void check(const Json& dataset) const;
  Response store(const std::string& id, Json dataset, const Json& before);

  Platform& platform_;
  Lake& lake_;
  Expirations expirations_;
};

}  // namespace emulator
