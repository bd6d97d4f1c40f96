#include "emulator/audiences/segments.h"

#include <algorithm>

#include "emulator/audiences/bulk_ids.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr std::uint64_t kMostDefinitions = 100;
// Above this the platform names no segments in a job.
constexpr std::size_t kMostNamed = 1500;

Json as_definition(const Json& audience) {
  static const std::vector<std::string> kShared = {
      "id",         "name",          "description",    "schema",         "profileInstanceId",
      "expression", "mergePolicyId", "evaluationInfo", "lifecycleState", "imsOrgId",
      "sandbox",    "creationTime",  "updateTime",     "updateEpoch",    "dataGovernancePolicy"};
  Json definition = {{"ttlInDays", 60}, {"version", 1}, {"ansibleUiEnabled", false}};
  for (const std::string& name : kShared)
    if (audience.contains(name)) definition[name] = audience[name];
  return definition;
}

bool is_definition(const Json& audience) { return audience.value("type", "") == "SegmentDefinition"; }

Json shown_evaluation(Json job) {
  job.erase("_emulator");
  return job;
}

std::uint64_t number_or(const Request& request, const char* name, std::uint64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  const auto number = whole_number(*text);
  if (!number) throw ups_failure(400, "UPAPI-113001-400", std::string(name) + " must be a number");
  return *number;
}

/// `sort=field:order`; stable, so equal values keep their order.
void sort_as_asked(std::vector<const Json*>& objects, const std::string& sort) {
  const auto colon = sort.find(':');
  const std::string field = sort.substr(0, colon);
  const bool descending = colon != std::string::npos && sort.substr(colon + 1) == "desc";
  std::stable_sort(objects.begin(), objects.end(), [&](const Json* a, const Json* b) {
    const Json left = a->value(field, Json());
    const Json right = b->value(field, Json());
    return descending ? right < left : left < right;
  });
}

Json span_json(std::int64_t begun, std::int64_t ended) {
  return {{"startTimeInMs", begun}, {"endTimeInMs", ended}, {"totalTimeInMs", ended - begun}};
}

}  // namespace

Segments::Segments(Platform& platform, World& world, Lake& lake, Worker& worker)
    : platform_(platform), world_(world), lake_(lake), worker_(worker) {}

void Segments::add_routes(Router& router) {
  const std::string definitions_path = "/data/core/ups/segment/definitions";
  router.add("GET", definitions_path, checked([this](const Request& r) { return definitions(r); }));
  router.add("POST", definitions_path, checked([this](const Request& r) { return define(r); }));
  router.add("POST", definitions_path + "/bulk-get", checked([this](const Request& r) { return bulk_get(r); }));
  router.add("GET", definitions_path + "/{id}", checked([this](const Request& r) { return definition(r); }));
  const std::string jobs_path = "/data/core/ups/segment/jobs";
  router.add("GET", jobs_path, checked([this](const Request& r) { return jobs(r); }));
  router.add("POST", jobs_path, checked([this](const Request& r) { return run(r); }));
  router.add("POST", jobs_path + "/bulk-get", checked([this](const Request& r) { return bulk_jobs(r); }));
  router.add("GET", jobs_path + "/{id}", checked([this](const Request& r) { return job(r); }));
  router.add("DELETE", jobs_path + "/{id}", checked([this](const Request& r) { return drop_job(r); }));
}

