#include "emulator/analytics/fields.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "emulator/registry/resources.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kTimeSeries = "https://ns.adobe.com/xdm/data/time-series";

std::vector<std::string> names_of(const std::string& dotted) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : dotted + ".") {
    if (c == '.') {
      names.push_back(std::exchange(name, {}));
    } else if (c != '[' && c != ']' && c != '*') {
      name += c;
    }
  }
  return names;
}

std::string quoted_step(const std::string& name) { return ".\"" + name + "\""; }

}  // namespace

std::optional<FieldPath> field_path(const Json& schema, std::string dotted) {
  FieldPath field;
  field.container = "$";
  field.rest = "$";
  const Json* node = &schema;
  for (const std::string& name : names_of(dotted)) {
    // A quote could leave the path's literal; no field of a schema has one.
    if (name.empty() || name.find_first_of("\"'\\") != std::string::npos) return std::nullopt;
    if (!node->contains("properties") || !(*node)["properties"].contains(name)) return std::nullopt;
    node = &(*node)["properties"][name];
    (field.many ? field.rest : field.container) += quoted_step(name);
    field.dotted += (field.dotted.empty() ? "" : ".") + name;
    field.title = node->value("title", name);
    while (node->value("type", "") == "array" && node->contains("items")) {
      field.many = true;
      field.rest += "[*]";
      node = &(*node)["items"];
    }
  }
  field.type = node->value("type", "string");
  return field;
}

std::string dataset_type(const Platform& platform, const Json& dataset) {
  const std::string id = dataset.value("schemaRef", Json::object()).value("id", "");
  const std::optional<Json> schema = find_resource(platform, id);
  if (!schema) return {};
  const std::string own_class = schema->value("meta:class", "");
  if ((*schema)["$id"] == kProfileUnion || own_class == kProfileClass) return "profile";
  const Json* document = lookup_in(platform)(own_class);
  Json extends = schema->value("meta:extends", Json::array());
  if (document != nullptr)
    for (const Json& behaviour : document->value("meta:extends", Json::array())) extends.push_back(behaviour);
  return std::find(extends.begin(), extends.end(), kTimeSeries) != extends.end() ? "event" : "lookup";
}

std::optional<Json> schema_of_dataset(const Platform& platform, const std::string& id) {
  const Json* dataset = platform.objects.find("dataset", id);
  if (dataset == nullptr) return std::nullopt;
  return resolved_schema(platform, dataset->value("schemaRef", Json::object()).value("id", ""));
}

}  // namespace emulator
