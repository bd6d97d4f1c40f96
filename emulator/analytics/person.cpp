#include "emulator/analytics/person.h"

#include <algorithm>

#include "emulator/analytics/answers.h"
#include "emulator/analytics/audit_log.h"
#include "emulator/analytics/components.h"
#include "emulator/analytics/connection_model.h"
#include "emulator/analytics/fields.h"
#include "emulator/analytics/users.h"
#include "emulator/data/errors.h"
#include "emulator/organization/namespaces.h"

namespace emulator {
namespace {

constexpr std::size_t kDataSetsPerConnection = 100;

std::string action_text(const Json& action, const char* name) {
  if (!action.contains(name)) throw control_failure("person: '" + std::string(name) + "' is missing");
  if (!action[name].is_string() || action[name].get_ref<const std::string&>().empty())
    throw control_failure("person: '" + std::string(name) + "' must be a text, not " + action[name].dump());
  return action[name].get<std::string>();
}

bool action_flag(const Json& action, const char* name, bool otherwise) {
  if (!action.contains(name)) return otherwise;
  if (!action[name].is_boolean())
    throw control_failure("person: '" + std::string(name) + "' must be true or false, not " + action[name].dump());
  return action[name].get<bool>();
}

void set_streaming(Json& data_set, bool on, std::int64_t now) {
  Json& periods = data_set["_emulator"]["streaming_periods"];
  if (!periods.is_array()) periods = Json::array();
  if (data_set.value("streaming", false) == on && !periods.empty()) return;
  if (on) {
    periods.push_back({{"from", now}, {"to", nullptr}});
    data_set["streamingEnabledAt"] = analytics_time(now);
  } else if (!periods.empty() && periods.back()["to"].is_null()) {
    periods.back()["to"] = now;
  }
  data_set["streaming"] = on;
}

Json* changeable_data_set(Json& connection, const std::string& dataset) {
  for (Json& one : connection["dataSets"])
    if (one["dataSetId"] == dataset) return &one;
  throw control_failure("person: connection '" + connection["id"].get<std::string>() + "' does not hold data set '" +
                        dataset + "'");
}

}  // namespace

void Person::add_routes(Router& router) {
  router.add("POST", "/_emulator/person", checked([this](const Request& request) {
               const Json action = json_body(request, control_failure("person: the body is not JSON"));
               if (!action.is_object()) throw control_failure(R"(person: write {"do":"...", ...})");
               const auto lock = platform_.objects.lock();
               return Response::json(200, act(action));
             }),
             {.body = BodyMode::Memory, .gate = Gate::Open});
}

Json Person::act(const Json& action) {
  using Act = Json (Person::*)(const Json&);
  static const std::map<std::string, Act> kActs = {
      {"add_dataset_to_connection", &Person::add_dataset},
      {"remove_dataset_from_connection", &Person::remove_dataset},
      {"set_dataset_in_connection", &Person::set_dataset},
      {"start_backfill", &Person::start_backfill},
      {"delete_connection", &Person::delete_connection},
      {"rename_connection", &Person::rename_connection},
      {"add_component", &Person::add_component},
      {"change_component", &Person::change_component},
      {"remove_component", &Person::remove_component},
      {"rename_data_view", &Person::rename_data_view},
      {"configure_audience_analysis", &Person::configure_audience_analysis}};
  const std::string what = action_text(action, "do");
  if (what == "create_connection") return {{"connection", create_connection(action_text(action, "name"))}};
  const auto found = kActs.find(what);
  if (found == kActs.end()) {
    std::string list = "create_connection";
    for (const auto& [name, act] : kActs) list += ", " + name;
    throw control_failure("person: nobody can '" + what + "'; one of " + list);
  }
  AuditEntry entry{what.starts_with("delete_") ? "DELETE" : "EDIT", "", "", "", kSomebody};
  if (action.contains("data_view")) {
    const Json view = data_view_of(action);
    entry = {entry.action, "DATA_VIEW", view["id"], view["name"], kSomebody};
  } else {
    const Json connection = connection_of(action);
    entry = {entry.action, "CONNECTION", connection["id"], connection["name"], kSomebody};
  }
  Json answer = (this->*found->second)(action);
  record_audit(platform_, entry);
  return answer;
}

Json Person::connection_of(const Json& action) const {
  const std::string id = action_text(action, "connection");
  const Json* connection = find_connection(platform_, id);
  if (connection == nullptr) throw control_failure("person: there is no connection '" + id + "'");
  return *connection;
}

Json Person::data_view_of(const Json& action) const {
  const std::string id = action_text(action, "data_view");
  const Json* view = platform_.objects.find(kDataViewKind, id);
  if (view == nullptr) throw control_failure("person: there is no data view '" + id + "'");
  return *view;
}

std::string Person::create_connection(const std::string& name) {
  for (const auto& [id, other] : platform_.objects.all(kConnectionKind))
    if (other["name"] == name) throw control_failure("person: there is a connection '" + name + "' already");
  const std::string id = connection_key(platform_.new_uuid("connection"));
  const std::string user = kSomebody;
  store_connection(platform_,
                   {{"id", id},
                    {"name", name},
                    {"description", ""},
                    {"primaryIdType", "person"},
                    {"owner", {{"imsUserId", user}, {"ownerId", user}, {"name", nullptr}, {"type", "imsUser"}}},
                    {"sandboxId", platform_.identity.sandbox},
                    {"sandboxName", platform_.identity.sandbox},
                    {"dataRetentionMonths", 13},
                    {"floatPrecision", 2},
                    {"backfillEnabled", true},
                    {"caseSensitive", true},
                    {"isDeleted", false},
                    {"isDisabled", false},
                    {"createdDate", analytics_time(platform_.clock.now_ms())},
                    {"modifiedBy", user},
                    {"organization", platform_.identity.organization},
                    {"configuredContainers", Json::array()},
                    {"tags", Json::array()},
                    {"dataSets", Json::array()}});
  record_audit(platform_, {"CREATE", "CONNECTION", id, name, kSomebody});
  return id;
}

void Person::set_person_id(Json& data_set, const Json& action) const {
  const std::string dataset = data_set["dataSetId"];
  const auto schema = schema_of_dataset(platform_, dataset);
  if (!schema) throw control_failure("person: data set '" + dataset + "' has no schema any more");
  std::string field = data_set.value("visitorId", "");
  if (field.empty()) {
    const Json primary = schema->value("primaryIdentity", Json());
    field = primary.is_string() ? primary.get<std::string>().substr(1) : "personID";
    std::replace(field.begin(), field.end(), '/', '.');
  }
  if (action.contains("person_id")) field = action_text(action, "person_id");
  std::string space = data_set.value("identityNamespace", "Email");
  if (action.contains("namespace")) space = action_text(action, "namespace");
  if (!find_namespace(platform_, space))
    throw control_failure("person: there is no identity namespace with the code '" + space + "'");
  const bool map = field == "identityMap";
  if (!map) {
    const auto found = field_path(*schema, field);
    if (!found) throw control_failure("person: the schema of data set '" + dataset + "' has no field '" + field + "'");
    if (found->many || found->type != "string")
      throw control_failure("person: field '" + field + "' is no single text; it cannot be the person id");
    field = found->dotted;
  } else if (!(*schema)["properties"].contains("identityMap")) {
    throw control_failure("person: the schema of data set '" + dataset + "' has no identityMap");
  }
  data_set["visitorId"] = field;
  data_set["identityNamespace"] = space;
  data_set["identityMap"] = map;
  data_set["usePrimaryIdNamespace"] = map && action_flag(action, "primary", !action.contains("namespace"));
}

void Person::add_backfill(Json& data_set) {
  const std::int64_t now = platform_.clock.now_ms();
  data_set["_emulator"]["backfills"].push_back({{"id", platform_.new_uuid("backfill")},
                                                {"created", now},
                                                {"due", now + platform_.settings.backfill_delay.count()}});
}

Json Person::add_dataset(const Json& action) {
  Json connection = connection_of(action);
  const std::string dataset = action_text(action, "dataset");
  const Json* known = platform_.objects.find("dataset", dataset);
  if (known == nullptr) throw control_failure("person: there is no data set '" + dataset + "' in the catalog");
  if (find_data_set(connection, dataset) != nullptr)
    throw control_failure("person: the connection holds data set '" + dataset + "' already");
  if (connection["dataSets"].size() >= kDataSetsPerConnection)
    throw control_failure("person: a connection holds at most 100 data sets");

  const std::string natural = dataset_type(platform_, *known);
  const std::string type = action.contains("type") ? action_text(action, "type") : natural;
  if (type != "event" && type != "profile" && type != "lookup")
    throw control_failure("person: type '" + type + "' is not possible; write event, profile or lookup");
  if (type == "event" && natural != "event")
    throw control_failure("person: the schema of data set '" + dataset + "' has no time series, so it holds no events");

  Json data_set = {
      {"dataSetId", dataset},
      {"domain", "catalog"},
      {"type", type},
      {"name", known->value("name", "")},
      {"dataSourceType", {{"id", type == "event" ? "webData" : "crmData"}, {"description", nullptr}}},
      {"streaming", false},
      {"_emulator",
       {{"added", platform_.clock.now_ms()}, {"streaming_periods", Json::array()}, {"backfills", Json::array()}}}};
  if (type == "lookup") {
    const std::string key = action.contains("key") ? action_text(action, "key") : "_id";
    const auto schema = schema_of_dataset(platform_, dataset);
    if (!schema || !field_path(*schema, key))
      throw control_failure("person: the schema of data set '" + dataset + "' has no field '" + key + "'");
    data_set["lookupKeyField"] = key;
    data_set["lookupParentFields"] =
        action.contains("matching_key") ? Json::array({action_text(action, "matching_key")}) : Json::array();
  } else {
    set_person_id(data_set, action);
    if (type == "event") data_set["timestampId"] = "timestamp";
  }
  set_streaming(data_set, action_flag(action, "streaming", true), platform_.clock.now_ms());
  if (action_flag(action, "backfill", true)) add_backfill(data_set);
  connection["dataSets"].push_back(std::move(data_set));
  const std::string id = connection["id"];
  store_connection(platform_, std::move(connection));
  return {{"connection", id}, {"dataset", dataset}, {"type", type}};
}

Json Person::remove_dataset(const Json& action) {
  Json connection = connection_of(action);
  const std::string dataset = action_text(action, "dataset");
  const Json data_set = *changeable_data_set(connection, dataset);
  Json& all = connection["dataSets"];
  all.erase(std::find(all.begin(), all.end(), data_set));
  const std::string id = connection["id"];
  store_connection(platform_, std::move(connection));
  return {{"connection", id}, {"dataset", dataset}};
}

Json Person::set_dataset(const Json& action) {
  Json connection = connection_of(action);
  Json& data_set = *changeable_data_set(connection, action_text(action, "dataset"));
  const std::int64_t now = platform_.clock.now_ms();
  if (action.contains("person_id") || action.contains("namespace")) {
    if (data_set["type"] == "lookup") throw control_failure("person: a lookup data set has no person id");
    const Json before = data_set;
    set_person_id(data_set, action);
    // The platform throws the data away and reads them again.
    if (data_set != before) data_set["_emulator"]["read_again"] = now;
  }
  if (action.contains("streaming")) set_streaming(data_set, action_flag(action, "streaming", true), now);
  if (action_flag(action, "backfill", false)) add_backfill(data_set);
  const Json answer = {{"connection", connection["id"]}, {"dataset", data_set["dataSetId"]}};
  store_connection(platform_, std::move(connection));
  return answer;
}

Json Person::start_backfill(const Json& action) {
  Json connection = connection_of(action);
  Json& data_set = *changeable_data_set(connection, action_text(action, "dataset"));
  add_backfill(data_set);
  const Json answer = {{"backfill", data_set["_emulator"]["backfills"].back()["id"]}};
  store_connection(platform_, std::move(connection));
  return answer;
}

Json Person::rename_connection(const Json& action) {
  Json connection = connection_of(action);
  connection["name"] = action_text(action, "name");
  const std::string id = connection["id"];
  store_connection(platform_, std::move(connection));
  return {{"connection", id}};
}

Json Person::delete_connection(const Json& action) {
  const std::string id = connection_of(action)["id"];
  for (const auto& [view_id, view] : platform_.objects.all(kDataViewKind))
    if (view["parentDataGroupId"] == id)
      throw control_failure("person: data view '" + view_id + "' still uses the connection");
  platform_.objects.erase(kConnectionKind, id);
  return {{"connection", id}};
}

Json Person::rename_data_view(const Json& action) {
  Json view = data_view_of(action);
  view["name"] = action_text(action, "name");
  view["modifiedDate"] = analytics_time(platform_.clock.now_ms());
  const std::string id = view["id"];
  platform_.objects.put(kDataViewKind, id, std::move(view));
  return {{"data_view", id}};
}

}  // namespace emulator
