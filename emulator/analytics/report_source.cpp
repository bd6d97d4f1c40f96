#include "emulator/analytics/report_source.h"

#include <algorithm>

#include "emulator/analytics/fields.h"

namespace emulator {
namespace {

const ReportSource::DataSet* held_set(const std::vector<ReportSource::DataSet>& list, const Json& dataset) {
  for (const ReportSource::DataSet& one : list)
    if (one.data_set["dataSetId"] == dataset) return &one;
  return nullptr;
}

/// The field of a profile data set at that path, as a component; null when none of them has it.
Json field_of_people(const Platform& platform, const std::vector<ReportSource::DataSet>& profiles,
                     const std::string& path) {
  for (const ReportSource::DataSet& one : profiles) {
    const auto schema = schema_of_dataset(platform, one.data_set["dataSetId"]);
    const auto field = schema ? field_path(*schema, path) : std::nullopt;
    if (field)
      return {{"dataset", one.data_set["dataSetId"]},
              {"container", field->container},
              {"rest", field->rest},
              {"many", field->many}};
  }
  return nullptr;
}

/// The newest row of each key decides.
std::string lookup_sql(HeldRows& rows, const ReportSource::DataSet& lookup, const Json& component, std::uint64_t cap) {
  const std::string all =
      rows.sql(lookup.batches, {{"key", json_path(lookup.data_set["lookupKeyField"]), WantedField::As::Text},
                                {"value", component["container"], WantedField::As::Document}});
  std::string value = component_values(component, "last.v", cap);
  if (component.value("many", false)) value = "unnest(" + value + ")";
  return "SELECT key, " + value +
         " AS value FROM (SELECT key, arg_max({'v': value, 'w': withdrawn}, seq) AS last FROM (" + all +
         ") WHERE coalesce(key, '') <> '' GROUP BY key) WHERE NOT last.w";
}

}  // namespace

std::string component_values(const Json& component, const std::string& from, std::uint64_t cap) {
  const std::string value = "json_extract_string(" + from + ", " + sql_text(component["rest"].get<std::string>()) + ")";
  const std::string delimiter = component.value("delimiter", "");
  if (delimiter.empty()) return value;
  return "list_transform(list_slice(string_split(" + value + ", " + sql_text(delimiter) + "), 1, " +
         std::to_string(cap) + "), x -> trim(x))";
}

std::string component_condition(const Json& component) {
  const Json wanted = component.value("include", Json::array());
  std::string list;
  for (const Json& value : wanted) list += (list.empty() ? "" : ", ") + sql_text(value.get<std::string>());
  return list.empty() ? "coalesce(value, '') <> ''" : "value IN (" + list + ")";
}

ReportSource report_source(const Platform& platform, Lake& lake, const Json& data_view) {
  ReportSource source;
  source.data_view = data_view;
  source.rule = RowRule::of(platform.settings);
  source.needs_event = platform.settings.visibility_requires_event;
  source.array_cap = platform.settings.substring_array_cap;
  const Json* connection = find_connection(platform, data_view["parentDataGroupId"]);
  if (connection == nullptr) return source;
  for (const Json& data_set : (*connection)["dataSets"]) {
    if (platform.objects.find("dataset", data_set["dataSetId"]) == nullptr) continue;
    auto& kind = data_set["type"] == "event"    ? source.events
                 : data_set["type"] == "lookup" ? source.lookups
                                                : source.profiles;
    kind.push_back({data_set, held_batches(platform, lake, data_set, Delays::Wait), nullptr});
  }
  for (ReportSource::DataSet& lookup : source.lookups)
    if (const Json& keys = lookup.data_set["lookupParentFields"]; !keys.empty())
      lookup.parent = field_of_people(platform, source.profiles, keys[0]);
  return source;
}

std::string people_values_sql(HeldRows& rows, const ReportSource& source, const Json& component) {
  const std::string nobody = "SELECT NULL::VARCHAR AS person, NULL::VARCHAR AS value WHERE false";
  if (const ReportSource::DataSet* lookup = held_set(source.lookups, component["dataset"])) {
    if (lookup->parent.is_null()) return nobody;
    return "SELECT DISTINCT person, value FROM (SELECT p.person, l.value FROM (" +
           people_values_sql(rows, source, lookup->parent) + ") p JOIN (" +
           lookup_sql(rows, *lookup, component, source.array_cap) + ") l ON l.key = p.value) WHERE " +
           component_condition(component);
  }
  const ReportSource::DataSet* profiles = held_set(source.profiles, component["dataset"]);
  if (profiles == nullptr) return nobody;
  const std::string all = rows.sql(profiles->batches, {person_field(profiles->data_set),
                                                       {"value", component["container"], WantedField::As::Document}});
  std::string value = component_values(component, "value", source.array_cap);
  if (component.value("many", false)) value = "unnest(" + value + ")";
  return "SELECT DISTINCT person, value FROM (SELECT person, " + value + " AS value FROM (" +
         current_values_sql(source.rule, all, person_sql(profiles->data_set)) + ")) WHERE " +
         component_condition(component);
}

}  // namespace emulator
