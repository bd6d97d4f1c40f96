#include "emulator/catalog/dataset_rows.h"

#include <memory>
#include <utility>

#include "emulator/data/errors.h"

namespace emulator {
namespace {

/// What a stream of rows carries between two calls.
struct RowStream {
  World* world = nullptr;
  std::vector<LiveBatch> batches;
  std::size_t next = 0;
  std::string suffix;
  std::unique_ptr<TextCursor> cursor;

  std::string block() {
    std::string out;
    while (out.empty()) {
      if (!cursor) {
        if (next == batches.size()) return out;
        const LiveBatch& batch = batches[next++];
        suffix = "\"_batch\":" + Json(batch.id).dump() + ",\"_created\":" + std::to_string(batch.created) + "}\n";
        cursor = std::make_unique<TextCursor>(world->database(), rows_as_json(batch));
      }
      const bool more = cursor->next([&](std::string_view row) {
        row.remove_suffix(1);
        out += row;
        if (row.size() > 1) out += ',';
        out += suffix;
      });
      if (!more) cursor.reset();
    }
    return out;
  }
};

}  // namespace

std::vector<LiveBatch> live_batches(const Platform& platform, Lake& lake, const std::string& dataset) {
  std::vector<LiveBatch> live;
  for (const std::string& id : lake.batches_of(dataset)) {
    const Json* batch = platform.objects.find("batch", id);
    if (batch == nullptr || !Lake::is_live(batch->value("status", ""))) continue;
    LiveBatch one{id, batch->value("created", std::int64_t{0}), {}};
    for (const Json& file : (*batch)["_emulator"].value("files", Json::array()))
      one.parts.push_back(lake.parts_folder(id) / file["name"].get<std::string>());
    if (!one.parts.empty()) live.push_back(std::move(one));
  }
  return live;
}

std::string rows_as_json(const LiveBatch& batch) {
  std::string files;
  for (const auto& part : batch.parts) files += (files.empty() ? "" : ", ") + sql_text(part.string());
  return "SELECT json_merge_patch('{}'::JSON, to_json(r))::VARCHAR FROM read_parquet([" + files +
         "], union_by_name = true) r";
}

void add_dataset_rows(Router& router, Platform& platform, Lake& lake, World& world) {
  router.add("GET", "/_emulator/datasets/{id}/rows", checked([&](const Request& request) {
               auto rows = std::make_shared<RowStream>();  // shared only because a std::function must be copyable
               rows->world = &world;
               {
                 const auto lock = platform.objects.lock();
                 if (platform.objects.find("dataset", request.parameter("id")) == nullptr)
                   throw import_failure(404, "no dataset '" + request.parameter("id") + "'");
                 rows->batches = live_batches(platform, lake, request.parameter("id"));
               }
               Response response;
               response.headers["content-type"] = "application/x-ndjson";
               response.stream = [rows] { return rows->block(); };
               return response;
             }),
             {.gate = Gate::Open});
}

}  // namespace emulator
