#include "data_world.h"

namespace emulator {
namespace {

constexpr const char* kAudienceList = "/data/core/ups/audiences";

TEST(DataAudiencesTest, PagesByNext) {
  DataWorld world({.profiles = 10, .audiences = 7, .seed = 1});
  std::vector<std::string> ids;
  std::string path = std::string(kAudienceList) + "?limit=3&sort=name:asc";
  int pages = 0;
  for (std::string next = "0"; !next.empty() && pages < 10; ++pages) {
    const Json page = world.get(path + "&start=" + next);
    EXPECT_EQ(page["_page"]["totalCount"], 7);
    EXPECT_EQ(page["_page"]["totalPages"], 3);
    for (const Json& audience : page["children"]) ids.push_back(audience["id"]);
    next = page["_page"].value("next", "");
    EXPECT_EQ(next.empty(), !page["_links"].contains("next"));
    if (!next.empty()) {
      EXPECT_TRUE(page["_links"]["next"]["href"].get<std::string>().starts_with("@/audiences?start=" + next));
    }
  }
  EXPECT_EQ(pages, 3);
  auto known = world.audiences();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), std::set<std::string>(known.begin(), known.end()));
  EXPECT_EQ(ids.size(), 7U);
}

TEST(DataAudiencesTest, FindsByNameAndProperty) {
  DataWorld world({.profiles = 10, .audiences = 7, .seed = 1});
  const auto count = [&](const std::string& query) {
    return world.get(std::string(kAudienceList) + "?" + query)["children"].size();
  };
  EXPECT_EQ(count("name=PLATINUM"), 1U);
  EXPECT_EQ(count("name=luma"), 7U);
  EXPECT_EQ(count("property=lifecycleState==published"), 7U);
  EXPECT_EQ(count("property=audienceId==" + world.audiences()[0]), 1U);
  EXPECT_EQ(count("entityType=_xdm.context.profile"), 7U);
  EXPECT_EQ(count("entityType=_xom.context.account"), 0U);
  EXPECT_EQ(world.call("GET", std::string(kAudienceList) + "?limit=0").status, 400);
}

TEST(DataAudiencesTest, GetsManyAtOnce) {
  DataWorld world({.profiles = 10, .audiences = 2, .seed = 1});
  const std::string id = world.audiences()[0];
  const std::string path = std::string(kAudienceList) + "/bulk-get";
  const Response some = world.call("POST", path, Json{{"ids", Json::array({{{"id", id}}, {{"id", "none"}}})}});
  EXPECT_EQ(some.status, 207);
  const Json results = Json::parse(some.body)["results"];
  EXPECT_EQ(results[id]["id"], id);
  EXPECT_TRUE(results["none"]["errors"].contains("404"));
  EXPECT_EQ(world.call("POST", path, Json{{"ids", Json::array({{{"id", "none"}}})}}).status, 404);
  EXPECT_EQ(world.call("POST", path, Json{{"ids", Json::array()}}).status, 400);
  EXPECT_EQ(world.call("POST", path, Json{{"ids", Json(101, {{"id", id}})}}).status, 400);
}

TEST(DataAudiencesTest, ChangeUpstream) {
  DataWorld world;
  const std::string id = world.audiences()[0];
  const std::string path = std::string(kAudienceList) + "/" + id;
  const auto control = [&](const Json& body) { return world.control("POST", "/_emulator/audiences", body); };
  control({{"do", "rename"}, {"id", id}, {"name", "Renamed"}});
  EXPECT_EQ(world.get(path)["name"], "Renamed");
  control({{"do", "archive"}, {"id", id}});
  EXPECT_EQ(world.get(path)["lifecycleState"], "archived");
  control({{"do", "set_merge_policy"}, {"id", id}, {"merge_policy", "other"}});
  EXPECT_EQ(world.get(path)["mergePolicyId"], "other");
  EXPECT_FALSE(world.truth(id).empty());
  control({{"do", "empty"}, {"id", id}});
  EXPECT_TRUE(world.truth(id).empty());
  world.control("POST", "/_emulator/evolve", {{"churn", 0.5}, {"seed", 1}});
  EXPECT_TRUE(world.truth(id).empty()) << "an emptied audience stays empty";
  control({{"do", "delete"}, {"id", id}});
  EXPECT_EQ(world.call("GET", path).status, 404);
  const std::string fresh = control({{"do", "create"}, {"name", "Fresh"}, {"share", 0.5}})["id"];
  EXPECT_NEAR(static_cast<double>(world.truth(fresh).size()), 250, 60);
  EXPECT_EQ(world.call("POST", "/_emulator/audiences", Json{{"do", "wish"}, {"id", fresh}}).status, 400);
  EXPECT_EQ(world.call("POST", "/_emulator/audiences", Json{{"do", "rename"}, {"id", "none"}}).status, 400);
}