Response Segments::definitions(const Request& request) {
  const std::uint64_t limit = number_or(request, "limit", 20);
  if (limit == 0 || limit > kMostDefinitions)
    throw ups_failure(400, "UPAPI-113001-400", "limit must be between 1 and 100");
  const std::uint64_t start = number_or(request, "start", number_or(request, "page", 0) * limit);
  const auto lock = platform_.objects.lock();
  std::vector<const Json*> found;
  for (const auto& [id, audience] : platform_.objects.all("audience"))
    if (is_definition(audience)) found.push_back(&audience);
  sort_as_asked(found, request.query_value("sort").value_or("updateTime:desc"));
  Json segments = Json::array();
  for (std::uint64_t i = start; i < std::min<std::uint64_t>(found.size(), start + limit); ++i)
    segments.push_back(as_definition(*found[i]));
  Json body = {{"segments", segments},
               {"page",
                {{"totalCount", found.size()},
                 {"totalPages", (found.size() + limit - 1) / limit},
                 {"sortField", "creationTime"},
                 {"sort", "desc"},
                 {"pageSize", segments.size()},
                 {"limit", limit}}},
               {"link", Json::object()}};
  if (start + limit < found.size())
    body["link"]["next"] =
        "@/segment/definitions?start=" + std::to_string(start + limit) + "&limit=" + std::to_string(limit);
  return Response::json(200, body);
}

Response Segments::definition(const Request& request) {
  const auto lock = platform_.objects.lock();
  const Json* audience = platform_.objects.find("audience", request.parameter("id"));
  if (audience == nullptr || !is_definition(*audience))
    throw ups_failure(404, "UPAPI-100404-404", "Segment definition " + request.parameter("id") + " not found");
  return Response::json(200, as_definition(*audience));
}

Response Segments::bulk_get(const Request& request) {
  const auto ids = bulk_ids(request);
  const auto lock = platform_.objects.lock();
  Json results = Json::object();
  for (const auto& id : ids) {
    const Json* audience = platform_.objects.find("audience", id);
    results[id] =
        audience != nullptr && is_definition(*audience)
            ? as_definition(*audience)
            : Json::parse(
                  ups_failure(404, "UPAPI-100404-404", "Segment definition " + id + " not found").response.body);
  }
  return Response::json(207, {{"results", results}});
}

Response Segments::define(const Request& request) {
  const Json body = json_body(request, ups_failure(400, "UPAPI-113001-400", "The body is not JSON"));
  const std::string name = body.value("name", "");
  if (name.empty()) throw ups_failure(400, "UPAPI-113001-400", "A segment definition needs a name");
  for (const char* part : {"expression", "schema"})
    if (!body.contains(part) || !body[part].is_object())
      throw ups_failure(400, "UPAPI-113001-400", std::string("A segment definition needs the object ") + part);
  const auto lock = platform_.objects.lock();
  for (const auto& [id, audience] : platform_.objects.all("audience"))
    if (is_definition(audience) && audience.value("name", "") == name)
      throw ups_failure(400, "UPAPI-113002-400", "A segment definition named '" + name + "' exists already");
  const std::string id = platform_.new_uuid("audience");
  const std::int64_t now = platform_.clock.now_ms();
  Json audience = body;
  audience.update({{"id", id},
                   {"audienceId", id},
                   {"type", "SegmentDefinition"},
                   {"originName", "REAL_TIME_CUSTOMER_PROFILE"},
                   {"namespace", "AEPSegments"},
                   {"lifecycleState", "published"},
                   {"imsOrgId", platform_.identity.organization},
                   {"creationTime", now},
                   {"updateTime", now},
                   {"createEpoch", now / 1000},
                   {"updateEpoch", now / 1000}});
  audience["_emulator"] = {{"number", platform_.objects.next("audience_order")}};
  Response response = Response::json(200, as_definition(audience));
  response.headers["x-location"] = "/data/core/ups/segment/definitions/" + id;
  platform_.objects.put("audience", id, std::move(audience));
  lake_.note("audience", id, {{"name", name}});
  return response;
}

Json Segments::named(const Json& segments) const {
  if (segments.size() > kMostNamed) return Json::array({{{"segmentId", "*"}}});
  Json all = Json::array();
  for (const Json& segment : segments) {
    const std::string id = segment["segmentId"];
    const Json* audience = platform_.objects.find("audience", id);
    if (audience == nullptr) return Json::array({{{"segmentId", "*"}}});
    const std::string policy = audience->value("mergePolicyId", "");
    all.push_back({{"segmentId", id},
                   {"segment",
                    {{"id", id},
                     {"version", 1},
                     {"expression", audience->value("expression", Json::object())},
                     {"mergePolicyId", policy},
                     {"mergePolicy", {{"id", policy}, {"version", 1}}}}}});
  }
  return all;
}

