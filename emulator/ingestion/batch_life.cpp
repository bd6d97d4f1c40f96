#include <algorithm>
#include <memory>

#include "emulator/data/errors.h"
#include "emulator/ingestion/ingest.h"
#include "emulator/ingestion/ingestion.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr std::int64_t kRetrying =
    200;  // milliseconds a batch says "retrying" when a test wants that and asks no delay

bool is_any(const std::string& status, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return status == word; });
}

HttpError wrong_state(const std::string& id, const std::string& status, const std::string& action) {
  return import_failure(400, "Batch " + id + " is " + status + ": " + action + " is not possible");
}

}  // namespace

void Ingestion::complete(const std::string& id) {
  const std::string status = lake_.batch_status(id);
  if (is_any(status, {"loaded", "queued", "processing", "staging", "staged", "retrying", "stalled", "success", "active",
                      "failure"}))
    return;
  if (status != "loading") throw wrong_state(id, status, "COMPLETE");
  const std::int64_t now = platform_.clock.now_ms();
  const std::int64_t delay = platform_.settings.batch_delay.count();
  Json forced;
  if (const Json* next = platform_.objects.find("forced", "ingestion")) {
    forced = *next;
    const int times = forced.value("times", 1);
    if (times <= 1) {
      platform_.objects.erase("forced", "ingestion");
    } else {
      Json left = forced;
      left["times"] = times - 1;
      platform_.objects.put("forced", "ingestion", std::move(left));
    }
  }
  lake_.change_batch(id, [&](Json& batch) {
    batch["status"] = "loaded";
    batch["_emulator"]["start"] = now + delay / 2;
    batch["_emulator"]["due"] = now + delay;
    if (forced.is_object()) batch["_emulator"]["forced"] = forced;
  });
  worker_.at(now + delay / 2, [this, id] { process(id); });
}

void Ingestion::abort(const std::string& id) {
  const std::string status = lake_.batch_status(id);
  if (status == "aborted") return;
  if (!is_any(status, {"loading", "loaded", "queued", "processing", "staging", "staged", "retrying", "stalled"}))
    throw wrong_state(id, status, "ABORT");
  lake_.change_batch(id, [&](Json& batch) {
    batch["status"] = "aborted";
    batch["completed"] = platform_.clock.now_ms();
  });
  lake_.drop_files(id);
}

void Ingestion::mark_failed(const std::string& id) {
  const std::string status = lake_.batch_status(id);
  if (status == "failed") return;
  if (!is_any(status, {"loading", "loaded", "queued", "processing", "staging", "staged", "retrying", "stalled"}))
    throw wrong_state(id, status, "FAIL");
  lake_.change_batch(id, [&](Json& batch) {
    batch["status"] = "failed";
    batch["completed"] = platform_.clock.now_ms();
  });
  lake_.drop_files(id);
}

void Ingestion::revert(const std::string& id) {
  const std::string status = lake_.batch_status(id);
  if (is_any(status, {"inactive", "deleted"})) return;
  if (!is_any(status, {"success", "active", "failure", "failed"})) throw wrong_state(id, status, "REVERT");
  const std::int64_t due = platform_.clock.now_ms() + platform_.settings.batch_delay.count();
  lake_.change_batch(id, [&](Json& batch) {
    batch["status"] = "inactive";
    batch["_emulator"]["delete_at"] = due;
  });
  worker_.at(due, [this, id] { erase_reverted(id); });
}

void Ingestion::erase_reverted(const std::string& id) {
  const auto lock = platform_.objects.lock();
  const Json* batch = platform_.objects.find("batch", id);
  if (batch == nullptr || batch->value("status", "") != "inactive" || !(*batch)["_emulator"].contains("delete_at"))
    return;
  lake_.change_batch(id, [](Json& object) { object["status"] = "deleted"; });
  lake_.drop_files(id);
}

void Ingestion::abandon(const std::string& id) {
  const auto lock = platform_.objects.lock();
  const Json* batch = platform_.objects.find("batch", id);
  if (batch == nullptr || batch->value("status", "") != "loading") return;
  const std::int64_t due = batch->value("created", std::int64_t{0}) + platform_.settings.abandon_after.count();
  if (due > platform_.clock.now_ms()) {  // the period grew meanwhile
    worker_.at(due, [this, id] { abandon(id); });
    return;
  }
  lake_.change_batch(id, [](Json& object) { object["status"] = "abandoned"; });
  lake_.drop_files(id);
}

