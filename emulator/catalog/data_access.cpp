#include "emulator/catalog/data_access.h"

#include <algorithm>
#include <optional>

#include "emulator/catalog/dataset_rows.h"
#include "emulator/data/errors.h"
#include "emulator/http/uri.h"

namespace emulator {
namespace {

constexpr const char* kExport = "/data/foundation/export";
constexpr std::uint64_t kMostEntries = 100;
constexpr std::uint64_t kPreviewRows = 100;

struct ByteRange {
  std::uint64_t first = 0, last = 0;
};

enum class RangeKind { None, Good, Bad };

/// One `bytes=` range; several ranges or another unit count as none, as RFC 9110 allows.
RangeKind parse_range(const std::string& header, std::uint64_t size, ByteRange& range) {
  if (!header.starts_with("bytes=") || header.find(',') != std::string::npos) return RangeKind::None;
  const std::string text = header.substr(6);
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return RangeKind::None;
  const auto first = whole_number(text.substr(0, dash));
  const auto last = whole_number(text.substr(dash + 1));
  if (dash == 0) {
    if (!last) return RangeKind::None;
    if (*last == 0 || size == 0) return RangeKind::Bad;
    range = {size - std::min(size, *last), size - 1};
    return RangeKind::Good;
  }
  if (!first || (!last && dash + 1 < text.size())) return RangeKind::None;
  if (last && *last < *first) return RangeKind::None;
  if (*first >= size) return RangeKind::Bad;
  range = {*first, std::min(last.value_or(size - 1), size - 1)};
  return RangeKind::Good;
}

/// Whether a relative path stays below its root.
bool stays_inside(const std::string& path) {
  const std::filesystem::path relative(path);
  if (relative.is_absolute() || path.find('\0') != std::string::npos) return false;
  return std::none_of(relative.begin(), relative.end(), [](const auto& part) { return part == ".."; });
}

}  // namespace

DataAccess::DataAccess(Platform& platform, Lake& lake, World& world)
    : platform_(platform), lake_(lake), world_(world) {}

void DataAccess::add_routes(Router& router) {
  const std::string base = kExport;
  router.add("GET", base + "/batches/{id}/files", checked([this](const Request& r) { return batch_files(r); }));
  router.add("GET", base + "/batches/{id}/failed",
             checked([this](const Request& r) { return diagnostics(r, "failed"); }));
  router.add("GET", base + "/batches/{id}/meta", checked([this](const Request& r) { return diagnostics(r, "meta"); }));
  router.add("GET", base + "/files/{id}", checked([this](const Request& r) { return file(r); }));
  router.add("GET", base + "/datasets/{id}/preview", checked([this](const Request& r) { return preview(r); }));
}

std::string DataAccess::base_url() const {
  return std::string("https://platform.adobe.io") + (platform_.settings.port_in_links ? ":443" : "") + kExport;
}

Response DataAccess::listing(const Request& request, const std::string& self, std::vector<Json> entries) const {
  const auto number = [&](const char* name, std::uint64_t otherwise) {
    const auto text = request.query_value(name);
    if (!text) return otherwise;
    const auto value = whole_number(*text);
    if (!value) throw import_failure(400, std::string(name) + " must be a number");
    return *value;
  };
  const std::uint64_t start = number("start", 0);
  const std::uint64_t limit = std::min({number("limit", kMostEntries), kMostEntries, platform_.settings.page_cap});
  if (limit == 0) throw import_failure(400, "limit must be a positive number");
  Json data = Json::array();
  for (std::uint64_t i = start; i < std::min<std::uint64_t>(entries.size(), start + limit); ++i)
    data.push_back(std::move(entries[i]));
  const std::string path = self + (self.find('?') == std::string::npos ? "?" : "&");
  Json body = {
      {"_page", {{"limit", limit}, {"count", data.size()}}},
      {"_links", {{"page", {{"href", base_url() + path + "start={start}&limit={limit}"}, {"templated", true}}}}}};
  if (start + limit < entries.size())
    body["_links"]["next"]["href"] =
        base_url() + path + "start=" + std::to_string(start + limit) + "&limit=" + std::to_string(limit);
  body["data"] = std::move(data);
  return Response::json(200, body);
}

Response DataAccess::bytes(const Request& request, const std::filesystem::path& file) const {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error) throw import_failure(404, "The file is gone");
  Response response;
  response.headers["content-type"] = "application/octet-stream";
  response.headers["accept-ranges"] = "bytes";
  response.file = FileSlice{file, 0, size};
  ByteRange range;
  const RangeKind kind = parse_range(request.header("range"), size, range);
  if (kind == RangeKind::Bad) {
    HttpError outside = import_failure(416, "The range is outside the file");
    outside.response.headers["content-range"] = "bytes */" + std::to_string(size);
    throw outside;
  }
  if (kind == RangeKind::Good) {
    response.status = 206;
    response.file->offset = range.first;
    response.file->length = range.last - range.first + 1;
    response.headers["content-range"] =
        "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + std::to_string(size);
  }
  return response;
}

