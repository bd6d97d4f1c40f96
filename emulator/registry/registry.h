#pragma once

#include <functional>
#include <string>

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// The schema registry, /data/foundation/schemaregistry: containers, documents, unions and descriptors.
class Registry {
 public:
  /// Makes the tenant's profile schema when the registry is empty.
  explicit Registry(Platform& platform);

  void add_routes(Router& router);

  /// Who knows about rows and datasets says so here; both get the `$id` and are called with platform.objects.lock()
  /// held.
  std::function<bool(const std::string& schema_id)> schema_has_data = [](const std::string&) { return false; };
  std::function<bool(const std::string& schema_id)> schema_has_dataset = [](const std::string&) { return false; };

 private:
  Response stats() const;
  Response list(const Request& request, const std::string& type) const;
  Response get(const Request& request, const std::string& type) const;
  Response create(const Request& request, const std::string& type);
  Response update(const Request& request, const std::string& type);
  Response remove(const Request& request, const std::string& type);
  Response create_from(Json document, const std::string& type);
  /// Puts `changed` in the place of `current` after all checks; answers it as stored.
  Json replace(const Json& current, Json changed, const std::string& type);
  Json stored(const Request& request, const std::string& type) const;

  Platform& platform_;
};

}  // namespace emulator
