#include <algorithm>
#include <cctype>

#include "emulator/data/errors.h"
#include "emulator/http/uri.h"
#include "emulator/ingestion/ingestion.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kImport = "/data/foundation/import/batches";
constexpr std::size_t kLongestUrl = 2000;
constexpr std::size_t kMostFiles = 1500;
constexpr std::size_t kLongestFileName = 240;  // percent-encoded, as it lies on the disk

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void check_url(const Request& request) {
  if (request.target.size() > kLongestUrl) throw import_failure(414, "The URL is longer than 2000 characters");
}

/// `${id}`, `$id` or a bare id.
std::string predecessor_id(std::string text) {
  if (text.starts_with("${") && text.ends_with("}")) return text.substr(2, text.size() - 3);
  if (text.starts_with("$")) return text.substr(1);
  return text;
}

Json as_import(const std::string& id, Json batch) {
  batch.erase("_emulator");
  batch["id"] = id;
  return batch;
}

std::filesystem::path upload_path(const Lake& lake, const std::string& batch, const std::string& file) {
  const std::string name = percent_encode(file);
  if (file.empty() || name.size() > kLongestFileName || file == "." || file == "..")
    throw import_failure(400, "Not a usable file name");
  return lake.uploads_folder(batch) / name;
}

void move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code elsewhere;
  std::filesystem::rename(from, to, elsewhere);
  if (elsewhere) std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

}  // namespace

Ingestion::Ingestion(Platform& platform, World& world, Lake& lake, Worker& worker)
    : platform_(platform), world_(world), lake_(lake), worker_(worker) {}

void Ingestion::add_routes(Router& router) {
  const std::string base = kImport;
  const std::string file = base + "/{batch}/datasets/{dataset}/files/{file...}";
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("POST", base + "/{batch}", checked([this](const Request& r) { return act(r); }));
  router.add("PUT", file, checked([this](const Request& r) { return upload(r); }), {.body = BodyMode::File});
  router.add("HEAD", file, checked([this](const Request& r) { return uploaded(r); }));
  const auto no_parts = [](const Request& request) -> Response {
    check_url(request);
    throw import_failure(400,
                         "Uploads in chunks are not offered: split the records into files up to the limit of one PUT");
  };
  router.add("POST", file, no_parts);
  router.add("PATCH", file, no_parts, {.body = BodyMode::File});
  router.add("PUT", "/_emulator/ingestion", checked([this](const Request& r) { return force(r); }),
             {.gate = Gate::Open});
}

Response Ingestion::create(const Request& request) {
  check_url(request);
  const Json body = json_body(request, import_failure(400, "The body is not JSON"));
  if (!body.is_object()) throw import_failure(400, "The body must be an object");
  const std::string dataset_id = body.value("datasetId", "");
  if (dataset_id.empty()) throw import_failure(400, "datasetId is required");
  const Json input = body.value("inputFormat", Json::object());
  const std::string format = in_lower_case(input.value("format", ""));
  if (format == "csv")
    throw import_failure(400, "inputFormat.format: this emulator does not read csv; send json or parquet");
  if (format != "json" && format != "parquet")
    throw import_failure(400, "inputFormat.format must be json, parquet or csv");
  const Json tags = body.value("tags", Json::object());
  for (const auto& [name, values] : tags.items()) {
    if (!values.is_array() || !std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_string(); }))
      throw import_failure(400, "tags: the value of '" + name + "' must be an array of strings");
  }
  double percent = 0;
  for (const char* name : {"partialIngestionPercent", "partialIngestionPercentage"})
    if (body.contains(name)) percent = body[name].get<double>();
  if (percent < 0 || percent > 100) throw import_failure(400, "partialIngestionPercent must be between 0 and 100");
  const bool diagnostics = body.value("enableErrorDiagnostics", false);

  const auto lock = platform_.objects.lock();
  const Json* dataset = platform_.objects.find("dataset", dataset_id);
  if (dataset == nullptr) throw import_failure(400, "Dataset " + dataset_id + " not found");
  if (!resolved_schema(platform_, dataset->value("schemaRef", Json::object()).value("id", "")))
    throw import_failure(400, "The schema of dataset " + dataset_id + " is gone");

  Json predecessors = Json::array();
  const Json replay = body.value("replay", Json::object());
  for (const Json& written : replay.value("predecessors", Json::array())) {
    const std::string id = predecessor_id(written);
    const Json* batch = platform_.objects.find("batch", id);
    if (batch == nullptr || Lake::dataset_of(*batch) != dataset_id)
      throw import_failure(400, "replay.predecessors: no batch " + id + " in the dataset");
    predecessors.push_back(id);
  }
  for (const Json& external : replay.value("predecessorsByExternalId", Json::array())) {
    for (const auto& [id, batch] : platform_.objects.all("batch"))
      if (batch.value("externalId", "") == external.get<std::string>() && Lake::dataset_of(batch) == dataset_id)
        predecessors.push_back(id);
  }

  Json fields = {{"inputFormat", input}, {"tags", tags}, {"replay", replay}};
  fields["inputFormat"]["format"] = format;
  if (!input.contains("isMultiLineJson") && format == "json") fields["inputFormat"]["isMultiLineJson"] = false;
  if (!body.value("externalId", "").empty()) fields["externalId"] = body["externalId"];
  if (diagnostics) fields["tags"]["acp_enableErrorDiagnostics"] = Json::array({"true"});
  if (percent > 0)
    fields["tags"]["acp_partialIngestionPercent"] = Json::array({std::to_string(static_cast<int>(percent))});
  const std::string id = lake_.create_batch(
      dataset_id, fields,
      {{"by", "client"}, {"diagnostics", diagnostics}, {"tolerated_percent", percent}, {"predecessors", predecessors}});
  worker_.at(platform_.clock.now_ms() + platform_.settings.abandon_after.count(), [this, id] { abandon(id); });
  return Response::json(201, as_import(id, *platform_.objects.find("batch", id)));
}