TEST(DataAudiencesTest, CreatedChangedAndDeletedByApi) {
  DataWorld world({.profiles = 10, .audiences = 1, .seed = 1});
  const Response made = world.call("POST", kAudienceList, Json{{"name", "Mine"}, {"type", "SegmentDefinition"}});
  EXPECT_EQ(made.status, 201);
  const std::string path = std::string(kAudienceList) + "/" + Json::parse(made.body)["id"].get<std::string>();
  EXPECT_EQ(world.call("PATCH", path, Json::array({{{"op", "replace"}, {"path", "/name"}, {"value", "Ours"}}})).status,
            201);
  EXPECT_EQ(world.get(path)["name"], "Ours");
  EXPECT_EQ(world.call("PATCH", path, Json{{"namespace", "aam"}}).status, 400);
  EXPECT_EQ(world.call("DELETE", path).status, 204);
  EXPECT_EQ(world.call("GET", path).status, 404);
}

TEST(DataAudiencesTest, EvaluationsCountThePeople) {
  DataWorld world;
  const auto latest = [&] { return world.get("/data/core/ups/segment/jobs?status=SUCCEEDED&limit=1")["children"]; };
  world.wait_for([&] { return !latest().empty(); }, "the first evaluation");
  const Json job = latest()[0];
  EXPECT_EQ(job["source"], "scheduler");
  for (const std::string& audience : world.audiences())
    EXPECT_EQ(job["metrics"]["segmentedProfileCounter"][audience], world.truth(audience).size());
  world.control("POST", "/_emulator/evolve", {{"churn", 0.2}, {"seed", 5}});
  world.wait_for([&] { return world.get("/data/core/ups/segment/jobs?status=SUCCEEDED")["children"].size() == 2; },
                 "the second");
  const Json again = latest()[0];
  for (const std::string& audience : world.audiences())
    EXPECT_EQ(again["metrics"]["segmentedProfileCounter"][audience], world.truth(audience).size());

  const Response run =
      world.call("POST", "/data/core/ups/segment/jobs", Json::array({{{"segmentId", world.audiences()[0]}}}));
  EXPECT_EQ(run.status, 200);
  const std::string id = Json::parse(run.body)["id"];
  // What was evaluated, as it read at that time.
  EXPECT_EQ(Json::parse(run.body)["segments"][0]["segment"]["expression"],
            world.get("/data/core/ups/audiences/" + world.audiences()[0])["expression"]);
  world.wait_for([&] { return world.get("/data/core/ups/segment/jobs/" + id)["status"] == "SUCCEEDED"; }, "the job");
  EXPECT_EQ(world.get("/data/core/ups/segment/jobs/" + id)["metrics"]["segmentedProfileCounter"].size(), 1U);
  EXPECT_EQ(world.call("DELETE", "/data/core/ups/segment/jobs/" + id).status, 204);

  const Response all = world.call("POST", "/data/core/ups/segment/jobs", Json::array({{{"segmentId", "*"}}}));
  EXPECT_EQ(Json::parse(all.body)["segments"], Json::array({{{"segmentId", "*"}}}));
}

TEST(DataAudiencesTest, DefinitionsAreTheOlderFace) {
  DataWorld world({.profiles = 10, .audiences = 5, .seed = 1});
  const std::string path = "/data/core/ups/segment/definitions";
  const Json page = world.get(path + "?limit=2&sort=name:asc");
  EXPECT_EQ(page["segments"].size(), 2U);
  EXPECT_EQ(page["page"]["totalCount"], 5);
  EXPECT_EQ(world.call("GET", path + "?limit=101").status, 400);
  const std::string id = world.audiences()[0];
  EXPECT_EQ(world.get(path + "/" + id)["id"], id);
  EXPECT_EQ(world.call("GET", path + "/none").status, 404);
  Json wanted{{"name", "Defined"}, {"schema", {{"name", "_xdm.context.profile"}}}};
  EXPECT_EQ(world.call("POST", path, wanted).status, 400);  // it does not say who belongs to it
  wanted["expression"] = {{"type", "PQL"}, {"format", "pql/text"}, {"value", "country = \"US\""}};
  const Response made = world.call("POST", path, wanted);
  EXPECT_EQ(made.status, 200);
  EXPECT_TRUE(made.headers.contains("x-location"));
  EXPECT_EQ(world.call("POST", path, wanted).status, 400);
  EXPECT_EQ(world.call("POST", path + "/bulk-get", Json{{"ids", Json::array({{{"id", id}}})}}).status, 207);
}

}  // namespace
}  // namespace emulator
