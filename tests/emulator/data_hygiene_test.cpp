// When datasets end, and how records are erased: /data/core/hygiene.

#include "data_world.h"

namespace emulator {
namespace {

constexpr const char* kTtl = "/data/core/hygiene/ttl";

const Headers kHygieneJson = {{"content-type", "application/json"}};

struct HygieneWorld : DataWorld {
  Response expire(const std::string& dataset, const std::string& expiry) {
    return call("POST", kTtl, Json{{"datasetId", dataset}, {"expiry", expiry}, {"displayName", "end of " + dataset}});
  }
  std::string expiring(const std::string& dataset, const std::string& expiry = "2099-01-01") {
    const Response made = expire(dataset, expiry);
    EXPECT_EQ(made.status, 201) << made.body;
    return Json::parse(made.body)["ttlId"];
  }
  // The service wants a media type also where there is no body.
  Response cancel(const std::string& id) { return call("DELETE", kTtl + ("/" + id), "", kHygieneJson); }
  Json quotas(const std::string& query = "") {
    return Json::parse(call("GET", "/data/core/hygiene/quota" + query, "", kHygieneJson).body)["quotas"];
  }
  Json tag_of(const std::string& dataset) {
    return get("/data/foundation/catalog/dataSets/" + dataset)[dataset]["tags"].value("adobe/hygiene/ttl", Json());
  }
  void pass(std::chrono::hours time) { platform->clock.advance(time); }
  std::string in_days(int days) { return iso8601(platform->clock.now_ms() + days * 24LL * 3600 * 1000); }
  bool exists(const std::string& dataset) {
    return call("GET", "/data/foundation/catalog/dataSets/" + dataset).status == 200;
  }
};

TEST(DataHygieneTest, AnExpirationIsFoundByItsOwnIdAndByTheDatasets) {
  HygieneWorld world;
  const std::string dataset = world.target_dataset();
  const std::string id = world.expiring(dataset, "2099-06-15");
  const Json one = world.get(kTtl + ("/" + id));
  EXPECT_EQ(one["status"], "pending");
  EXPECT_TRUE(one["expiry"].get<std::string>().starts_with("2099-06-15T00:00:00"));
  EXPECT_EQ(one["displayName"], "end of " + dataset);
  EXPECT_EQ(world.get(kTtl + ("/" + dataset)), one);
  EXPECT_EQ(world.call("GET", std::string(kTtl) + "/SD-nobody").status, 404);
  EXPECT_EQ(world.tag_of(dataset), Json::array({"4085164800000"}));
}

TEST(DataHygieneTest, OnlyAPendingOneIsChangedOrCancelled) {
  HygieneWorld world;
  const std::string dataset = world.target_dataset();
  const std::string id = world.expiring(dataset);
  EXPECT_EQ(world.expire(dataset, "2099-02-02").status, 400) << "the dataset has one already";
  const Response moved = world.call("PUT", kTtl + ("/" + id), Json{{"expiry", "2099-06-15"}, {"displayName", "later"}});
  EXPECT_EQ(moved.status, 200) << moved.body;
  EXPECT_EQ(Json::parse(moved.body)["displayName"], "later");
  EXPECT_EQ(world.tag_of(dataset), Json::array({"4085164800000"}));
  EXPECT_EQ(world.call("PUT", kTtl + ("/" + id), Json{{"datasetId", "x"}}).status, 400);
  EXPECT_EQ(world.call("PUT", kTtl + ("/" + id), Json{{"expiry", "2001-01-01"}}).status, 400);

  const Response cancelled = world.cancel(dataset);
  EXPECT_EQ(cancelled.status, 200) << cancelled.body;
  EXPECT_EQ(Json::parse(cancelled.body)["status"], "cancelled");
  EXPECT_TRUE(world.tag_of(dataset).is_null());
  EXPECT_EQ(world.call("PUT", kTtl + ("/" + id), Json{{"expiry", "2099-06-15"}}).status, 400);
  EXPECT_EQ(world.cancel(id).status, 400);
  EXPECT_NE(world.expiring(dataset), id) << "and the dataset may get another";
}

TEST(DataHygieneTest, ADatasetEndsWhenItsTimeAndTheDelayHavePassed) {
  HygieneWorld world;
  world.platform->settings.hygiene_delay = std::chrono::hours(12);
  const std::string dataset = world.target_dataset();
  const std::string id = world.expiring(dataset, world.in_days(2));
  world.pass(std::chrono::hours(47));
  EXPECT_EQ(world.get(kTtl + ("/" + id))["status"], "pending");
  world.pass(std::chrono::hours(2));
  EXPECT_EQ(world.get(kTtl + ("/" + id))["status"], "executing");
  EXPECT_TRUE(world.exists(dataset));
  EXPECT_EQ(world.cancel(id).status, 400) << "too late";
  world.restart();
  world.platform->settings.hygiene_delay = std::chrono::hours(12);
  world.pass(std::chrono::hours(61));  // this world's clock begins anew
  EXPECT_FALSE(world.exists(dataset));
  EXPECT_EQ(world.get(kTtl + ("/" + id))["status"], "completed");
}

TEST(DataHygieneTest, TheListIsPagedAndFiltered) {
  HygieneWorld world;
  std::vector<std::string> ids;
  for (const char* name : {"one", "two", "three"}) ids.push_back(world.expiring(world.target_dataset(name)));
  EXPECT_EQ(world.cancel(ids[1]).status, 200);

  const Json first = world.get(std::string(kTtl) + "?limit=2");
  EXPECT_EQ(first["results"].size(), 2);
  EXPECT_EQ(first["total_count"], 3);
  EXPECT_EQ(first["total_pages"], 2);
  EXPECT_EQ(world.get(std::string(kTtl) + "?limit=2&page=1")["results"].size(), 1);
  const auto only = [&](const std::string& query, const std::string& id) {
    const Json found = world.get(kTtl + ("?" + query))["results"];
    ASSERT_EQ(found.size(), 1) << query;
    EXPECT_EQ(found[0]["ttlId"], id) << query;
  };
  only("status=cancelled", ids[1]);
  only("datasetName=thr", ids[2]);
  only("search=" + ids[0], ids[0]);
  EXPECT_EQ(world.get(std::string(kTtl) + "?expiryDate=2099-01-01")["total_count"], 3);
  EXPECT_EQ(world.get(std::string(kTtl) + "?expiryToDate=2098-01-01")["total_count"], 0);
  EXPECT_EQ(world.call("GET", std::string(kTtl) + "?limit=101").status, 400);
  EXPECT_EQ(world.quotas("?quotaType=datasetExpirationQuota")[0]["consumed"], 2);
  EXPECT_EQ(world.quotas().size(), 3);
}

struct DeleteWorld : HygieneWorld {
  static std::string kOrders() { return "/data/core/hygiene/workorder"; }
  Response order(const std::string& dataset, const Json& identities) {
    return call(
        "POST", kOrders(),
        Json{{"action", "delete_identity"},
             {"datasetId", dataset},
             {"displayName", "erase"},
             {"description", "asked for"},
             {"namespacesIdentities", Json::array({{{"namespace", {{"code", "email"}}}, {"IDs", identities}}})}});
  }
  std::string ordered(const std::string& dataset, const Json& identities) {
    const Response made = order(dataset, identities);
    EXPECT_EQ(made.status, 200) << made.body;
    return Json::parse(made.body)["workorderId"];
  }
  Json one(const std::string& id) { return Json::parse(call("GET", kOrders() + "/" + id, "", kHygieneJson).body); }
  void done(const std::string& id) {
    wait_for([&] { return one(id)["status"] == "completed"; }, "the work order");
  }
  std::set<std::string> people(const std::string& dataset) {
    std::set<std::string> found;
    for (const Json& row : lines("/_emulator/datasets/" + dataset + "/rows")) found.insert(row["personID"]);
    return found;
  }
  Json quota(const std::string& type) { return quotas("?quotaType=" + type)[0]; }
};

TEST(RecordDeleteTest, TheRowsOfThesePeopleGoFromTheDatasetAlone) {
  DeleteWorld world;
  const std::string mine = world.target_dataset("mine");
  const std::string other = world.target_dataset("other");
  const std::string text = DataWorld::record("a@x.io", {"A"}) + "\n" + DataWorld::record("b@x.io", {"A"}) + "\n";
  const std::string batch = world.ingest(mine, {text, DataWorld::record("b@x.io", {"B"})});
  world.settled(batch);
  world.settled(world.ingest(other, {text}));
  const std::string id = world.ordered(mine, {"b@x.io", "nobody@x.io"});
  world.done(id);
  EXPECT_EQ(world.people(mine), std::set<std::string>({"a@x.io"}));
  EXPECT_EQ(world.people(other), std::set<std::string>({"a@x.io", "b@x.io"}));
  EXPECT_EQ(world.batch(batch)["status"], "success");
  EXPECT_EQ(world.get("/data/foundation/catalog/dataSets/" +
                      mine)[mine]["extensions"]["adobe_lakeHouse"]["metrics"]["rowCount"],
            1);
  // Data access hands out what is left, byte for byte.
  const std::string base = "/data/foundation/export";
  const Json files = world.get(base + "/batches/" + batch + "/files")["data"];
  ASSERT_FALSE(files.empty());
  const Json parts = world.get(base + "/files/" + files[0]["dataSetFileId"].get<std::string>())["data"];
  for (const Json& part : parts) {
    const Response file = world.call("GET", base + "/files/" + files[0]["dataSetFileId"].get<std::string>() +
                                                "?path=" + part["name"].get<std::string>());
    EXPECT_EQ(std::to_string(DataWorld::content(file).size()), part["length"]);
  }
}

TEST(RecordDeleteTest, AllMeansEveryDatasetAndTheProfilesThemselves) {
  DeleteWorld world;
  const std::string audience = world.audiences()[0];
  const std::set<std::string> before = world.truth(audience);
  ASSERT_GT(before.size(), 2U);
  const std::string gone = *before.begin();
  const std::string exports = world.union_dataset();
  world.exported(exports, {audience}, "");
  const std::string id = world.ordered("ALL", {gone});
  EXPECT_EQ(world.one(id)["targetServices"], Json({"profile", "datalake", "identity"}));
  world.done(id);
  EXPECT_EQ(world.truth(audience).size(), before.size() - 1);
  EXPECT_FALSE(world.truth(audience).contains(gone));
  std::size_t rows = 0;
  for (const Json& row : world.lines("/_emulator/datasets/" + exports + "/rows")) {
    ++rows;
    EXPECT_EQ(row.dump().find(gone), std::string::npos);
  }
  EXPECT_EQ(rows, before.size() - 1);
}

TEST(RecordDeleteTest, ItsStatusMovesOnByTheClockAlsoAfterARestart) {
  DeleteWorld world;
  world.platform->settings.hygiene_delay = std::chrono::hours(40);
  const std::string dataset = world.target_dataset();
  world.settled(world.ingest(dataset, {DataWorld::record("a@x.io", {"A"})}));
  const std::string id = world.ordered(dataset, {"a@x.io"});
  for (const char* status : {"received", "validated", "submitted", "ingested"}) {
    EXPECT_EQ(world.one(id)["status"], status);
    EXPECT_EQ(world.people(dataset).size(), 1U);
    if (status != std::string("ingested")) world.pass(std::chrono::hours(10));
  }
  world.restart();
  world.pass(std::chrono::hours(41));
  world.done(id);
  EXPECT_TRUE(world.people(dataset).empty());
  EXPECT_EQ(world.one(id)["productStatusDetails"].size(), 3U);
}

TEST(RecordDeleteTest, TheOlderFormIsTakenAndQuotasAreUsedUp) {
  DeleteWorld world;  // 500 people: 25 identities a month
  const std::string dataset = world.target_dataset();
  const Json older = {{"action", "delete_identity"},
                      {"datasetId", dataset},
                      {"identities", Json::array({{{"namespace", {{"code", "Email"}}}, {"id", "a@x.io"}}})}};
  const Response first = world.call("POST", world.kOrders(), older);
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(Json::parse(first.body)["operationCount"], 1);
  EXPECT_EQ(world.call("POST", world.kOrders(), older).status, 200) << "nothing is made only once";
  EXPECT_EQ(world.quota("dailyConsumerDeleteIdentitiesQuota")["consumed"], 2);
  Json monthly = world.quota("monthlyConsumerDeleteIdentitiesQuota");
  EXPECT_EQ(monthly["consumed"], 2);
  EXPECT_EQ(monthly["quota"], 25);
  Json many = Json::array();
  for (int i = 0; i < 24; ++i) many.push_back("p" + std::to_string(i) + "@x.io");
  EXPECT_EQ(world.order(dataset, many).status, 400) << "one too many";
  many.erase(0);
  EXPECT_EQ(world.order(dataset, many).status, 200);
  world.pass(std::chrono::hours(24 * 32));
  EXPECT_EQ(world.quota("monthlyConsumerDeleteIdentitiesQuota")["consumed"], 0);
}

TEST(RecordDeleteTest, OrdersAreListedAndRenamedAndWrongOnesRefused) {
  DeleteWorld world;
  const std::string dataset = world.target_dataset();
  const std::string id = world.ordered(dataset, {"a@x.io"});
  world.done(world.ordered(dataset, {"b@x.io"}));
  const Response renamed =
      world.call("PUT", world.kOrders() + "/" + id, Json{{"name", "renamed"}, {"description", "why"}});
  EXPECT_EQ(renamed.status, 200);
  EXPECT_EQ(world.one(id)["displayName"], "renamed");
  const Json page = world.get(world.kOrders() + "?limit=1");
  EXPECT_EQ(page["total"], 2);
  EXPECT_EQ(page["count"], 1);
  EXPECT_TRUE(page["_links"].contains("next"));
  EXPECT_EQ(world.get(world.kOrders() + "?displayName=renam")["results"][0]["workorderId"], id);
  EXPECT_EQ(world.get(world.kOrders() + "?status=failed")["total"], 0);
  EXPECT_EQ(world.call("GET", world.kOrders() + "/DI-nobody", "", kHygieneJson).status, 404);
  EXPECT_EQ(world.order("nothing", {"a@x.io"}).status, 400);
  EXPECT_EQ(world.order(dataset, Json::array()).status, 400);
  EXPECT_EQ(world.call("POST", world.kOrders(), Json{{"action", "drop"}, {"datasetId", dataset}}).status, 400);
}

}  // namespace
}  // namespace emulator