Response Ingestion::upload(const Request& request) {
  check_url(request);
  const std::string type = in_lower_case(request.header("content-type"));
  if (type.substr(0, type.find(';')) != "application/octet-stream")
    throw import_failure(415, "Content-Type must be application/octet-stream");
  const std::string& id = request.parameter("batch");
  const auto lock = platform_.objects.lock();
  if (request.body_bytes > platform_.settings.upload_cap)
    throw import_failure(413, "The file is larger than one PUT may be");
  const Json* batch = platform_.objects.find("batch", id);
  if (batch == nullptr) throw import_failure(404, "Batch " + id + " not found");
  if (Lake::dataset_of(*batch) != request.parameter("dataset"))
    throw import_failure(404, "Batch " + id + " does not belong to dataset " + request.parameter("dataset"));
  const std::string status = batch->value("status", "");
  if (status != "loading") throw import_failure(400, "Batch " + id + " is " + status + " and takes no files");
  const std::filesystem::path place = upload_path(lake_, id, request.parameter("file"));
  std::filesystem::create_directories(place.parent_path());
  const bool known = std::filesystem::exists(place);
  if (!known) {
    const auto files = std::filesystem::directory_iterator(place.parent_path());
    if (static_cast<std::size_t>(std::distance(begin(files), end(files))) >= kMostFiles)
      throw import_failure(400, "A batch takes at most 1500 files");
  }
  move_file(request.body_file, place);
  return Response::empty(known ? 200 : 201);
}

Response Ingestion::uploaded(const Request& request) {
  check_url(request);
  const std::string& id = request.parameter("batch");
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find("batch", id) == nullptr) throw import_failure(404, "Batch " + id + " not found");
  std::error_code absent;
  const std::uint64_t size = std::filesystem::file_size(upload_path(lake_, id, request.parameter("file")), absent);
  if (absent) throw import_failure(404, "No such file");
  Response response = Response::empty(200);
  response.headers["content-length"] = std::to_string(size);
  response.headers["range"] = "bytes=0-" + std::to_string(size == 0 ? 0 : size - 1);
  return response;
}

Response Ingestion::act(const Request& request) {
  check_url(request);
  const std::string& id = request.parameter("batch");
  const std::string action = request.query_value("action").value_or("");
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find("batch", id) == nullptr) throw import_failure(404, "Batch " + id + " not found");
  if (action == "COMPLETE") {
    complete(id);
  } else if (action == "ABORT") {
    abort(id);
  } else if (action == "FAIL") {
    mark_failed(id);
  } else if (action == "REVERT") {
    revert(id);
  } else {
    throw import_failure(400, "action must be COMPLETE, ABORT, FAIL or REVERT, not '" + action + "'");
  }
  return Response::empty(200);
}

Response Ingestion::force(const Request& request) {
  const Json body = json_body(request, control_failure("the body is not JSON"));
  if (!body.is_object()) throw control_failure("the body must be an object");
  const std::string next = body.value("next", "");
  if (!next.empty() && next != "failed" && next != "stuck" && next != "retrying")
    throw control_failure("unknown result '" + next + "'; one of failed, stuck, retrying");
  const auto lock = platform_.objects.lock();
  if (body.contains("reject_person")) {
    const auto people = body["reject_person"].get<std::vector<std::string>>();
    if (people.empty()) platform_.objects.erase("forced", "reject_person");
    if (!people.empty()) platform_.objects.put("forced", "reject_person", people);
  }
  if (!next.empty()) {
    Json order = body;
    order.erase("reject_person");
    platform_.objects.put("forced", "ingestion", std::move(order));
  } else if (!body.contains("reject_person")) {
    platform_.objects.erase("forced", "ingestion");
    platform_.objects.erase("forced", "reject_person");
  }
  return Response::json(200, Json::object());
}

}  // namespace emulator