Response DataAccess::batch_files(const Request& request) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json* batch = platform_.objects.find("batch", id);
  if (batch == nullptr) throw import_failure(404, "Batch " + id + " not found");
  std::vector<Json> entries;
  const Json files = (*batch)["_emulator"].value("files", Json::array());
  if (Lake::is_live(batch->value("status", "")) && !files.empty()) {
    std::uint64_t rows = 0;
    std::uint64_t size = 0;
    for (const Json& file : files) {
      rows += file["rows"].get<std::uint64_t>();
      size += file["bytes"].get<std::uint64_t>();
    }
    const Json* dataset = platform_.objects.find("dataset", Lake::dataset_of(*batch));
    entries.push_back({{"dataSetFileId", id + "-1"},
                       {"dataSetViewId", dataset == nullptr ? "" : dataset->value("viewId", "")},
                       {"version", "1.0.0"},
                       {"created", std::to_string(batch->value("created", std::int64_t{0}))},
                       {"updated", std::to_string(batch->value("updated", std::int64_t{0}))},
                       {"isValid", true},
                       {"records", std::to_string(rows)},
                       {"size", std::to_string(size)},
                       {"_links", {{"self", {{"href", base_url() + "/files/" + id + "-1"}}}}}});
  }
  return listing(request, "/batches/" + id + "/files", std::move(entries));
}

Response DataAccess::file(const Request& request) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const std::string batch_id = id.ends_with("-1") ? id.substr(0, id.size() - 2) : std::string();
  const Json* batch = platform_.objects.find("batch", batch_id);
  if (batch == nullptr || !Lake::is_live(batch->value("status", "")))
    throw import_failure(404, "File " + id + " not found");
  const Json files = (*batch)["_emulator"].value("files", Json::array());
  if (const auto path = request.query_value("path")) {
    const bool known = std::any_of(files.begin(), files.end(), [&](const Json& file) { return file["name"] == *path; });
    if (!known) throw import_failure(404, "File " + *path + " not found");
    return bytes(request, lake_.parts_folder(batch_id) / *path);
  }
  std::vector<Json> entries;
  for (const Json& file : files) {
    const std::string name = file["name"];
    entries.push_back(
        {{"name", name},
         {"length", std::to_string(file["bytes"].get<std::uint64_t>())},
         {"_links", {{"self", {{"href", base_url() + "/files/" + id + "?path=" + percent_encode(name)}}}}}});
  }
  return listing(request, "/files/" + id, std::move(entries));
}

Response DataAccess::diagnostics(const Request& request, const std::string& area) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find("batch", id) == nullptr) throw import_failure(404, "Batch " + id + " not found");
  const std::string inner = request.query_value("path").value_or("");
  if (!stays_inside(inner)) throw import_failure(404, "No such file");
  const std::filesystem::path root = lake_.diagnostics_folder(id) / area;
  const std::filesystem::path place = inner.empty() ? root : root / inner;
  if (std::filesystem::is_regular_file(place)) return bytes(request, place);
  if (!std::filesystem::is_directory(place)) throw import_failure(404, "Batch " + id + " has no such files");

  std::vector<std::filesystem::directory_entry> found;
  for (const auto& entry : std::filesystem::directory_iterator(place)) found.push_back(entry);
  std::sort(found.begin(), found.end());
  const std::string self = "/batches/" + id + "/" + area;
  std::vector<Json> entries;
  for (const auto& entry : found) {
    const std::string name = entry.path().filename();
    const std::string path = inner.empty() ? name : inner + "/" + name;
    entries.push_back({{"name", name},
                       {"length", std::to_string(entry.is_regular_file() ? entry.file_size() : 0)},
                       {"_links", {{"self", {{"href", base_url() + self + "?path=" + percent_encode(path)}}}}}});
  }
  return listing(request, self + (inner.empty() ? "" : "?path=" + percent_encode(inner)), std::move(entries));
}

Response DataAccess::preview(const Request& request) {
  const std::string& id = request.parameter("id");
  std::vector<LiveBatch> batches;
  {
    const auto lock = platform_.objects.lock();
    if (platform_.objects.find("dataset", id) == nullptr) throw import_failure(404, "Dataset " + id + " not found");
    batches = live_batches(platform_, lake_, id);
  }
  Json data = Json::array();
  for (const LiveBatch& batch : batches) {
    if (data.size() >= kPreviewRows) break;
    Connection connection(world_.database());
    connection.each_text(rows_as_json(batch) + " LIMIT " + std::to_string(kPreviewRows - data.size()),
                         [&](std::string_view row) { data.push_back(Json::parse(row)); });
  }
  return Response::json(200, {{"data", std::move(data)}});
}

}  // namespace emulator
