#include "data_world.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "emulator/http/uri.h"
#include "emulator/organization/merge_policies.h"

namespace emulator {

namespace {

/// The gateway is not part of this world, so what it asks for is not in its requests.
Request with_credentials(const DataWorld& world, Request request) {
  const Identity& who = world.platform->identity;
  for (const auto& [name, value] : Headers{{"authorization", "Bearer ***"},
                                           {"x-api-key", who.client_id},
                                           {"x-gw-ims-org-id", who.organization},
                                           {"x-sandbox-name", "prod"}})
    request.headers.emplace(name, value);
  if (request.body_bytes > 0) request.headers.emplace("content-length", std::to_string(request.body_bytes));
  return request;
}

}  // namespace

DataWorld::DataWorld(WorldOptions wanted) : options(wanted) {
  if (const std::filesystem::path record = contract_folder(); !record.empty()) recorder.emplace(record);
  open();
}

void DataWorld::open() {
  platform.emplace(folder.path(), test_identity());
  seed_merge_policies(*platform);
  registry.emplace(*platform);
  plane.emplace(*platform, options);
  router.emplace();
  registry->add_routes(*router);
  plane->add_routes(*router);
}

void DataWorld::restart() {
  router.reset();
  plane.reset();
  registry.reset();
  platform.reset();
  open();
}

Response DataWorld::call(const std::string& method, const std::string& target, const std::string& body,
                         Headers headers) {
  Request request;
  request.method = method;
  request.target = target;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = parse_form(std::string_view(target).substr(question + 1));
  request.headers = std::move(headers);
  request.body_bytes = body.size();
  const Router::Match match = router->match(method, request.path);
  if (match.handler == nullptr) return Response::empty(match.other_method ? 405 : 404);
  request.parameters = match.parameters;
  if (match.options.body == BodyMode::File) {
    request.body_file = folder.path() / "spooled";
    std::ofstream(request.body_file, std::ios::binary) << body;
  } else {
    request.body = body;
  }
  const auto answer = [&]() -> Response {
    try {
      return (*match.handler)(request);
    } catch (const HttpError& error) {
      return error.response;
    }
  };
  if (!recorder || request.path.starts_with("/_emulator/")) return answer();
  const std::string body_start = Recorder::body_start(request);
  const Request sent = with_credentials(*this, request);
  Response response = answer();
  recorder->record(sent, body_start, response);
  return response;
}

Response DataWorld::call(const std::string& method, const std::string& target, const Json& body, Headers headers) {
  if (!headers.contains("content-type")) headers["content-type"] = "application/json";
  return call(method, target, body.dump(), std::move(headers));
}

std::string DataWorld::content(const Response& response) {
  if (response.stream) {
    std::string all;
    for (std::string block = response.stream(); !block.empty(); block = response.stream()) all += block;
    return all;
  }
  if (!response.file) return response.body;
  std::ifstream in(response.file->path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(response.file->offset));
  std::string bytes(response.file->length, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

Json DataWorld::get(const std::string& target) {
  const Response response = call("GET", target);
  EXPECT_EQ(response.status, 200) << target << ": " << response.body;
  return Json::parse(response.body, nullptr, false);
}

Json DataWorld::control(const std::string& method, const std::string& target, const Json& body) {
  const Response response = call(method, target, body);
  EXPECT_EQ(response.status, 200) << target << ": " << response.body;
  return Json::parse(response.body, nullptr, false);
}

std::vector<Json> DataWorld::lines(const std::string& target) {
  const Response response = call("GET", target);
  EXPECT_EQ(response.status, 200) << target << ": " << response.body;
  std::istringstream in(content(response));
  std::vector<Json> out;
  for (std::string line; std::getline(in, line);) out.push_back(Json::parse(line));
  return out;
}

void DataWorld::wait_for(const std::function<bool()>& condition, const std::string& what) {
  for (int i = 0; i < 12000; ++i) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  FAIL() << "waited in vain for " << what;
}

std::vector<std::string> DataWorld::audiences() {
  std::vector<std::string> ids;
  for (const Json& audience : plane->audiences()) ids.push_back(audience["id"]);
  return ids;
}

std::set<std::string> DataWorld::truth(const std::string& audience) {
  std::set<std::string> people;
  for (const Json& person : lines("/_emulator/truth?audience=" + audience)) people.insert(person.get<std::string>());
  return people;
}

std::string DataWorld::union_dataset(const std::string& name) {
  const Json made =
      Json::parse(call("POST", "/data/foundation/catalog/dataSets",
                       Json{{"name", name}, {"schemaRef", {{"id", "https://ns.adobe.com/xdm/context/profile__union"}}}})
                      .body);
  return made.at(0).get<std::string>().substr(std::string("@/dataSets/").size());
}

std::string DataWorld::target_dataset(const std::string& name, const Json& tags) {
  if (schema_.empty()) {
    const std::string base = "/data/foundation/schemaregistry/tenant/";
    const auto made = [&](const std::string& kind, const Json& body) {
      const Response response = call("POST", base + kind, body);
      EXPECT_EQ(response.status, 201) << response.body;
      return Json::parse(response.body);
    };
    const Json text = {{"type", "string"}};
    const Json fields = {
        {"audienceMembership",
         {{"type", "array"},
          {"items",
           {{"type", "object"}, {"properties", {{"audienceMembershipId", text}, {"audienceMembershipName", text}}}}}}},
        {"audienceMembershipCount", {{"type", "integer"}}},
        {"audienceSyncGeneration", {{"type", "integer"}}},
        {"changedAt", {{"type", "string"}, {"format", "date-time"}}},
        {"vip", {{"type", "boolean"}}}};
    const Json group =
        made("fieldgroups",
             {{"type", "object"},
              {"title", "Membership"},
              {"meta:intendedToExtend", {"https://ns.adobe.com/xdm/context/profile"}},
              {"definitions",
               {{"customFields",
                 {{"type", "object"}, {"properties", {{"_demoemea", {{"type", "object"}, {"properties", fields}}}}}}}}},
              {"allOf", Json::array({{{"$ref", "#/definitions/customFields"}}})}});
    const Json schema = made(
        "schemas",
        {{"type", "object"},
         {"title", "Membership schema"},
         {"description", "Invented"},
         {"allOf", Json::array({{{"$ref", "https://ns.adobe.com/xdm/context/profile"}}, {{"$ref", group["$id"]}}})}});
    schema_ = schema["$id"];
    made("descriptors", {{"@type", "xdm:descriptorIdentity"},
                         {"xdm:sourceSchema", schema_},
                         {"xdm:sourceVersion", 1},
                         {"xdm:sourceProperty", "/personID"},
                         {"xdm:namespace", "Email"},
                         {"xdm:property", "xdm:code"},
                         {"xdm:isPrimary", true}});
  }
  const Response response = call("POST", "/data/foundation/catalog/dataSets",
                                 Json{{"name", name}, {"schemaRef", {{"id", schema_}}}, {"tags", tags}});
  EXPECT_EQ(response.status, 201) << response.body;
  return Json::parse(response.body).at(0).get<std::string>().substr(std::string("@/dataSets/").size());
}

Json DataWorld::start_export(const std::string& dataset, const std::vector<std::string>& ids,
                             const std::string& fields) {
  Json segments = Json::array();
  for (const std::string& id : ids)
    segments.push_back({{"segmentId", id}, {"segmentNs", "ups"}, {"status", {"realized", "existing"}}});
  Json body = {
      {"fields", fields}, {"destination", {{"datasetId", dataset}}}, {"schema", {{"name", "_xdm.context.profile"}}}};
  if (!ids.empty()) body["filter"]["segments"] = segments;
  const Response response = call("POST", "/data/core/ups/export/jobs", body);
  EXPECT_EQ(response.status, 200) << response.body;
  return Json::parse(response.body);
}

Json DataWorld::finished_export(const Json& job) {
  const std::string path = "/data/core/ups/export/jobs/" + job["id"].dump();
  Json now;
  wait_for(
      [&] {
        now = get(path);
        if (now["status"] == "FAILED") return true;
        const std::string batch_id = now["destination"].value("batchId", "");
        return now["status"] == "SUCCEEDED" && (batch_id.empty() || batch(batch_id)["status"] != "staging");
      },
      "the export job");
  return now;
}

Json DataWorld::exported(const std::string& dataset, const std::vector<std::string>& ids, const std::string& fields) {
  return finished_export(start_export(dataset, ids, fields));
}

Json DataWorld::batch(const std::string& id) { return get("/data/foundation/catalog/batches/" + id).at(id); }

std::string DataWorld::ingest(const std::string& dataset, const std::vector<std::string>& files, const Json& more) {
  Json body = {{"datasetId", dataset}, {"inputFormat", {{"format", "json"}}}, {"enableErrorDiagnostics", true}};
  body.update(more);
  const Response made = call("POST", "/data/foundation/import/batches", body);
  EXPECT_EQ(made.status, 201) << made.body;
  const std::string id = Json::parse(made.body)["id"];
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Response put = call(
        "PUT", "/data/foundation/import/batches/" + id + "/datasets/" + dataset + "/files/part" + std::to_string(i),
        files[i], {{"content-type", "application/octet-stream"}});
    EXPECT_EQ(put.status, 201) << put.body;
  }
  EXPECT_EQ(call("POST", "/data/foundation/import/batches/" + id + "?action=COMPLETE").status, 200);
  return id;
}

Json DataWorld::settled(const std::string& id) {
  Json now;
  wait_for(
      [&] {
        now = batch(id);
        return now["status"] == "success" || now["status"] == "failure";
      },
      "the batch");
  return now;
}

std::string DataWorld::record(const std::string& person, const std::vector<std::string>& ids, int generation) {
  Json memberships = Json::array();
  for (const std::string& id : ids)
    memberships.push_back({{"audienceMembershipId", id}, {"audienceMembershipName", "name of " + id}});
  return Json{{"_id", "id-" + person},
              {"personID", person},
              {"_demoemea",
               {{"audienceMembership", memberships},
                {"audienceMembershipCount", ids.size()},
                {"audienceSyncGeneration", generation}}}}
             .dump() +
         "\n";
}

}  // namespace emulator
