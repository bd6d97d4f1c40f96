#pragma once

#include "emulator/data/lake.h"
#include "emulator/http/router.h"

namespace emulator {

/// Batches as the catalog shows them, `lastBatches`, `dataSetFiles`, and what a test may do to batches.
class CatalogBatches {
 public:
  CatalogBatches(Platform& platform, Lake& lake);

  void add_routes(Router& router);

 private:
  Response list(const Request& request);
  Response one(const Request& request);
  Response last(const Request& request);
  Response files(const Request& request);
  Response control(const Request& request);
  Response compact(const Json& body);

  Platform& platform_;
  Lake& lake_;
};

}  // namespace emulator
