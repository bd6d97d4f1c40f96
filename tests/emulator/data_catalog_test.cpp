#include <chrono>

#include "data_world.h"
#include "emulator/catalog/query.h"

namespace emulator {
namespace {

constexpr const char* kDatasets = "/data/foundation/catalog/dataSets";

/// Only what a test makes is in its lists afterwards.
void forget_system_datasets(DataWorld& world) {
  const auto lock = world.platform->objects.lock();
  std::vector<std::string> ids;
  for (const auto& [id, dataset] : world.platform->objects.all("dataset")) ids.push_back(id);
  for (const auto& id : ids) world.platform->objects.erase("dataset", id);
}

TEST(DataCatalogTest, FiltersDatasets) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  forget_system_datasets(world);
  const std::string plain = world.target_dataset("one, plain");
  const std::string ours = world.target_dataset("ours", {{"audiencesync", {"uid:luma", "role:target"}}});
  const std::string other = world.target_dataset("other", {{"audiencesync", {"uid:other", "role:target"}}});
  const auto ids = [&](const std::string& query) {
    std::set<std::string> found;
    const Json page = world.get(std::string(kDatasets) + "?" + query);
    for (const auto& [id, dataset] : page.items()) found.insert(id);
    return found;
  };
  using Ids = std::set<std::string>;
  EXPECT_EQ(ids(""), (Ids{plain, ours, other}));
  EXPECT_EQ(ids("name=ours"), Ids{ours});
  EXPECT_EQ(ids("name=ours,other"), (Ids{ours, other}));
  EXPECT_EQ(ids("name=!ours"), (Ids{plain, other}));
  EXPECT_EQ(ids("tags=audiencesync:uid:luma"), Ids{ours});
  EXPECT_EQ(ids("tags=audiencesync:*"), (Ids{ours, other}));
  EXPECT_EQ(ids("tags=audiencesync:uid:*,audiencesync:role:target"), (Ids{ours, other}));
  EXPECT_EQ(ids("property=name==ours"), Ids{ours});
  EXPECT_EQ(ids("property=name!=ours"), (Ids{plain, other}));
  EXPECT_EQ(ids("property=name~^o"), (Ids{plain, ours, other}));
  EXPECT_EQ(ids("property=name~r$"), Ids{other});
  EXPECT_EQ(ids("property=lastBatchId"), Ids{});
  EXPECT_EQ(ids("property=!lastBatchId"), (Ids{plain, ours, other}));
  EXPECT_EQ(ids("property=created>0&property=created<=9999999999999"), (Ids{plain, ours, other}));
  EXPECT_EQ(ids("createdAfter=9999999999999"), Ids{});
  EXPECT_EQ(ids("orderBy=asc:created&limit=1"), Ids{plain});
  EXPECT_EQ(ids("orderBy=asc:created&limit=1&start=1"), Ids{ours});
  EXPECT_EQ(ids("orderBy=desc:created&limit=1"), Ids{other});
  EXPECT_EQ(ids("orderBy=desc:name&limit=2"), (Ids{ours, other}));
  const Json chosen = world.get(std::string(kDatasets) + "?name=ours&properties=name,created");
  EXPECT_EQ(chosen[ours].size(), 2U);
  for (const char* bad :
       {"limit=0", "limit=101", "limit=ten", "start=-1", "orderBy=up:name", "property=name=x", "property=name~("})
    EXPECT_EQ(world.call("GET", std::string(kDatasets) + "?" + bad).status, 400) << bad;
}

TEST(DataCatalogTest, NamesTablesOnceAndLate) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string first = world.target_dataset("Audience -- Export (CJA)!");
  const std::string second = world.target_dataset("audience export cja");
  const auto table = [&](const std::string& id) {
    return world.get(std::string(kDatasets) + "/" + id)[id]["tags"]["adobe/pqs/table"][0];
  };
  EXPECT_EQ(table(first), "audience_export_cja");
  EXPECT_EQ(table(second), "audience_export_cja_1");
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.table_tag_delay = std::chrono::minutes(5);
  }
  EXPECT_FALSE(world.get(std::string(kDatasets) + "/" + first)[first]["tags"].contains("adobe/pqs/table"));
  world.platform->clock.advance(std::chrono::minutes(6));
  EXPECT_EQ(table(first), "audience_export_cja");
}

TEST(DataCatalogTest, HidesNewObjectsFromListsOnly) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.list_lag = std::chrono::minutes(5);
  }
  const std::string id = world.target_dataset();
  const std::string batch = world.ingest(id, {DataWorld::record("a@x.io", {})});
  EXPECT_TRUE(world.get(kDatasets).empty());
  EXPECT_TRUE(world.get("/data/foundation/catalog/batches?dataSet=" + id).empty());
  EXPECT_EQ(world.call("GET", std::string(kDatasets) + "/" + id).status, 200);
  EXPECT_EQ(world.call("GET", "/data/foundation/catalog/batches/" + batch).status, 200);
  world.platform->clock.advance(std::chrono::minutes(6));
  EXPECT_TRUE(world.get(kDatasets).contains(id));
  EXPECT_TRUE(world.get("/data/foundation/catalog/batches?dataSet=" + id).contains(batch));
}

