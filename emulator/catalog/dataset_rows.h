#pragma once

#include <string>
#include <vector>

#include "emulator/data/lake.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// A readable batch and where its rows are.
struct LiveBatch {
  std::string id;
  std::int64_t created = 0;
  std::vector<std::filesystem::path> parts;
};

/// The readable batches of a dataset that hold rows, oldest first. The caller holds the lock of the objects.
std::vector<LiveBatch> live_batches(const Platform& platform, Lake& lake, const std::string& dataset);
/// SQL that yields the rows of a batch as JSON text, absent fields left out.
std::string rows_as_json(const LiveBatch& batch);

/// `GET /_emulator/datasets/{id}/rows`: every row of every readable batch, with `_batch` and `_created`, as NDJSON.
void add_dataset_rows(Router& router, Platform& platform, Lake& lake, World& world);

}  // namespace emulator
