#include "emulator/analytics/events.h"

#include <algorithm>

#include "emulator/registry/descriptors.h"
#include "emulator/registry/resources.h"

namespace emulator {
namespace {

constexpr const char* kEventClass = "https://ns.adobe.com/xdm/context/experienceevent";
constexpr const char* kWebDetails = "https://ns.adobe.com/xdm/context/experienceevent-web";
constexpr const char* kEventDatasetName = "Luma web events";
constexpr std::uint64_t kSecondsOfEvents = 45ULL * 86400;

std::vector<std::string> steps_of(const std::string& dotted) {
  std::vector<std::string> steps;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = dotted.find('.', begin);
    steps.push_back(dotted.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return steps;
}

/// A schema with web details and the identity field of the profiles at the same path.
void seed_event_schema(Platform& platform, const std::string& group, const std::string& schema) {
  const std::int64_t now = platform.clock.now_ms();
  const auto document = [&](const std::string& id, const char* type, const char* title) {
    return Json{{"$id", id},
                {"meta:altId", alt_id_of(id)},
                {"meta:resourceType", type},
                {"version", "1.0"},
                {"title", title},
                {"type", "object"},
                {"meta:xdmType", "object"},
                {"meta:containerId", "tenant"},
                {"meta:tenantNamespace", platform.identity.tenant},
                {"imsOrg", platform.identity.organization},
                {"meta:registryMetadata", {{"repo:createdDate", now}, {"repo:lastModifiedDate", now}}}};
  };
  const std::vector<std::string> steps = steps_of(platform.identity.identity_field);
  Json field = {{"type", "string"}, {"meta:xdmType", "string"}};
  for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    field = {{"type", "object"}, {"properties", {{*step, std::move(field)}}}};
  Json mixin = document(group, "mixins", "Visitor identification");
  mixin["meta:intendedToExtend"] = Json::array({kEventClass});
  mixin["definitions"] = {{"customFields", std::move(field)}};
  mixin["allOf"] = Json::array({{{"$ref", "#/definitions/customFields"}, {"type", "object"}}});
  platform.objects.put(kResourceKind, group, std::move(mixin));

  Json whole = document(schema, "schemas", "Luma web events");
  whole["allOf"] = Json::array();
  whole["meta:extends"] = Json::array({kEventClass, "https://ns.adobe.com/xdm/data/time-series", kWebDetails, group});
  for (const std::string& part : {std::string(kEventClass), std::string(kWebDetails), group})
    whole["allOf"].push_back({{"$ref", part}});
  whole["meta:class"] = kEventClass;
  platform.objects.put(kResourceKind, schema, std::move(whole));

  std::string property = platform.identity.identity_field;
  std::replace(property.begin(), property.end(), '.', '/');
  store_descriptor(platform, {{"@type", "xdm:descriptorIdentity"},
                              {"xdm:sourceSchema", schema},
                              {"xdm:sourceVersion", 1},
                              {"xdm:sourceProperty", "/" + property},
                              {"xdm:namespace", "Email"},
                              {"xdm:property", "xdm:code"},
                              {"xdm:isPrimary", true}});
}

std::string events_sql(const Platform& platform, std::uint64_t count) {
  const std::string s = std::to_string(platform.identity.seed) + "::UBIGINT";
  const std::string now = "epoch_ms(" + std::to_string(platform.clock.now_ms()) + ")";
  std::vector<std::string> steps = steps_of(platform.identity.identity_field);
  std::string person = "person";
  while (steps.size() > 1) {
    person = "struct_pack(" + sql_name(steps.back()) + " := " + person + ")";
    steps.pop_back();
  }
  const std::string pages =
      "['home','home','home','search','search','product','product','cart','checkout','account','store finder',"
      "'newsletter']";
  return "WITH active AS (SELECT person, row_number() OVER (ORDER BY hash(profile_id, " + s +
         ", 71), profile_id) - 1 AS k FROM profiles WHERE hash(profile_id, " + s +
         ", 70) % 1000 < 650 AND coalesce(person, '') <> ''), "
         "size AS (SELECT count(*)::UBIGINT AS n FROM active), "
         // The first round reaches everybody once; the rest go to few people more often than to many.
         "events AS (SELECT i, CASE WHEN i < n THEN i ELSE floor(n * pow(hash(i, " +
         s + ", 72) % 1000000 / 1000000.0, 2.5))::BIGINT END AS k FROM range(" + std::to_string(count) +
         ") numbers(i), size WHERE n > 0) "
         "SELECT md5('event ' || i || ' ' || " +
         s + ") AS _id, " + now + " - to_seconds((hash(i, " + s + ", 73) % " + std::to_string(kSecondsOfEvents) +
         ")::BIGINT) AS \"timestamp\", 'web.webpagedetails.pageViews' AS \"eventType\", " + person + " AS " +
         sql_name(steps.front()) + ", {'webPageDetails': {'name': " + pages + "[(hash(i, " + s + ", 74) % len(" +
         pages + ") + 1)::BIGINT]}} AS web FROM events JOIN active USING (k)";
}

}  // namespace

std::string seed_event_dataset(Platform& platform) {
  // Ids of their own kind: those of what clients make stay as they were before there were events.
  const std::uint64_t seed = platform.identity.seed;
  const std::string id = derived_hex(seed, "event dataset", 1).substr(0, 24);
  if (platform.objects.find("dataset", id) != nullptr) return id;
  const std::string base = "https://ns.adobe.com/" + platform.identity.tenant.substr(1);
  const std::string group = base + "/mixins/" + derived_hex(seed, "event field group", 1).substr(0, 48);
  const std::string schema = base + "/schemas/" + derived_hex(seed, "event schema", 1).substr(0, 48);
  if (platform.objects.find(kResourceKind, schema) == nullptr) seed_event_schema(platform, group, schema);
  const std::int64_t now = platform.clock.now_ms();
  platform.objects.put(
      "dataset", id,
      {{"name", kEventDatasetName},
       {"description", "Invented for the emulator"},
       {"imsOrg", platform.identity.organization},
       {"sandboxId", platform.identity.sandbox},
       {"created", now},
       {"updated", now},
       {"createdClient", platform.identity.client_id},
       {"version", "1.0.0"},
       {"state", "DRAFT"},
       {"aspect", "production"},
       {"viewId", derived_hex(seed, "event view", 1).substr(0, 24)},
       {"basePath", "/platform/emulator/" + id},
       {"fileDescription", {{"persisted", true}, {"containerFormat", "parquet"}, {"format", "parquet"}}},
       {"classification", {{"dataBehavior", "time-series"}, {"managedBy", "CUSTOMER"}}},
       {"tags", Json::object()},
       {"schemaRef", {{"id", schema}, {"contentType", "application/vnd.adobe.xed+json;version=1"}}},
       {"_emulator", {{"number", platform.objects.next("dataset_order")}, {"table", "luma_web_events"}}}});
  return id;
}

void invent_events(Platform& platform, Lake& lake, World& world, const std::string& dataset, std::uint64_t count) {
  if (count == 0) return;
  for (const std::string& batch : lake.batches_of(dataset))
    if (Lake::is_live(lake.batch_status(batch))) return;
  const std::string batch = lake.create_batch(dataset, {{"inputFormat", {{"format", "parquet"}}}}, {{"by", "world"}});
  const std::filesystem::path folder = lake.parts_folder(batch);
  std::filesystem::create_directories(folder);
  PartFile part{"part-00000-" + derived_uuid(platform.identity.seed, "event part", 1) + "-c000.snappy.parquet", 0,
                count};
  const std::filesystem::path file = folder / part.name;
  Connection session(world.database());
  session.run("COPY (" + events_sql(platform, count) + ") TO " + sql_text(file.string()) +
              " (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)");
  part.rows = session.number("SELECT count(*) FROM read_parquet(" + sql_text(file.string()) + ")");
  part.bytes = std::filesystem::file_size(file);
  lake.succeed(batch, {part}, Json::object());
}

}  // namespace emulator
