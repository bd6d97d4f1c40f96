#include "plugins/platform/datasets.h"

#include <algorithm>

#include "plugins/platform/call.h"
#include "plugins/platform/catalog_list.h"

namespace audiencesync::platform {
namespace {

const char* const kDataSets = "/data/foundation/catalog/dataSets";

Value tags_value(const Tags& tags) {
  Value value{Value::Object{}};
  for (const auto& [name, values] : tags) value[name] = Value::Array(values.begin(), values.end());
  return value;
}

Result<std::vector<Dataset>> list_datasets(http::ReadClient& client, http::Query query) {
  auto entries = TRY(list_catalog(client, "datasets", kDataSets, std::move(query)));
  std::vector<Dataset> datasets;
  for (const auto& [id, value] : entries) datasets.push_back(dataset_from(id, value));
  std::sort(datasets.begin(), datasets.end(), [](const Dataset& left, const Dataset& right) {
    const auto key = [](const Dataset& dataset) { return std::pair(dataset.created.value_or(Time()), dataset.id); };
    return key(left) < key(right);
  });
  return datasets;
}

}  // namespace

std::string our_tag(const Dataset& dataset, std::string_view prefix) {
  const auto tag = dataset.tags.find(kOurTag);
  if (tag == dataset.tags.end()) return {};
  const auto start = std::string(prefix) + ":";
  for (const auto& value : tag->second)
    if (value.starts_with(start)) return value.substr(start.size());
  return {};
}

std::vector<std::string> our_tags(const std::string& uid, const std::string& role, const std::string& state_id) {
  return {"uid:" + uid, "role:" + role, "state:" + state_id};
}

Tags tags_with_ours(Tags tags, const std::string& uid, const std::string& role, const std::string& state_id) {
  auto values = our_tags(uid, role, state_id);
  for (auto& value : tags[std::string(kOurTag)]) {
    const bool replaced = value.starts_with("uid:") || value.starts_with("role:") || value.starts_with("state:");
    if (!replaced) values.push_back(std::move(value));
  }
  tags[std::string(kOurTag)] = std::move(values);
  return tags;
}

bool is_profile_enabled(const Dataset& dataset) {
  const auto tag = dataset.tags.find("unifiedProfile");
  if (tag == dataset.tags.end()) return false;
  return std::any_of(tag->second.begin(), tag->second.end(), [](std::string value) {
    std::erase(value, ' ');
    return ascii_lower(value) == "enabled:true";
  });
}

bool is_profile_union(std::string_view schema) {
  return schema == kProfileUnion || schema == "_xdm.context.profile__union";
}

Dataset dataset_from(const std::string& id, const Value& value) {
  Dataset dataset;
  dataset.id = id;
  dataset.name = value.text("name");
  dataset.version = id_text(value.find("version"));
  dataset.state = value.text("state");
  if (const auto* kind = value.find("classification")) dataset.managed_by = kind->text("managedBy");
  dataset.created = time_of(value.find("created"));
  if (const auto* schema = value.find("schemaRef")) dataset.schema = schema->text("id");
  if (const auto* tags = value.find("tags"); tags != nullptr && tags->is_object())
    for (const auto& [name, values] : *tags->object_if()) dataset.tags[name] = texts_of(&values);
  return dataset;
}

Result<std::optional<Dataset>> get_dataset(http::ReadClient& client, const std::string& id) {
  auto answer =
      TRY(read_json_if_there(client, get(std::string(kDataSets) + "/" + http::encode_segment(id))).in("dataset " + id));
  const auto* value = catalog_entry(answer, id);
  if (value == nullptr) return std::optional<Dataset>();
  return std::optional<Dataset>(dataset_from(id, *value));
}

Result<std::vector<Dataset>> datasets_of(http::ReadClient& client, const std::string& uid, const std::string& role) {
  // The tag filter takes `name:value`, and our values have a colon of their own: it is left to us.
  auto datasets = TRY(list_datasets(client, {{"tags", std::string(kOurTag) + ":*"}}));
  std::erase_if(datasets, [&](const Dataset& dataset) {
    return our_tag(dataset, "uid") != uid || our_tag(dataset, "role") != role;
  });
  return datasets;
}

Result<std::vector<Dataset>> datasets_named(http::ReadClient& client, const std::string& name) {
  // A comma in the filter separates alternatives, `!` and `*` have a meaning: such names are compared here only.
  const bool plain = name.find_first_of(",!*~<>=") == std::string::npos;
  auto datasets = TRY(list_datasets(client, plain ? http::Query{{"name", name}} : http::Query{}));
  std::erase_if(datasets, [&](const Dataset& dataset) { return dataset.name != name; });
  return datasets;
}

Result<std::vector<Dataset>> profile_snapshots_of(http::ReadClient& client, const std::string& merge_policy) {
  auto datasets = TRY(list_datasets(client, {{"property", "name~Profile-Snapshot-Export.*"}}));
  const auto wanted = "mergePolicyId:" + merge_policy;
  std::erase_if(datasets, [&](const Dataset& dataset) {
    if (dataset.managed_by != "SYSTEM" || !dataset.name.starts_with("Profile-Snapshot-Export")) return true;
    const auto tag = dataset.tags.find("unifiedProfile");
    if (tag == dataset.tags.end()) return true;
    return std::none_of(tag->second.begin(), tag->second.end(), [&](std::string value) {
      std::erase(value, ' ');
      return value == wanted;
    });
  });
  return datasets;
}

Result<std::string> create_dataset(http::WriteClient& client, const NewDataset& dataset) {
  Value body;
  body["name"] = dataset.name;
  body["description"] = dataset.description;
  body["schemaRef"]["id"] = dataset.schema;
  body["schemaRef"]["contentType"] = "application/vnd.adobe.xed+json;version=1";
  body["tags"] = tags_value(dataset.tags);
  auto answer =
      TRY(write_json(client, send(http::Method::Post, kDataSets, body, http::Repeat::Once)).in("create dataset"));
  const auto references = texts_of(&answer);
  auto id = references.empty() ? id_text(answer.find("id")) : last_segment(references.front());
  if (id.empty()) return Error(ErrorCode::Unknown, "the platform made dataset '" + dataset.name + "' and named no id");
  return id;
}

Result<void> patch_dataset(http::WriteClient& client, const std::string& id, const DatasetPatch& patch) {
  Value body{Value::Object{}};
  if (patch.name) body["name"] = *patch.name;
  if (patch.tags) body["tags"] = tags_value(*patch.tags);
  TRY(client
          .write(send(http::Method::Patch, std::string(kDataSets) + "/" + http::encode_segment(id), body,
                      http::Repeat::Repeatable))
          .in("dataset " + id));
  return {};
}

}  // namespace audiencesync::platform
