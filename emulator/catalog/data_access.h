#pragma once

#include "emulator/data/lake.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// Data access: /data/foundation/export. The files of a readable batch, their bytes by range, diagnostics of a failed
/// one, the first rows of a dataset. Every number in its answers is a string, as the platform writes them.
class DataAccess {
 public:
  DataAccess(Platform& platform, Lake& lake, World& world);

  void add_routes(Router& router);

 private:
  Response batch_files(const Request& request);
  Response file(const Request& request);
  Response diagnostics(const Request& request, const std::string& area);
  Response preview(const Request& request);

  std::string base_url() const;
  Response bytes(const Request& request, const std::filesystem::path& file) const;
  Response listing(const Request& request, const std::string& self, std::vector<Json> entries) const;

  Platform& platform_;
  Lake& lake_;
  World& world_;
};

}  // namespace emulator