TEST(DataCatalogTest, ChangesDatasets) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string id = world.target_dataset("before", {{"mine", {"a"}}});
  const std::string path = std::string(kDatasets) + "/" + id;
  const auto now = [&] { return world.get(path)[id]; };
  EXPECT_EQ(world.call("PATCH", path, Json{{"name", "after"}}).status, 200);
  EXPECT_EQ(now()["name"], "after");
  EXPECT_EQ(now()["tags"]["mine"], Json::array({"a"}));
  const Json patch = Json::array({{{"op", "add"}, {"path", "/tags/mine/-"}, {"value", "b"}}});
  EXPECT_EQ(world.call("PATCH", path, patch, {{"content-type", "application/json-patch+json"}}).status, 200);
  EXPECT_EQ(now()["tags"]["mine"], Json::array({"a", "b"}));
  EXPECT_EQ(world.call("PATCH", path, patch, {{"content-type", "text/plain"}}).status, 400);

  const std::string v2 = "/data/foundation/catalog/v2/dataSets/" + id;
  const std::string etag = world.call("GET", path).headers.at("etag");
  const Json retention = {{"extensions", {{"adobe_lakeHouse", {{"rowExpiration", {{"ttlValue", "P30D"}}}}}}}};
  EXPECT_EQ(world.call("PATCH", v2, retention, {{"if-match", "\"0.0.0\""}}).status, 412);
  EXPECT_EQ(world.call("PATCH", v2, retention, {{"if-match", etag}}).status, 200);
  EXPECT_EQ(now()["extensions"]["adobe_lakeHouse"]["rowExpiration"]["ttlValue"], "P30D");
  EXPECT_EQ(world.call("PATCH", v2, retention, {{"if-match", etag}}).status, 412);
  EXPECT_EQ(world.call("PATCH", v2, Json{{"created", 1}}).status, 400);

  Json whole = now();
  whole["description"] = "read, changed, written back";
  EXPECT_EQ(world.call("PUT", path, whole).status, 200);
  EXPECT_EQ(now()["description"], "read, changed, written back");
  EXPECT_EQ(now()["tags"]["adobe/pqs/table"], whole["tags"]["adobe/pqs/table"]);

  EXPECT_EQ(world.call("DELETE", path).status, 200);
  const Response gone = world.call("GET", path);
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(Json::parse(gone.body)["title"], "NotFoundError");
}

TEST(DataCatalogTest, RefusesBadDatasets) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string known = "https://ns.adobe.com/xdm/context/profile__union";
  const auto status = [&](const Json& body) { return world.call("POST", kDatasets, body).status; };
  EXPECT_EQ(status({{"schemaRef", {{"id", known}}}}), 400);
  EXPECT_EQ(status({{"name", "x"}}), 400);
  EXPECT_EQ(status({{"name", "x"}, {"schemaRef", {{"id", "https://ns.adobe.com/none"}}}}), 400);
  EXPECT_EQ(status({{"name", "x"}, {"schemaRef", {{"id", known}}}, {"tags", {{"a", "b"}}}}), 400);
  EXPECT_EQ(status({{"name", "x"}, {"schemaRef", {{"id", known}}}, {"tags", {{"adobe/x", {"b"}}}}}), 400);
  EXPECT_EQ(status({{"name", 7}, {"schemaRef", {{"id", known}}}}), 400);
  EXPECT_EQ(world.call("POST", kDatasets, std::string("{"), {{"content-type", "application/json"}}).status, 400);
}

TEST(DataCatalogTest, CompactedBatchesPointToTheirSuccessor) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string dataset = world.target_dataset();
  const std::string a = world.ingest(dataset, {DataWorld::record("a@x.io", {})});
  world.settled(a);
  const std::string b = world.ingest(dataset, {DataWorld::record("b@x.io", {})});
  world.settled(b);
  const std::string successor = world.control("POST", "/_emulator/batches",
                                              {{"do", "compact"}, {"dataset", dataset}, {"batches", {a, b}}})["batch"];
  EXPECT_EQ(world.batch(a)["status"], "inactive");
  EXPECT_EQ(world.batch(a)["tags"]["acp_successor"], Json::array({successor}));
  EXPECT_EQ(world.batch(successor)["recordCount"], 2);
  EXPECT_EQ(world.batch(successor)["replay"]["reason"], "consolidation");
  EXPECT_EQ(world.lines("/_emulator/datasets/" + dataset + "/rows").size(), 2U);
  EXPECT_TRUE(world.get("/data/foundation/export/batches/" + a + "/files")["data"].empty());
  world.control("POST", "/_emulator/batches", {{"do", "vanish"}, {"batch", successor}});
  EXPECT_EQ(world.batch(successor)["status"], "deleted");
  EXPECT_TRUE(world.lines("/_emulator/datasets/" + dataset + "/rows").empty());
}

