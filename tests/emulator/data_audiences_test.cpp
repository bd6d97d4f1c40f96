#include "data_world.h"
#include "emulator/http/uri.h"

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

// A client that sends another shape is told so in the platform's words, not in those of a library.
TEST(DataAudiencesTest, RefusesManyInAnotherShape) {
  DataWorld world({.profiles = 10, .audiences = 1, .seed = 1});
  const std::string base = "/data/core/ups";
  for (const std::string of : {"/audiences", "/segment/definitions", "/segment/jobs"}) {
    const Json one = {{"id", world.audiences()[0]}};
    for (const Json& body : {Json::array({one}), Json{{"ids", one}}, Json{{"ids", Json::array({"text"})}},
                             Json{{"ids", Json::array({{{"id", 7}}})}}, Json("text")}) {
      const Response refused = world.call("POST", base + of + "/bulk-get", body);
      EXPECT_EQ(refused.status, 400) << of << body;
      EXPECT_NE(refused.body.find("UPAPI-113015-400"), std::string::npos) << of << body << refused.body;
    }
  }
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

TEST(DataAudiencesTest, EvaluationsAreFoundByStatusSegmentAndSnapshot) {
  DataWorld world({.profiles = 10, .audiences = 2, .seed = 1});
  const std::string path = "/data/core/ups/segment/jobs";
  const auto total = [&](const std::string& query) { return world.get(path + query)["_page"]["totalCount"]; };
  world.wait_for([&] { return total("?status=SUCCEEDED") == 1; }, "the first evaluation");
  const Response run = world.call("POST", path, Json::array({{{"segmentId", world.audiences()[0]}}}));
  const std::string id = Json::parse(run.body)["id"];
  world.wait_for([&] { return total("?status=SUCCEEDED") == 2; }, "the job");
  EXPECT_EQ(total("?property=segments~segmentId==" + world.audiences()[0]), 2);
  EXPECT_EQ(total("?property=segments~segmentId==" + world.audiences()[1]), 1);
  EXPECT_EQ(total("?snapshot.name=latest"), 1);
  EXPECT_EQ(total("?status=FAILED"), 0);
  EXPECT_EQ(world.call("GET", path + "?status=succeeded").status, 400) << "words are in upper case";
  const Json first = world.get(path + "?limit=1");
  EXPECT_EQ(first["children"][0]["id"], id) << "the newest first";
  EXPECT_EQ(first["_links"]["next"]["href"], "@/segment/jobs?start=1&limit=1");
  const Response bulk =
      world.call("POST", path + "/bulk-get", Json{{"ids", Json::array({{{"id", id}}, {{"id", "none"}}})}});
  EXPECT_EQ(bulk.status, 207);
  EXPECT_EQ(Json::parse(bulk.body)["results"][id]["status"], "SUCCEEDED");
  EXPECT_TRUE(Json::parse(bulk.body)["results"]["none"]["errors"].contains("404"));
  world.platform->settings.list_lag = std::chrono::hours(1);
  EXPECT_EQ(total(""), 0) << "new ones are not listed yet";
}

struct PreviewWorld : DataWorld {
  std::string ask(const std::string& expression) {
    const Response made = call("POST", "/data/core/ups/preview",
                               Json{{"predicateExpression", expression},
                                    {"predicateType", "pql/text"},
                                    {"predicateModel", "_xdm.context.profile"},
                                    {"graphType", "pdg"}});
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(Json::parse(made.body)["state"], "NEW");
    return percent_encode(Json::parse(made.body)["previewId"].get<std::string>());
  }
  Json estimate(const std::string& id) { return get("/data/core/ups/estimate/" + id); }
  Json result(const std::string& expression) {
    const std::string id = ask(expression);
    wait_for([&] { return estimate(id)["state"] != "RUNNING"; }, "the estimate");
    return estimate(id);
  }
  std::size_t size(const std::string& expression) {
    const Json found = result(expression);
    EXPECT_EQ(found["state"], "RESULT_READY") << expression << ": " << found["error"];
    return found["estimatedSize"];
  }
};

TEST(PreviewTest, AnEstimateCountsWhomTheExpressionSelects) {
  PreviewWorld world;
  const std::string a = world.audiences()[0];
  const std::string b = world.audiences()[1];
  const std::set<std::string> in_a = world.truth(a);
  std::size_t both = 0;
  for (const std::string& person : world.truth(b)) both += in_a.count(person);
  const std::string first = "inSegment(\"" + a + "\")";
  const std::string second = "inSegment('" + b + "')";
  EXPECT_EQ(world.size(world.get("/data/core/ups/audiences/" + a)["expression"]["value"]), in_a.size());
  EXPECT_EQ(world.size(first), in_a.size());
  EXPECT_EQ(world.size(first + " and " + second), both);
  EXPECT_EQ(world.size("not " + first), 500 - in_a.size());
  EXPECT_EQ(world.size(first + " OR not(" + first + ")"), 500U);
  const std::size_t adas = world.size("person.name.firstName = \"Ada\"");
  EXPECT_GT(adas, 0U);
  EXPECT_EQ(world.size("person.name.firstName.equals(\"ADA\", false)"), adas);
  EXPECT_EQ(world.size("person.name.firstName.equals(\"ADA\")"), 0U);
  EXPECT_EQ(world.size("person.name.firstName in [\"Ada\", \"Nobody\"]"), adas);
  EXPECT_EQ(world.size("person.name.firstName != \"Ada\""), 500 - adas);
  EXPECT_EQ(world.size("repositoryCreatedBy = \"x\""), 0U) << "a field of the union that nobody here has a value of";
  const Json ready = world.result(first);
  EXPECT_EQ(ready["totalRows"], 500);
  EXPECT_EQ(ready["standardError"], 0) << "few enough to read them all";
  EXPECT_EQ(ready["estimatedNamespaceDistribution"].size(), 2U);
}

TEST(PreviewTest, WhatIsNotUnderstoodFailsWithItsWord) {
  PreviewWorld world;
  const Json unknown = world.result("workAddress.colour = \"red\"");
  EXPECT_EQ(unknown["state"], "FAILED");
  EXPECT_NE(unknown["error"]["description"].get<std::string>().find("workAddress.colour"), std::string::npos);
  for (const char* wrong : {"person.name.firstName = ", "CHAIN(x, y)", "inSegment(\"nobody\")", "\"open", "a b c"})
    EXPECT_EQ(world.result(wrong)["state"], "FAILED") << wrong;
  EXPECT_EQ(world.call("POST", "/data/core/ups/preview", Json{{"predicateType", "pql/text"}}).status, 400);
}

TEST(PreviewTest, ItRunsByTheClockAndGivesPagesOfPeople) {
  PreviewWorld world;
  world.platform->settings.preview_delay = std::chrono::seconds(12);
  const std::string audience = world.audiences()[0];
  const std::string id = world.ask("inSegment(\"" + audience + "\")");
  const std::string path = "/data/core/ups/preview/" + id;
  EXPECT_EQ(world.estimate(id)["state"], "RUNNING");
  EXPECT_EQ(world.get(path)["state"], "RUNNING");
  world.restart();
  world.platform->clock.advance(std::chrono::seconds(13));
  world.wait_for([&] { return world.estimate(id)["state"] == "RESULT_READY"; }, "the estimate");
  std::set<std::string> people;
  for (std::string next = path + "?limit=7"; !next.empty();) {
    const Json page = world.get(next);
    for (const Json& one : page["results"]) people.insert(one["objectId"].get<std::string>());
    const std::string link = page["link"];
    next = link.empty() ? "" : "/data/core/ups" + link;
  }
  EXPECT_EQ(people.size(), world.truth(audience).size());
  EXPECT_EQ(world.call("DELETE", path).status, 200);
  EXPECT_EQ(world.call("GET", path).status, 404);
  EXPECT_EQ(world.call("GET", "/data/core/ups/estimate/" + id).status, 404);
}

TEST(PreviewTest, TheSampleSaysHowManyProfilesHaveWhichIdentity) {
  PreviewWorld world;
  const Json sample = world.get("/data/core/ups/previewsamplestatus");
  EXPECT_EQ(sample["totalRows"], "500");
  EXPECT_EQ(sample["status"], "TASK_FINISHED");
  const std::string path = "/data/core/ups/previewsamplestatus/report/namespace";
  const Json report = world.get(path)["data"];
  EXPECT_EQ(report[0]["code"], "Email");
  EXPECT_EQ(report[0]["fullIDsCount"], 500);
  EXPECT_EQ(world.call("GET", path + "?date=2001-01-01").status, 404);
}

}  // namespace
}  // namespace emulator
