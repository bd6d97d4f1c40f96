#include "emulator/data/control_calls.h"

#include <map>
#include <memory>
#include <set>

#include "emulator/data/errors.h"
#include "emulator/data/profile_fields.h"

namespace emulator {
namespace {

const RouteOptions kOpen{.gate = Gate::Open};

/// What of an object the ledger repeats, so that a test need not fetch each.
Json state_of(const Objects& objects, const std::string& kind, const std::string& id) {
  const Json* object = objects.find(kind, id);
  if (object == nullptr) return {{"exists", false}};
  Json state = {{"exists", true}};
  if (object->contains("status")) state["status"] = (*object)["status"];
  if (object->contains("tags")) state["tags"] = (*object)["tags"];
  return state;
}

}  // namespace

ControlCalls::ControlCalls(Platform& platform, World& world, Audiences& audiences, Segments& segments)
    : platform_(platform), world_(world), audiences_(audiences), segments_(segments) {}

void ControlCalls::add_routes(Router& router) {
  router.add("POST", "/_emulator/evolve", checked([this](const Request& r) { return evolve(r); }), kOpen);
  router.add("GET", "/_emulator/truth", checked([this](const Request& r) { return truth(r); }), kOpen);
  router.add("POST", "/_emulator/profiles", checked([this](const Request& r) { return add_profiles(r); }), kOpen);
  router.add("DELETE", "/_emulator/profiles", checked([this](const Request& r) { return remove_profiles(r); }), kOpen);
  router.add("GET", "/_emulator/ledger", checked([this](const Request& r) { return ledger(r); }), kOpen);
}

Response ControlCalls::evolve(const Request& request) {
  const Json body = request.body.empty() ? Json::object() : json_body(request, control_failure("the body is not JSON"));
  const double churn = body.value("churn", 0.01);
  if (churn < 0 || churn > 1) throw control_failure("churn must be between 0 and 1");
  const World::Evolution evolution = world_.evolve(churn, body.value("seed", std::uint64_t{1}), audiences_.computed());
  segments_.evaluated();
  return Response::json(
      200, {{"changed", evolution.changed}, {"appeared", evolution.appeared}, {"disappeared", evolution.disappeared}});
}

Response ControlCalls::truth(const Request& request) {
  const auto audience = request.query_value("audience");
  if (!audience) throw control_failure("audience is required");
  const std::string field = request.query_value("field").value_or(platform_.identity.identity_field);
  std::string column;
  for (const ProfileField& known : profile_fields(platform_.identity))
    if (known.path == field) column = known.sql;
  if (column.empty()) throw control_failure("no profile has the field '" + field + "'");
  const std::string condition = World::member_of(world_.vocabulary(), request.query_value("namespace").value_or("ups"),
                                                 {*audience}, {"realized", "existing"});
  // Shared only because a std::function must be copyable.
  const auto cursor = std::make_shared<TextCursor>(
      world_.database(), "SELECT DISTINCT " + column + " AS person FROM profiles WHERE " + condition +
                             " AND coalesce(" + column + ", '') <> '' ORDER BY person");
  Response response;
  response.headers["content-type"] = "application/x-ndjson";
  response.stream = [cursor] {
    std::string out;
    bool more = true;
    while (out.empty() && more)
      more = cursor->next([&](std::string_view person) { out += Json(std::string(person)).dump() + "\n"; });
    return out;
  };
  return response;
}

Response ControlCalls::add_profiles(const Request& request) {
  const Json body = json_body(request, control_failure("the body is not JSON"));
  const Json profiles = body.is_array() ? body : Json::array({body});
  for (const Json& profile : profiles) world_.add(profile);
  return Response::json(200, {{"added", profiles.size()}});
}

Response ControlCalls::remove_profiles(const Request& request) {
  const auto person = request.query_value("person_id");
  if (!person) throw control_failure("person_id is required");
  return Response::json(200, {{"removed", world_.remove(*person)}});
}

Response ControlCalls::ledger(const Request&) {
  static const std::map<std::string, std::pair<std::string, std::string>> kShown = {
      {"dataset", {"datasets", "name"}},
      {"batch", {"batches", "externalId"}},
      {"export_job", {"export_jobs", ""}},
      {"audience", {"audiences", "name"}},
      {"segment_job", {"segment_jobs", ""}}};
  const auto lock = platform_.objects.lock();
  Json answer = Json::object();
  for (const auto& [kind, shown] : kShown)
    answer[shown.first] = {{"count", 0}, {"created", Json::array()}, {"duplicates", Json::array()}};
  std::map<std::pair<std::string, std::string>, int> seen;
  Json by_status = Json::object();
  Json loading = Json::array();
  for (const auto& [number, entry] : platform_.objects.all("ledger")) {
    const std::string kind = entry["kind"];
    const std::string id = entry["id"];
    if (kind == "batch" && entry.value("by", "") != "client") continue;  // made by the platform itself
    const auto shown = kShown.find(kind);
    const std::string name = shown == kShown.end() ? kind : shown->second.first;
    const std::string unique = shown == kShown.end() ? "name" : shown->second.second;
    Json& part = answer[name];
    Json one = entry;
    one.erase("kind");
    one.update(state_of(platform_.objects, kind, id));
    if (kind == "batch") {
      const std::string status = one.value("status", "erased");
      by_status[status] = by_status.value(status, 0) + 1;
      if (status == "loading") loading.push_back(id);
    }
    if (!unique.empty() && one.contains(unique) && ++seen[{kind, one[unique].dump()}] == 2)
      part["duplicates"].push_back(one[unique]);
    part["created"].push_back(std::move(one));
    part["count"] = part["created"].size();
  }
  // The registry keeps no ledger; what stands there now, by title, shows duplicates as well.
  for (const char* kind : {"schema_resource", "descriptor"}) {
    Json& part =
        answer[std::string(kind) + "s"] = {{"count", 0}, {"created", Json::array()}, {"duplicates", Json::array()}};
    for (const auto& [id, object] : platform_.objects.all(kind)) {
      Json one = {{"id", id}, {"exists", true}};
      if (object.contains("title")) one["title"] = object["title"];
      if (object.contains("meta:resourceType")) one["type"] = object["meta:resourceType"];
      if (object.contains("value")) one["value"] = object["value"];
      Json told = one.value("value", Json::object());
      told.erase("@id");
      const std::string unique = one.value("type", "") + one.value("title", "") + told.dump();
      if (++seen[{kind, unique}] == 2) part["duplicates"].push_back(one);
      part["created"].push_back(std::move(one));
    }
    part["count"] = part["created"].size();
  }
  answer["batches"]["by_status"] = by_status;
  answer["batches"]["loading"] = loading;
  return Response::json(200, answer);
}

}  // namespace emulator
