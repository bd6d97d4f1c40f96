#include <algorithm>

#include "emulator/analytics/components.h"
#include "emulator/analytics/connection_model.h"
#include "emulator/analytics/fields.h"
#include "emulator/analytics/person.h"
#include "emulator/data/errors.h"
#include "emulator/registry/resources.h"

namespace emulator {
namespace {

std::string named_text(const Json& action, const char* name, const std::string& otherwise) {
  if (!action.contains(name) || action[name].is_null()) {
    if (otherwise.empty()) throw control_failure("person: '" + std::string(name) + "' is missing");
    return otherwise;
  }
  if (!action[name].is_string() || action[name].get_ref<const std::string&>().empty())
    throw control_failure("person: '" + std::string(name) + "' must be a text, not " + action[name].dump());
  return action[name].get<std::string>();
}

/// The data set of the connection whose schema has the field; the one named, when one is named.
const Json& data_set_with(const Platform& platform, const Json& connection, const std::string& path,
                          const std::string& named) {
  std::vector<const Json*> found;
  for (const Json& data_set : connection["dataSets"]) {
    if (!named.empty() && data_set["dataSetId"] != named) continue;
    const auto schema = schema_of_dataset(platform, data_set["dataSetId"]);
    if (schema && field_path(*schema, path)) found.push_back(&data_set);
  }
  if (!named.empty() && find_data_set(connection, named) == nullptr)
    throw control_failure("person: the connection of the data view does not hold data set '" + named + "'");
  if (found.empty()) throw control_failure("person: no data set of the connection has a field '" + path + "'");
  if (found.size() > 1 && found.front()->value("type", "") != "event")
    throw control_failure("person: several data sets of the connection have a field '" + path +
                          "'; say which one with 'dataset'");
  return *found.front();
}

}  // namespace

Json Person::add_component(const Json& action) {
  Json view = data_view_of(action);
  const Json* connection = find_connection(platform_, view["parentDataGroupId"]);
  if (connection == nullptr) throw control_failure("person: the connection of the data view is gone");
  const std::string path = named_text(action, "path", "");
  const std::string kind = named_text(action, "kind", "dimension");
  if (kind != "dimension" && kind != "metric")
    throw control_failure("person: kind '" + kind + "' is not possible; write dimension or metric");
  const std::string prefix = kind == "dimension" ? "variables/" : "metrics/";

  Json component;
  if (kind == "dimension" && (path == "adobe_personid" || path == kPersonIdDimension)) {
    component = {{"id", kPersonIdDimension}, {"name", named_text(action, "name", "Person ID")},
                 {"dataset", nullptr},       {"path", nullptr},
                 {"type", "string"},         {"many", false}};
  } else {
    const std::string named = action.contains("dataset") ? named_text(action, "dataset", "") : "";
    const Json& data_set = data_set_with(platform_, *connection, path, named);
    const auto field = field_path(*schema_of_dataset(platform_, data_set["dataSetId"]), path);
    if (field->type == "object" || field->type == "array")
      throw control_failure("person: field '" + path + "' is no single value; choose a field in it");
    const bool event = data_set["type"] == "event";
    const std::string delimiter = action.value("delimiter", "");
    const std::string own = (event ? "" : data_set["dataSetId"].get<std::string>() + ".") + field->dotted;
    component = {{"id", prefix + own},
                 {"name", named_text(action, "name", field->title)},
                 {"dataset", event ? Json(nullptr) : data_set["dataSetId"]},
                 {"dataset_type", data_set["type"]},
                 {"path", field->dotted},
                 {"title", field->title},
                 {"type", field->type},
                 {"container", field->container},
                 {"rest", field->rest},
                 {"many", field->many || !delimiter.empty()},
                 {"delimiter", delimiter},
                 {"include", action.value("include", Json::array())}};
    if (action.contains("multi") && action["multi"] != component["many"])
      throw control_failure("person: field '" + path + "' " +
                            (field->many ? "lies in a list, so it has many values"
                                         : "has one value; with 'delimiter' it is split into many"));
  }
  if (action.contains("component_id")) {
    const std::string wanted = named_text(action, "component_id", "");
    component["id"] = wanted.starts_with(prefix) ? wanted : prefix + wanted;
  }
  const auto taken = [&](const std::string& id) {
    return find_component(view, kind == "dimension" ? ComponentKind::Dimension : ComponentKind::Metric, id).has_value();
  };
  std::string id = component["id"];
  if (taken(id)) {
    if (action.contains("component_id") || component["path"].is_null())
      throw control_failure("person: the data view has a component '" + id + "' already");
    // The same field may be there several times, with other settings.
    int number = 2;
    while (taken(id + "_" + std::to_string(number))) ++number;
    id += "_" + std::to_string(number);
    component["id"] = id;
  }
  view["_emulator"]["components"].push_back(std::move(component));
  view["modifiedDate"] = analytics_time(platform_.clock.now_ms());
  const std::string view_id = view["id"];
  platform_.objects.put(kDataViewKind, view_id, std::move(view));
  return {{"data_view", view_id}, {"component", id}};
}

Json Person::remove_component(const Json& action) {
  Json view = data_view_of(action);
  const std::string id = named_text(action, "component", "");
  Json& all = view["_emulator"]["components"];
  const auto found = std::find_if(all.begin(), all.end(), [&](const Json& component) {
    return component["id"] == id || component["id"] == "variables/" + id || component["id"] == "metrics/" + id;
  });
  if (found == all.end())
    throw control_failure("person: data view '" + view["id"].get<std::string>() + "' has no component '" + id +
                          "' that a person added");
  all.erase(found);
  const std::string view_id = view["id"];
  platform_.objects.put(kDataViewKind, view_id, std::move(view));
  return {{"data_view", view_id}, {"component", id}};
}

Json Person::change_component(const Json& action) {
  Json view = data_view_of(action);
  const std::string id = named_text(action, "component", "");
  Json answer;
  for (Json& component : view["_emulator"]["components"]) {
    if (component["id"] != id) continue;
    component["name"] = named_text(action, "name", component["name"]);
    if (action.contains("include")) component["include"] = action["include"];
    answer = {{"data_view", view["id"]}, {"component", id}};
  }
  if (answer.is_null())
    throw control_failure("person: data view '" + view["id"].get<std::string>() + "' has no component '" + id +
                          "' that a person added");
  const std::string view_id = view["id"];
  platform_.objects.put(kDataViewKind, view_id, std::move(view));
  return answer;
}

Json Person::configure_audience_analysis(const Json& action) {
  Json connection = connection_of(action);
  for (const Json& data_set : connection["dataSets"])
    if (data_set.value("name", "").starts_with("Profile-Snapshot-Export-"))
      throw control_failure("person: the connection has an audience analysis configuration already");
  const std::string uuid = platform_.new_uuid("audience analysis");
  const std::int64_t now = platform_.clock.now_ms();
  const auto make_dataset = [&](const std::string& name, const std::string& schema) {
    const std::string id = platform_.new_id("dataset");
    platform_.objects.put(
        "dataset", id,
        {{"name", name},
         {"imsOrg", platform_.identity.organization},
         {"sandboxId", platform_.identity.sandbox},
         {"created", now},
         {"updated", now},
         {"version", "1.0.0"},
         {"state", "DRAFT"},
         {"tags", Json::object()},
         {"classification", {{"dataBehavior", "record"}, {"managedBy", "SYSTEM"}}},
         {"schemaRef", {{"id", schema}, {"contentType", "application/vnd.adobe.xed+json;version=1"}}},
         {"_emulator", {{"number", platform_.objects.next("dataset_order")}, {"table", "audience_analysis_" + id}}}});
    return id;
  };
  const std::string snapshot = make_dataset("Profile-Snapshot-Export-" + uuid, kProfileUnion);
  const std::string names = make_dataset("Audience-Names-Lookup-" + uuid, kProfileUnion);
  add_dataset(
      {{"connection", connection["id"]}, {"dataset", snapshot}, {"person_id", "identityMap"}, {"type", "profile"}});
  add_dataset({{"connection", connection["id"]},
               {"dataset", names},
               {"type", "lookup"},
               {"key", "_id"},
               {"matching_key", "segmentMembership"}});

  Json views = Json::array();
  for (const auto& [id, known] : std::map<std::string, Json>(platform_.objects.all(kDataViewKind))) {
    if (known["parentDataGroupId"] != connection["id"]) continue;
    if (action.contains("data_view") && action["data_view"] != id) continue;
    Json view = known;
    view["_emulator"]["analysis"] = true;
    for (const char* name : {"Audience Name", "Audience Origin", "Exited Audience Name", "Exited Audience Origin"}) {
      std::string field = name;
      std::erase(field, ' ');
      view["_emulator"]["components"].push_back({{"id", "variables/" + names + "." + field},
                                                 {"name", name},
                                                 {"dataset", names},
                                                 {"dataset_type", "lookup"},
                                                 {"path", field},
                                                 {"title", name},
                                                 {"type", "string"},
                                                 {"container", "$.\"" + field + "\""},
                                                 {"rest", "$"},
                                                 {"many", true},
                                                 {"delimiter", ""},
                                                 {"include", Json::array()}});
    }
    platform_.objects.put(kDataViewKind, id, std::move(view));
    views.push_back(id);
  }
  return {{"snapshot", snapshot}, {"lookup", names}, {"data_views", views}};
}

}  // namespace emulator
