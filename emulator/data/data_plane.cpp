#include "emulator/data/data_plane.h"

#include <cstdio>

#include "emulator/audiences/audiences.h"
#include "emulator/audiences/previews.h"
#include "emulator/audiences/segments.h"
#include "emulator/catalog/batches.h"
#include "emulator/catalog/data_access.h"
#include "emulator/catalog/dataset_rows.h"
#include "emulator/catalog/datasets.h"
#include "emulator/catalog/work_orders.h"
#include "emulator/data/control_calls.h"
#include "emulator/data/lake.h"
#include "emulator/data/worker.h"
#include "emulator/data/world.h"
#include "emulator/exports/export_jobs.h"
#include "emulator/exports/profile_snapshots.h"
#include "emulator/ingestion/ingestion.h"

namespace emulator {

struct DataPlane::Parts {
  explicit Parts(Platform& shared)
      : platform(shared),
        world(shared, shared.folder / "world.duckdb"),
        lake(shared),
        audiences(shared, world, lake),
        datasets(shared, lake, world),
        batches(shared, lake),
        access(shared, lake, world),
        worker(shared.clock, [](const std::string& what) { std::fprintf(stderr, "data plane: %s\n", what.c_str()); }),
        segments(shared, world, lake, worker),
        previews(shared, world, worker),
        work_orders(shared, world, lake, worker),
        exports(shared, world, lake, worker),
        snapshots(shared, world, lake, worker),
        ingestion(shared, world, lake, worker),
        control(shared, world, audiences, segments) {}

  Platform& platform;
  World world;
  Lake lake;
  Audiences audiences;
  Datasets datasets;
  CatalogBatches batches;
  DataAccess access;
  // Those below use the worker in their tasks. It is told to stop before they go: see ~DataPlane.
  Worker worker;
  Segments segments;
  Previews previews;
  WorkOrders work_orders;
  ExportJobs exports;
  ProfileSnapshots snapshots;
  Ingestion ingestion;
  ControlCalls control;
};

DataPlane::DataPlane(Platform& platform, const WorldOptions& options) : parts_(std::make_unique<Parts>(platform)) {
  bool known = false;
  {
    const auto lock = platform.objects.lock();
    known = platform.objects.find("world", "world") != nullptr;
  }
  if (!known) {
    std::vector<std::string> ids;
    {
      const auto lock = platform.objects.lock();
      // A process that died while it made the world left some audiences; they are used, none is made twice.
      for (const Json& audience : parts_->audiences.listed()) ids.push_back(audience["id"]);
      if (ids.size() < options.audiences)
        parts_->audiences.invent(options.audiences - static_cast<unsigned>(ids.size()));
      ids = parts_->audiences.computed();
    }
    parts_->world.generate(options.profiles, options.seed, ids);
    parts_->segments.evaluated();
    const auto lock = platform.objects.lock();
    platform.objects.put("world", "world",
                         {{"profiles", options.profiles}, {"audiences", options.audiences}, {"seed", options.seed}});
  } else {
    parts_->segments.resume();
  }
  parts_->previews.resume();
  parts_->work_orders.resume();
  parts_->exports.resume();
  parts_->snapshots.resume();
  parts_->ingestion.resume();
}

DataPlane::~DataPlane() { parts_->worker.stop(); }

void DataPlane::add_routes(Router& router) {
  parts_->audiences.add_routes(router);
  parts_->segments.add_routes(router);
  parts_->previews.add_routes(router);
  parts_->work_orders.add_routes(router);
  parts_->exports.add_routes(router);
  parts_->datasets.add_routes(router);
  parts_->batches.add_routes(router);
  parts_->access.add_routes(router);
  parts_->ingestion.add_routes(router);
  parts_->control.add_routes(router);
  add_dataset_rows(router, parts_->platform, parts_->lake, parts_->world);
}

World& DataPlane::world() { return parts_->world; }
Lake& DataPlane::lake() { return parts_->lake; }

Json DataPlane::audiences() const { return parts_->audiences.listed(); }

}  // namespace emulator