Json Segments::new_job(const std::string& source, const Json& segments) {
  const std::int64_t now = platform_.clock.now_ms();
  const std::string id = platform_.new_uuid("segment_job");
  return {{"id", id},
          {"imsOrgId", platform_.identity.organization},
          {"sandbox", {{"sandboxName", platform_.identity.sandbox}}},
          {"profileInstanceId", "ups"},
          {"source", source},
          {"status", "QUEUED"},
          {"batchId", platform_.new_uuid("evaluation")},
          {"segments", named(segments)},
          {"schema", {{"name", "_xdm.context.profile"}}},
          {"metrics", {{"totalTime", span_json(now, now)}, {"profileSegmentationTime", span_json(now, now)}}},
          {"errors", Json::array()},
          {"creationTime", now},
          {"updateTime", now},
          {"snapshot", {{"name", source == "scheduler" ? "latest" : id}}}};
}

void Segments::evaluated() {
  const auto lock = platform_.objects.lock();
  Json segments = Json::array();
  for (const auto& [id, audience] : platform_.objects.all("audience"))
    if (is_definition(audience)) segments.push_back({{"segmentId", id}});
  const Json job = new_job("scheduler", segments);
  const std::string id = job["id"];
  platform_.objects.put("segment_job", id, job);
  worker_.at(platform_.clock.now_ms(), [this, id] { finish(id); });
}

void Segments::resume() {
  const auto lock = platform_.objects.lock();
  for (const auto& [id, job] : platform_.objects.all("segment_job"))
    if (job.value("status", "") == "QUEUED") worker_.at(0, [this, name = id] { finish(name); });
}

void Segments::finish(const std::string& id) {
  const std::map<std::string, World::Sizes> sizes = world_.sizes();
  const std::uint64_t profiles = world_.profiles();
  const auto lock = platform_.objects.lock();
  const Json* known = platform_.objects.find("segment_job", id);
  if (known == nullptr || known->value("status", "") != "QUEUED") return;
  Json job = *known;
  const std::int64_t now = platform_.clock.now_ms();
  const std::int64_t begun = job["creationTime"];
  Json counter = Json::object();
  Json by_space = Json::object();
  Json by_status = Json::object();
  for (const auto& [audience, size] : sizes) {
    const bool asked =
        std::any_of(job["segments"].begin(), job["segments"].end(), [&, &name = audience](const Json& segment) {
          return segment.value("segmentId", "") == "*" || segment.value("segmentId", "") == name;
        });
    if (!asked) continue;
    counter[audience] = size.realized + size.existing;
    by_space[audience] = {{"email", size.realized + size.existing}};
    by_status[audience] = {{"realized", size.realized}, {"existing", size.existing}, {"exited", size.exited}};
  }
  const Json span = span_json(begun, now);
  job["status"] = "SUCCEEDED";
  job["updateTime"] = now;
  job["metrics"] = {{"totalTime", span},
                    {"profileSegmentationTime", span},
                    {"totalProfiles", profiles},
                    {"segmentedProfileCounter", counter},
                    {"segmentedProfileByNamespaceCounter", by_space},
                    {"segmentedProfileByStatusCounter", by_status}};
  platform_.objects.put("segment_job", id, std::move(job));
}

