#pragma once

#include "emulator/audiences/audiences.h"
#include "emulator/data/worker.h"

namespace emulator {

/// The older face of audiences: /data/core/ups/segment/definitions, and the evaluations, /segment/jobs.
class Segments {
 public:
  Segments(Platform& platform, World& world, Lake& lake, Worker& worker);

  void add_routes(Router& router);
  /// Writes down the nightly evaluation: one SUCCEEDED job with the sizes as they are now.
  void evaluated();
  /// Takes up the jobs that a stopped process left unfinished.
  void resume();

 private:
  Response definitions(const Request& request);
  Response definition(const Request& request);
  Response bulk_get(const Request& request);
  Response define(const Request& request);
  Response jobs(const Request& request);
  Response bulk_jobs(const Request& request);
  Response job(const Request& request);
  Response run(const Request& request);
  Response drop_job(const Request& request);

  /// The segments of an evaluation with what they mean; "*" for all, or for more than are named.
  Json named(const Json& segments) const;
  Json new_job(const std::string& source, const Json& segments);
  void finish(const std::string& id);

  Platform& platform_;
  World& world_;
  Lake& lake_;
  Worker& worker_;
};

}  // namespace emulator
