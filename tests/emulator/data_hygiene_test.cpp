// When datasets end: /data/core/hygiene.

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

}  // namespace
}  // namespace emulator