Response Segments::jobs(const Request& request) {
  const auto lock = platform_.objects.lock();
  const std::uint64_t limit = std::min(number_or(request, "limit", 100), platform_.settings.page_cap);
  const std::uint64_t start = number_or(request, "start", 0);
  if (limit == 0) throw ups_failure(400, "UPAPI-113001-400", "limit must be a positive number");
  const auto status = request.query_value("status");
  static const std::vector<std::string> kStates{"NEW",       "QUEUED", "PROCESSING", "CANCELLING",
                                                "CANCELLED", "FAILED", "SUCCEEDED"};
  if (status && std::find(kStates.begin(), kStates.end(), *status) == kStates.end())
    throw ups_failure(400, "UPAPI-113001-400", "There is no status '" + *status + "'");
  const auto snapshot = request.query_value("snapshot.name");
  const std::int64_t lag = platform_.settings.list_lag.count();
  std::vector<const Json*> found;
  for (const auto& [id, one] : platform_.objects.all("segment_job")) {
    if (lag > 0 && one.value("creationTime", std::int64_t{0}) + lag > platform_.clock.now_ms()) continue;
    if (status && one.value("status", "") != *status) continue;
    if (snapshot && one["snapshot"].value("name", "") != *snapshot) continue;
    bool wanted = true;
    for (const std::string& property : request.query_values("property")) {
      const std::string kSegment = "segments~segmentId==";
      if (!property.starts_with(kSegment)) continue;
      wanted = std::any_of(one["segments"].begin(), one["segments"].end(), [&](const Json& segment) {
        return segment.value("segmentId", "") == property.substr(kSegment.size()) ||
               segment.value("segmentId", "") == "*";
      });
    }
    if (wanted) found.push_back(&one);
  }
  sort_as_asked(found, request.query_value("sort").value_or("creationTime:desc"));
  Json children = Json::array();
  for (std::uint64_t i = start; i < std::min<std::uint64_t>(found.size(), start + limit); ++i)
    children.push_back(shown_evaluation(*found[i]));
  Json body = {{"_page", {{"totalCount", found.size()}, {"pageSize", children.size()}}},
               {"children", children},
               {"_links", Json::object()}};
  if (start + limit < found.size())
    body["_links"]["next"]["href"] = "@/segment/jobs?start=" + std::to_string(start + limit) +
                                     "&limit=" + std::to_string(limit) + (status ? "&status=" + *status : "");
  return Response::json(200, body);
}

Response Segments::bulk_jobs(const Request& request) {
  const auto ids = bulk_ids(request);
  const auto lock = platform_.objects.lock();
  Json results = Json::object();
  for (const auto& id : ids) {
    const Json* found = platform_.objects.find("segment_job", id);
    results[id] =
        found != nullptr
            ? shown_evaluation(*found)
            : Json::parse(ups_failure(404, "UPAPI-100404-404", "Segment job " + id + " not found").response.body);
  }
  return Response::json(207, {{"results", results}});
}

Response Segments::job(const Request& request) {
  const auto lock = platform_.objects.lock();
  const Json* found = platform_.objects.find("segment_job", request.parameter("id"));
  if (found == nullptr)
    throw ups_failure(404, "UPAPI-100404-404", "Segment job " + request.parameter("id") + " not found");
  return Response::json(200, shown_evaluation(*found));
}

Response Segments::run(const Request& request) {
  const Json body = json_body(request, ups_failure(400, "UPAPI-113001-400", "The body is not JSON"));
  if (!body.is_array() || body.empty())
    throw ups_failure(400, "UPAPI-113001-400", "A list of {\"segmentId\"} is needed");
  const auto lock = platform_.objects.lock();
  for (const Json& segment : body) {
    const std::string id = segment.value("segmentId", "");
    if (id != "*" && platform_.objects.find("audience", id) == nullptr)
      throw ups_failure(400, "UPAPI-113001-400", "Segment " + id + " not found");
  }
  Json made = new_job("api", body);
  const std::string id = made["id"];
  platform_.objects.put("segment_job", id, made);
  lake_.note("segment_job", id, Json::object());
  worker_.at(platform_.clock.now_ms(), [this, id] { finish(id); });
  return Response::json(200, shown_evaluation(std::move(made)));
}

Response Segments::drop_job(const Request& request) {
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find("segment_job", request.parameter("id")) == nullptr)
    throw ups_failure(404, "UPAPI-100404-404", "Segment job " + request.parameter("id") + " not found");
  platform_.objects.erase("segment_job", request.parameter("id"));
  return Response::empty(204);
}

}  // namespace emulator
