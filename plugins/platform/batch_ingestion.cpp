#include "plugins/platform/batch_ingestion.h"

#include <chrono>

#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

const char* const kImport = "/data/foundation/import/batches";
constexpr std::uint64_t kSlowestUpload = 250'000;  // bytes a second that must still pass within the deadline

Result<void> act_on_batch(http::WriteClient& client, const std::string& batch, const char* action) {
  http::Request request;
  request.method = http::Method::Post;
  request.path = std::string(kImport) + "/" + http::encode_segment(batch);
  request.query = {{"action", action}};
  request.repeat = http::Repeat::Repeatable;
  TRY(client.write(request).in("batch " + batch));
  return {};
}

}  // namespace

Result<Batch> create_batch(http::WriteClient& client, const NewBatch& batch) {
  Value body;
  body["datasetId"] = batch.dataset;
  body["externalId"] = batch.external_id;
  body["inputFormat"]["format"] = batch.format == BatchFormat::Parquet ? "parquet" : "json";
  if (batch.format == BatchFormat::JsonLines) body["inputFormat"]["isMultiLineJson"] = false;
  body["enableErrorDiagnostics"] = true;
  body["partialIngestionPercent"] = 0;
  for (const auto& [name, values] : batch.tags) body["tags"][name] = Value::Array(values.begin(), values.end());
  auto answer = TRY(write_json(client, send(http::Method::Post, kImport, body, http::Repeat::Once)).in("create batch"));
  auto made = batch_from("", answer);
  if (made.id.empty())
    return Error(ErrorCode::Unknown, "the platform opened a batch for dataset " + batch.dataset + " and named no id");
  if (made.dataset.empty()) made.dataset = batch.dataset;
  if (made.external_id.empty()) made.external_id = batch.external_id;
  return made;
}

Result<void> put_file(http::WriteClient& client, const Files& files, const BatchUpload& upload) {
  http::Request request;
  request.method = http::Method::Put;
  request.path = std::string(kImport) + "/" + http::encode_segment(upload.batch) + "/datasets/" +
                 http::encode_segment(upload.dataset) + "/files/" + http::encode_segment(upload.name);
  request.body = http::Body::file(files, upload.path, upload.bytes, "application/octet-stream");
  request.repeat = http::Repeat::Repeatable;
  request.deadline = std::chrono::seconds{60 + static_cast<std::int64_t>(upload.bytes / kSlowestUpload)};
  TRY(client.write(request).in("batch " + upload.batch + " file " + upload.name));
  return {};
}

Result<void> complete_batch(http::WriteClient& client, const std::string& batch) {
  return act_on_batch(client, batch, "COMPLETE");
}

Result<void> abort_batch(http::WriteClient& client, const std::string& batch) {
  return act_on_batch(client, batch, "ABORT");
}

Result<void> revert_batch(http::WriteClient& client, const std::string& batch) {
  return act_on_batch(client, batch, "REVERT");
}

}  // namespace audiencesync::platform