void Ingestion::process(const std::string& id) {
  IngestRequest work;
  std::string forced;
  std::int64_t due = 0;
  {
    const auto lock = platform_.objects.lock();
    const Json* found = platform_.objects.find("batch", id);
    if (found == nullptr || !is_any(found->value("status", ""), {"loaded", "processing", "retrying"})) return;
    const Json batch = *found;
    const Json& facts = batch["_emulator"];
    const Json order = facts.value("forced", Json::object());
    forced = order.value("next", "");
    due = facts.value("due", std::int64_t{0});
    if (forced == "retrying" && batch.value("status", "") == "loaded") {
      lake_.change_batch(id, [](Json& object) { object["status"] = "retrying"; });
      const std::int64_t pause = std::max<std::int64_t>(kRetrying, platform_.settings.batch_delay.count());
      worker_.at(platform_.clock.now_ms() + pause, [this, id] { process(id); });
      return;
    }
    lake_.change_batch(id, [&](Json& object) {
      object["status"] = "processing";
      object["started"] = platform_.clock.now_ms();
    });
    if (forced == "stuck") return;
    const Json* dataset = platform_.objects.find("dataset", Lake::dataset_of(batch));
    std::optional<Json> schema;
    if (dataset != nullptr)
      schema = resolved_schema(platform_, dataset->value("schemaRef", Json::object()).value("id", ""));
    if (!schema) {
      lake_.fail(id, "0070000017", "Unknown error occurred: the schema of the dataset is gone");
      return;
    }
    work.uploads = lake_.uploads_folder(id);
    work.parts = lake_.parts_folder(id);
    work.diagnostics = lake_.diagnostics_folder(id);
    work.format = batch["inputFormat"].value("format", "json");
    work.document = batch["inputFormat"].value("isMultiLineJson", false);
    work.schema = std::move(*schema);
    work.wants =
        facts.value("diagnostics", false) && order.value("diagnostics", true) ? Diagnostics::On : Diagnostics::Off;
    work.tolerated_percent = facts.value("tolerated_percent", 0.0);
    work.rows_per_part = platform_.settings.rows_per_part;
    work.guid = platform_.new_uuid("part");
    for (const Json& row : order.value("rows", Json::array())) work.bad_rows.insert(row.get<std::uint64_t>());
    if (const Json* rejected = platform_.objects.find("forced", "reject_person"))
      for (const Json& person : *rejected) work.bad_people.insert(person.get<std::string>());
  }
  if (forced == "failed" && work.bad_rows.empty()) {
    worker_.at(due, [this, id] {
      if (!is_any(lake_.batch_status(id), {"processing", "retrying"})) return;
      lake_.fail(id, "unknown", "Job aborted.");
    });
    return;
  }
  auto result = std::make_shared<IngestResult>();  // a task must be copyable
  try {
    *result = ingest(world_.database(), work);
  } catch (const std::exception& error) {
    result->good = false;
    result->errors = Json::array({{{"code", "0070000017"},
                                   {"description", std::string("Unknown error occurred: ") + error.what()},
                                   {"rows", Json::array()}}});
  }
  if (due <= platform_.clock.now_ms()) return finish(id, *result);
  worker_.at(due, [this, id, result] { finish(id, *result); });
}

void Ingestion::finish(const std::string& id, const IngestResult& result) {
  const auto lock = platform_.objects.lock();
  if (!is_any(lake_.batch_status(id), {"processing", "retrying"})) {
    lake_.drop_files(id);  // aborted meanwhile
    return;
  }
  const Json input = {{"inputByteSize", result.input_bytes},
                      {"inputFileCount", result.input_files},
                      {"inputRecordCount", result.input_rows},
                      {"failedRecordCount", result.failed_rows}};
  std::error_code ignored;
  std::filesystem::remove_all(lake_.uploads_folder(id), ignored);
  if (!result.good) {
    lake_.change_batch(id, [&](Json& batch) {
      batch["status"] = "failure";
      batch["completed"] = platform_.clock.now_ms();
      batch["errors"] = result.errors;
      batch["failedRecordCount"] = result.failed_rows;
      batch["metrics"] = input;
      batch["metrics"].update({{"outputRecordCount", 0}, {"outputFileCount", 0}, {"outputByteSize", 0}});
      batch["failedBatchLocation"] = "/data/foundation/export/batches/" + id + "/failed";
    });
    return;
  }
  lake_.change_batch(id, [&](Json& batch) { batch["errors"] = result.errors; });
  lake_.succeed(id, result.parts, input);

  const Json* batch = platform_.objects.find("batch", id);
  const Json replaced = (*batch)["_emulator"].value("predecessors", Json::array());
  for (const Json& old : replaced) {
    if (!Lake::is_live(lake_.batch_status(old))) continue;
    lake_.change_batch(old, [](Json& object) { object["status"] = "inactive"; });
    lake_.drop_files(old);
  }
}

void Ingestion::resume() {
  const auto lock = platform_.objects.lock();
  for (const auto& [id, batch] : platform_.objects.all("batch")) {
    const std::string status = batch.value("status", "");
    const Json& facts = batch["_emulator"];
    if (facts.value("by", "") == "client") {
      if (status == "loading")
        worker_.at(batch.value("created", std::int64_t{0}) + platform_.settings.abandon_after.count(),
                   [this, name = id] { abandon(name); });
      if (is_any(status, {"loaded", "processing", "retrying"}))
        worker_.at(facts.value("start", std::int64_t{0}), [this, name = id] { process(name); });
    }
    if (status == "inactive" && facts.contains("delete_at"))
      worker_.at(facts["delete_at"], [this, name = id] { erase_reverted(name); });
  }
}

}  // namespace emulator
