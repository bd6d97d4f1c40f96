#pragma once

#include <functional>
#include <string>

#include "emulator/data/lake.h"
#include "emulator/data/worker.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// Export jobs: /data/core/ups/export/jobs. NEW, PROCESSING while a batch is staged, then SUCCEEDED, and the batch
/// becomes readable; each step when the platform's clock says so. Jobs survive a restart.
class ExportJobs {
 public:
  ExportJobs(Platform& platform, World& world, Lake& lake, Worker& worker);

  void add_routes(Router& router);
  /// Takes up the jobs that a stopped process left unfinished.
  void resume();

 private:
  Response create(const Request& request);
  Response list(const Request& request);
  Response one(const Request& request);
  Response cancel(const Request& request);
  Response force(const Request& request);

  // Steps of a job, on the worker's thread. Each does nothing when the job is not where it expects it to be.
  void start(const std::string& id);
  void write(const std::string& id);
  void finish(const std::string& id);
  void publish(const std::string& id);

  std::string why_not(const Json& job) const;
  std::string bad_field(const std::string& fields) const;
  void fail(const std::string& id, const std::string& code, const std::string& message);
  void change(const std::string& id, const std::function<void(Json&)>& change);

  Platform& platform_;
  World& world_;
  Lake& lake_;
  Worker& worker_;
};

}  // namespace emulator