TEST(DataCatalogTest, FindsBatches) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string dataset = world.target_dataset();
  const std::string good = world.ingest(dataset, {DataWorld::record("a@x.io", {})},
                                        {{"externalId", "e1"}, {"tags", {{"audiencesync", {"run:1"}}}}});
  world.settled(good);
  const std::string bad = world.ingest(dataset, {"{}"}, {{"externalId", "e2"}});
  world.settled(bad);
  const auto ids = [&](const std::string& query) {
    std::set<std::string> found;
    const Json page = world.get("/data/foundation/catalog/batches?" + query);
    for (const auto& [id, batch] : page.items()) found.insert(id);
    return found;
  };
  using Ids = std::set<std::string>;
  EXPECT_EQ(ids("dataSet=" + dataset), (Ids{good, bad}));
  EXPECT_EQ(ids("dataSet=none"), Ids{});
  EXPECT_EQ(ids("externalId=e1"), Ids{good});
  EXPECT_EQ(ids("status=success"), Ids{good});
  EXPECT_EQ(ids("status=failure,failed"), Ids{bad});
  EXPECT_EQ(ids("tags=audiencesync:run:*"), Ids{good});
  EXPECT_EQ(ids("batch=" + bad), Ids{bad});
  const Json last = world.get("/data/foundation/catalog/lastBatches?dataSetId=" + dataset)[dataset];
  EXPECT_EQ(last["lastSuccessfulBatchId"], good);
  EXPECT_EQ(last["lastFailedBatchId"], bad);
  EXPECT_EQ(last["lastBatchId"], bad);
  EXPECT_EQ(world.get("/data/foundation/catalog/dataSetFiles?dataSetId=" + dataset).size(), 1U);
  EXPECT_EQ(world.call("GET", "/data/foundation/catalog/batches/none").status, 404);

  const Json ledger = world.get("/_emulator/ledger");
  EXPECT_EQ(ledger["batches"]["count"], 2);
  EXPECT_TRUE(ledger["batches"]["duplicates"].empty());
  world.settled(world.ingest(dataset, {DataWorld::record("a@x.io", {})}, {{"externalId", "e1"}}));
  world.target_dataset();
  const Json again = world.get("/_emulator/ledger");
  EXPECT_EQ(again["batches"]["duplicates"], Json::array({"e1"}));
  EXPECT_EQ(again["datasets"]["duplicates"], Json::array({"target"}));
  EXPECT_EQ(again["batches"]["by_status"], Json({{"success", 2}, {"failure", 1}}));
}

TEST(DataCatalogTest, HandsOutBytesByRange) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string dataset = world.target_dataset();
  const std::string batch = world.ingest(dataset, {DataWorld::record("a@x.io", {}) + DataWorld::record("b@x.io", {})});
  world.settled(batch);
  const Json files = world.get("/data/foundation/export/batches/" + batch + "/files");
  const std::string href = files["data"][0]["_links"]["self"]["href"];
  EXPECT_TRUE(href.starts_with("https://platform.adobe.io:443/data/foundation/export/files/")) << href;
  const std::string directory = href.substr(href.find("/data"));
  const Json parts = world.get(directory);
  ASSERT_EQ(parts["data"].size(), 2U);
  const std::string link = parts["data"][0]["_links"]["self"]["href"];
  const std::string file = link.substr(link.find("/data"));
  const std::string whole = DataWorld::content(world.call("GET", file));
  ASSERT_EQ(parts["data"][0]["length"], std::to_string(whole.size()));
  const auto range = [&](const std::string& text) { return world.call("GET", file, "", {{"range", text}}); };
  const Response middle = range("bytes=2-5");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.headers.at("content-range"), "bytes 2-5/" + std::to_string(whole.size()));
  EXPECT_EQ(DataWorld::content(middle), whole.substr(2, 4));
  EXPECT_EQ(DataWorld::content(range("bytes=7-")), whole.substr(7));
  EXPECT_EQ(DataWorld::content(range("bytes=-4")), "PAR1");
  EXPECT_EQ(DataWorld::content(range("bytes=0-99999999")), whole);
  EXPECT_EQ(range("bytes=99999999-").status, 416);
  EXPECT_EQ(range("lines=1-2").status, 200);
  const Json first = world.get(directory + "?limit=1");
  EXPECT_EQ(first["data"].size(), 1U);
  const std::string next = first["_links"]["next"]["href"];
  EXPECT_EQ(world.get(next.substr(next.find("/data")))["data"][0], parts["data"][1]);
  EXPECT_EQ(world.call("GET", directory + "?path=nothing").status, 404);
  EXPECT_EQ(world.call("GET", "/data/foundation/export/files/none-1").status, 404);
}

TEST(DataCatalogTest, WildcardsMatchAnyText) {
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("a*c*e", "abcde"));
  EXPECT_TRUE(wildcard_match("*ab", "aab"));
  EXPECT_FALSE(wildcard_match("a*b", "abc"));
  EXPECT_FALSE(wildcard_match("", "a"));
}

}  // namespace
}  // namespace emulator
