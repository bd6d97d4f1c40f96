#pragma once

#include <functional>
#include <string>

#include "emulator/data/lake.h"
#include "emulator/data/worker.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// Batch ingestion: /data/foundation/import. A batch is loaded by PUTs, closed by COMPLETE, checked and converted on
/// the worker's thread, and readable when the platform's clock says so. Batches survive a restart.
class Ingestion {
 public:
  Ingestion(Platform& platform, World& world, Lake& lake, Worker& worker);

  void add_routes(Router& router);
  /// Takes up the batches that a stopped process left unfinished.
  void resume();

 private:
  Response create(const Request& request);
  Response upload(const Request& request);
  Response uploaded(const Request& request);
  Response act(const Request& request);
  Response force(const Request& request);

  void complete(const std::string& id);
  void abort(const std::string& id);
  void mark_failed(const std::string& id);
  void revert(const std::string& id);

  // Steps of a batch, on the worker's thread. Each does nothing when the batch is not where it expects it to be.
  void process(const std::string& id);
  void finish(const std::string& id, const struct IngestResult& result);
  void abandon(const std::string& id);
  void erase_reverted(const std::string& id);

  Platform& platform_;
  World& world_;
  Lake& lake_;
  Worker& worker_;
};

}  // namespace emulator
