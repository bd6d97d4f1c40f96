#include "analytics_world.h"

namespace emulator {
namespace {

using namespace std::chrono_literals;

constexpr const char* kAda = "5C0D1A2B3E4F506172839405@AdobeID";
constexpr const char* kUs = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";

Json metric_named(const std::string& name) { return {{"func", "metric"}, {"name", name}}; }

Json formula(const Json& part) { return {{"func", "calc-metric"}, {"version", {1, 0, 0}}, {"formula", part}}; }

Json binary(const char* func, const Json& first, const Json& second) {
  return {{"func", func}, {"col1", first}, {"col2", second}};
}

struct AnalyticsAssetsTest : testing::Test {
  AnalyticsWorld world;

  Json body(const Json& part, const std::string& name = "Events per person") {
    return {{"name", name}, {"dataId", world.view()}, {"type", "DECIMAL"}, {"definition", formula(part)}};
  }
  Json per_person() { return binary("divide", metric_named("metrics/occurrences"), metric_named("metrics/visitors")); }
  std::string made(const std::string& path, const Json& what) {
    const auto [status, answer] = world.call("POST", path, what);
    EXPECT_EQ(status, 200) << answer;
    return answer.value("id", "");
  }
  std::string code(const std::string& method, const std::string& path, const Json& what = nullptr) {
    const auto [status, answer] = world.call(method, path, what);
    return std::to_string(status) + " " + answer.value("errorCode", "");
  }
  Json segment(const std::string& name = "Carts") {
    const Json pred = {
        {"func", "streq"}, {"str", "cart"}, {"val", {{"func", "attr"}, {"name", "variables/web.webPageDetails.name"}}}};
    return {{"name", name},
            {"dataId", world.view()},
            {"definition",
             {{"func", "segment"},
              {"version", {1, 0, 0}},
              {"container", {{"func", "container"}, {"context", "hits"}, {"pred", pred}}}}}};
  }
};

TEST_F(AnalyticsAssetsTest, CalculatedMetricsAreListedChangedAndHidden) {
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false")["content"], Json::array());
  const std::string id = made("/calculatedmetrics", body(per_person()));
  EXPECT_TRUE(id.starts_with("cm"));
  const std::string path = "/calculatedmetrics/" + id;
  const Json plain = world.get(path);
  EXPECT_EQ(plain["type"], "decimal");  // although it was asked for in capitals
  EXPECT_FALSE(plain.contains("definition"));
  EXPECT_EQ(world.get("/calculatedmetrics")["content"], Json::array());  // a copy that is a minute old
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false&dataIds=" + world.view())["totalElements"], 1);
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false&dataIds=dv_other")["totalElements"], 0);
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false&ownerId=" + std::string(kAda))["totalElements"], 0);

  EXPECT_EQ(world.call("PUT", path, {{"name", "Depth"}, {"precision", 2}, {"definition", formula(per_person())}}).first,
            200);
  const Json changed = world.get(path + "?expansion=definition,modified,compatibility,ownerFullName");
  EXPECT_EQ(changed["name"], "Depth");
  EXPECT_EQ(changed["precision"], 2);
  EXPECT_EQ(changed["definition"], formula(per_person()));
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false&expansion=dataName")["content"][0]["dataName"], "Luma analysis");
  EXPECT_EQ(changed["compatibility"]["valid"], true);

  EXPECT_EQ(world.call("DELETE", path).second["result"], "success");
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false")["totalElements"], 0);
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false&includeType=deleted")["totalElements"], 1);
  EXPECT_EQ(world.get(path + "?expansion=isDeleted")["isDeleted"], true);
  EXPECT_EQ(code("GET", "/calculatedmetrics/cm1"), "404 resource_not_found");
}

TEST_F(AnalyticsAssetsTest, AFormulaIsHeldAgainstTheDataView) {
  const auto verdict = [&](const Json& part) {
    const auto [status, answer] = world.call("POST", "/calculatedmetrics/validate", body(part));
    EXPECT_EQ(status, 200);
    return answer;
  };
  const Json good = verdict(binary("subtract", per_person(), 1));
  EXPECT_EQ(good["valid"], true);
  EXPECT_EQ(good["functions"], Json({"subtract", "divide"}));
  EXPECT_EQ(good["identityMetrics"],
            Json::array({{{"identity", "metrics/occurrences"}}, {{"identity", "metrics/visitors"}}}));
  EXPECT_EQ(verdict(metric_named("metrics/nothing"))["valid"], false);
  const Json unknown = verdict({{"func", "guess"}, {"col", 1}});
  EXPECT_EQ(unknown["valid"], false);
  EXPECT_NE(unknown["message"].get<std::string>().find("'guess' is not known"), std::string::npos);
  EXPECT_NE(verdict({{"func", "add"}, {"col1", 1}})["message"].get<std::string>().find("needs 'col2'"),
            std::string::npos);

  Json half = body(per_person());
  half.erase("dataId");
  const auto [status, refusal] = world.call("POST", "/calculatedmetrics/validate", half);
  EXPECT_EQ(status, 400);
  EXPECT_EQ(refusal["errorDescription"], "name, dataId, and definition are all required");
  EXPECT_EQ(code("POST", "/calculatedmetrics", body(metric_named("metrics/nothing"))), "400 invalid_data");

  Json foreign = body(per_person());
  foreign["owner"] = {{"imsUserId", "SOMEBODY@AdobeID"}};
  EXPECT_EQ(code("POST", "/calculatedmetrics", foreign), "401 unauthorized");
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false")["totalElements"], 0);
}

TEST_F(AnalyticsAssetsTest, FunctionsAreThoseAFormulaMayHave) {
  const Json functions = world.get("/calculatedmetrics/functions");
  ASSERT_GT(functions.size(), 10U);
  for (const Json& function : functions) {
    Json part = {{"func", function["id"]}};
    for (const Json& parameter : function["definition"]["parameters"])
      part[parameter["name"].get<std::string>()] = metric_named("metrics/visitors");
    const Json answer = world.call("POST", "/calculatedmetrics/validate", body(part)).second;
    EXPECT_EQ(answer["valid"], true) << function["id"] << answer;
    EXPECT_EQ(
        world
            .report("",
                    {{"metricContainer",
                      {{"metrics", Json::array({{{"columnId", "0"},
                                                 {"id", "ad_hoc_cm_0"},
                                                 {"metricDefinition", formula(part)}}})}}}})["summaryData"]["totals"]
            .size(),
        1U)
        << function["id"];
  }
  EXPECT_EQ(world.get("/calculatedmetrics/functions/divide")["name"], "Divide");
  EXPECT_EQ(code("GET", "/calculatedmetrics/functions/guess"), "404 resource_not_found");
}

TEST_F(AnalyticsAssetsTest, AReportComputesThemRowByRow) {
  world.visit({"a@x.io", "b@x.io"}, 1, "one");
  world.visit({"a@x.io"}, 2, "one");
  world.visit({"b@x.io"}, 3, "other");
  world.advance(2h);
  const std::string share =
      made("/calculatedmetrics", body(binary("divide", metric_named("metrics/visitors"),
                                             {{"func", "col-sum"}, {"col", metric_named("metrics/visitors")}})));
  const std::string depth = made("/calculatedmetrics", body(per_person()));
  const Json answer =
      world.report("variables/web.webPageDetails.name", {{"search", {{"clause", "MATCH 'one' OR MATCH 'other'"}}}},
                   {depth, "metrics/visitors", share});
  ASSERT_EQ(answer["rows"].size(), 2U) << answer;
  EXPECT_EQ(answer["rows"][0]["value"], "one");
  EXPECT_EQ(answer["rows"][0]["data"][0], 1.5);
  EXPECT_EQ(answer["rows"][0]["data"][1], 2);
  EXPECT_NEAR(answer["rows"][0]["data"][2].get<double>(), 2.0 / 3, 1e-9);
  EXPECT_EQ(answer["rows"][1]["data"][0], 1);
  // A total is computed of totals, not summed up.
  EXPECT_EQ(answer["summaryData"]["filteredTotals"][0], 2);
  EXPECT_EQ(answer["summaryData"]["filteredTotals"][1], 2);

  // By its own column the other page comes first.
  const Json sorted = world.report(
      "variables/web.webPageDetails.name",
      {{"search", {{"clause", "MATCH 'one' OR MATCH 'other'"}}},
       {"metricContainer", {{"metrics", Json::array({{{"columnId", "x"}, {"id", depth}, {"sort", "asc"}}})}}}});
  EXPECT_EQ(sorted["rows"][0]["value"], "other");

  // The newer form names dimensions in a list.
  const Json listed = world.report(
      "", {{"dimensions", Json::array({{{"id", "variables/web.webPageDetails.name"}, {"dimensionColumnId", "d"}}})}});
  EXPECT_EQ(listed["columns"]["dimension"]["id"], "variables/web.webPageDetails.name");

  // Hidden it works on; one of a metric that the data view lacks is an error of its column.
  EXPECT_EQ(world.call("DELETE", "/calculatedmetrics/" + depth).first, 200);
  EXPECT_EQ(world.report("", Json::object(), {depth})["columns"].contains("columnErrors"), false);
  EXPECT_EQ(world.report("", Json::object(), {"cm1"})["columns"]["columnErrors"][0]["errorCode"],
            "unauthorized_metric");
}

TEST_F(AnalyticsAssetsTest, WhatAccessControlForbidsIsNowhere) {
  const std::string id = made("/calculatedmetrics", body(per_person()));
  const std::string other = made("/segments", segment());
  const std::string view = "/data/dataviews/" + world.view();
  world.settings().deny = {{"*", "/calculatedmetrics/" + id},
                           {"*", "/segments/" + other},
                           {"GET", view + "/metrics/visitors"},
                           {"GET", view + "/dimensions/web.webPageDetails.name"}};
  EXPECT_EQ(world.get("/calculatedmetrics?cached=false")["totalElements"], 0);
  EXPECT_EQ(world.get("/segments?cached=false")["totalElements"], 0);
  EXPECT_EQ(world.get(view + "/metrics")["totalElements"], 2);
  EXPECT_EQ(code("GET", view + "/metrics/visitors"), "403 insufficient_access");
  EXPECT_EQ(world.report("")["columns"]["columnErrors"][0]["errorCode"], "unauthorized_metric");
  EXPECT_EQ(world.report("", Json::object(), {id})["columns"]["columnErrors"][0]["errorCode"], "unauthorized_metric");
  EXPECT_EQ(world.report("variables/web.webPageDetails.name", Json::object(),
                         {"metrics/occurrences"})["columns"]["columnErrors"][0]["errorCode"],
            "unauthorized_dimension");
  world.settings().deny = {{"*", view}};
  EXPECT_EQ(world.get("/data/dataviews?cached=false")["totalElements"], 0);
}

TEST_F(AnalyticsAssetsTest, ListsLagLikeOthers) {
  world.settings().list_lag = 5min;
  const std::string id = made("/segments", segment());
  EXPECT_EQ(world.get("/segments?cached=false")["totalElements"], 0);
  EXPECT_EQ(world.get("/segments/" + id)["id"], id);
  world.advance(6min);
  EXPECT_EQ(world.get("/segments?cached=false")["totalElements"], 1);
}

TEST_F(AnalyticsAssetsTest, SegmentsFilterByMetricsListsAndPatterns) {
  world.visit({"a@x.io", "b@x.io"}, 1, "one");
  world.visit({"a@x.io"}, 2, "one/two");
  world.advance(2h);
  const std::string page = "variables/web.webPageDetails.name";
  const Json attribute = {{"func", "attr"}, {"name", page}};
  const auto people = [&](const std::string& context, const Json& pred) {
    const Json definition = {{"func", "segment"},
                             {"version", {1, 0, 0}},
                             {"container", {{"func", "container"}, {"context", context}, {"pred", pred}}}};
    const auto [status, answer] = world.call(
        "POST", "/reports",
        {{"rsid", world.view()},
         {"dataId", world.view()},
         {"globalFilters",
          Json::array({{{"type", "DATE_RANGE"}, {"dateRange", world.range(3, 0)}},
                       {{"type", "SEGMENT"},
                        {"segmentDefinition",
                         {{"func", "segment"},
                          {"version", {1, 0, 0}},
                          {"container",
                           {{"func", "container"},
                            {"context", "visitors"},
                            {"pred", {{"func", "starts-with"}, {"str", "one"}, {"val", attribute}}}}}}}},
                       {{"type", "SEGMENT"}, {"segmentDefinition", definition}}})},
         {"metricContainer", {{"metrics", Json::array({{{"columnId", "0"}, {"id", "metrics/visitors"}}})}}}});
    EXPECT_EQ(status, 200) << answer;
    return answer["summaryData"]["totals"][0].get<double>();
  };
  const auto total = [](const char* func, double number) {
    return Json{{"func", func},
                {"num", number},
                {"val", {{"func", "total"}, {"evt", {{"func", "event"}, {"name", "metrics/occurrences"}}}}}};
  };
  EXPECT_EQ(people("visitors", {{"func", "matches"}, {"glob", "one/*"}, {"val", attribute}}), 1);
  EXPECT_EQ(people("visitors", {{"func", "contains-all-of"}, {"list", {"ONE", "two"}}, {"val", attribute}}), 1);
  EXPECT_EQ(people("visitors", {{"func", "strgt"}, {"str", "one"}, {"val", attribute}}), 1);
  EXPECT_EQ(people("visitors", {{"func", "eq-any-of"}, {"list", {1, 2}}, {"val", attribute}}), 0);
  EXPECT_EQ(people("visitors", total("ge", 2)), 1);
  EXPECT_EQ(people("visits", total("ge", 2)), 0);
  EXPECT_EQ(people("hits", total("eq", 1)), 2);
  const Json event = {{"func", "event"}, {"name", "metrics/occurrences"}};
  EXPECT_EQ(people("hits", {{"func", "event-exists"}, {"evt", event}}), 2);

  // Every limit of a segment is told apart from a mistake.
  Json deep = {{"func", "exists"}, {"val", attribute}};
  for (int i = 0; i < 10; ++i) deep = {{"func", "container"}, {"context", "visitors"}, {"pred", deep}};
  Json body = segment();
  body["definition"]["container"] = {{"func", "container"}, {"context", "visitors"}, {"pred", deep}};
  const Json verdict = world.call("POST", "/segments/validate", body).second;
  EXPECT_EQ(verdict["valid"], false);
  EXPECT_NE(verdict["message"].get<std::string>().find("more than 10 containers"), std::string::npos);
  const Json plain = world.call("POST", "/segments/validate", segment()).second;
  EXPECT_EQ(plain["supported_features"],
            Json({"function_attr", "function_container", "function_segment", "function_streq"}));
}

TEST_F(AnalyticsAssetsTest, TagsAreSetAsAWhole) {
  const std::string id = made("/segments", segment());
  const Json component = {{"componentType", "segment"}, {"componentId", id}};
  const Json created = world
                           .call("POST", "/componentmetadata/tags",
                                 Json::array({{{"name", "managed-by:us"}, {"components", Json::array({component})}},
                                              {{"name", "spare"}, {"description", "unused"}}}))
                           .second;
  ASSERT_EQ(created.size(), 2U);
  EXPECT_EQ(created[0]["status"]["success"], true);
  const std::string number = created[0]["id"].dump();
  EXPECT_EQ(world.get("/componentmetadata/tags?limit=1").size(), 1U);
  EXPECT_EQ(world.get("/componentmetadata/tags/" + number)["components"], Json::array({component}));
  EXPECT_EQ(world.get("/componentmetadata/tags/tagnames?tagNames=managed-by:us,other&componentType=segment"),
            Json::array({id}));
  EXPECT_EQ(world.get("/componentmetadata/tags/tagnames?tagNames=managed-by:us&componentType=project"), Json::array());
  EXPECT_EQ(world.get("/segments/" + id + "?expansion=tags")["tags"][0]["name"], "managed-by:us");

  Json item = component;
  item["tags"] = Json::array({{{"name", "spare"}}, {{"name", "new"}}});
  const Json set = world.call("PUT", "/componentmetadata/tags/tagitems", Json::array({item})).second;
  ASSERT_EQ(set[0]["tags"].size(), 2U);
  const std::string of = "?componentType=segment&componentId=" + id;
  EXPECT_EQ(world.get("/componentmetadata/tags/search" + of).size(), 2U);
  EXPECT_EQ(world.get("/componentmetadata/tags/" + number)["components"], Json::array());

  EXPECT_EQ(world.call("DELETE", "/componentmetadata/tags?componentType=segment&componentIds=" + id).first, 200);
  EXPECT_EQ(world.get("/componentmetadata/tags/search" + of), Json::array());
  EXPECT_EQ(world.call("DELETE", "/componentmetadata/tags/" + number).first, 200);
  EXPECT_EQ(code("GET", "/componentmetadata/tags/" + number), "404 resource_not_found");
  EXPECT_EQ(code("DELETE", "/componentmetadata/tags?componentType=segment"), "400 invalid_parameters");
  EXPECT_EQ(world
                .call("POST", "/componentmetadata/tags/component/search",
                      {{"componentType", "segment"}, {"componentIds", Json::array({id})}})
                .second["content"][0]["tags"],
            Json::array());
  item["componentId"] = "s1";
  EXPECT_EQ(code("PUT", "/componentmetadata/tags/tagitems", Json::array({item})), "404 resource_not_found");
}

TEST_F(AnalyticsAssetsTest, SharesAreSetAsAWhole) {
  const std::string id = made("/calculatedmetrics", body(per_person()));
  const auto share = [&](const std::string& user) {
    return world.call("PUT", "/componentmetadata/shares",
                      Json::array({{{"componentType", "calculatedMetric"},
                                    {"componentId", id},
                                    {"shares", Json::array({{{"shareToType", "user"}, {"shareToImsId", user}}})}}}));
  };
  EXPECT_EQ(share(kAda).first, 200);
  EXPECT_EQ(share("SOMEBODY@AdobeID").first, 400);
  EXPECT_EQ(share(kUs).first, 200);
  const Json shares = world.get("/componentmetadata/shares");
  ASSERT_EQ(shares.size(), 1U);
  EXPECT_EQ(shares[0]["shareToImsId"], kUs);
  EXPECT_EQ(world.get("/componentmetadata/shares/sharedto/me?componentType=calculatedMetric"), Json::array({id}));
  const Json found = world
                         .call("POST", "/componentmetadata/shares/component/search",
                               {{"componentType", "calculatedMetric"}, {"componentIds", Json::array({id})}})
                         .second;
  EXPECT_EQ(found["content"][0]["shares"], shares);
  const std::string one = "/componentmetadata/shares/" + shares[0]["shareId"].dump();
  EXPECT_EQ(world.get(one)["componentId"], id);
  EXPECT_EQ(world.call("DELETE", one).first, 200);
  EXPECT_EQ(code("GET", one), "404 resource_not_found");

  const std::string counts = "/componentmetadata/assets/" + std::string(kAda) + "/counts";
  EXPECT_EQ(world.get(counts)[1]["count"], 0);
  const auto moved = world.call("PUT", "/componentmetadata/assets/" + std::string(kAda) + "/transfer",
                                Json::array({{{"componentType", "calculatedMetric"}, {"componentIds", {id, "cm1"}}}}));
  EXPECT_EQ(moved.second["status"], "status_partial_success");
  EXPECT_EQ(world.get(counts)[1]["count"], 1);
}

TEST_F(AnalyticsAssetsTest, DateRangesAndProjectsComeAndGo) {
  const std::string range =
      made("/dateranges", {{"name", "May"}, {"definition", {{"start", "2026-05-01"}, {"end", "2026-05-31"}}}});
  EXPECT_EQ(world.get("/dateranges?limit=5")["totalElements"], 1);
  EXPECT_EQ(world.get("/dateranges/" + range + "?expansion=definition")["definition"]["start"], "2026-05-01");
  EXPECT_EQ(world.call("PUT", "/dateranges/" + range, {{"name", "June"}}).second["name"], "June");
  EXPECT_EQ(code("POST", "/dateranges", {{"name", "None"}}), "400 invalid_data");
  EXPECT_EQ(world.call("DELETE", "/dateranges/" + range).second["result"], "success");
  EXPECT_EQ(world.get("/dateranges")["totalElements"], 0);

  const Json project = {
      {"name", "Audiences"}, {"rsid", world.view()}, {"type", "project"}, {"definition", {{"workspaces", 1}}}};
  EXPECT_EQ(world.call("POST", "/projects/validate", {{"project", project}}).second["valid"], true);
  Json lost = project;
  lost["rsid"] = "dv_nothing";
  EXPECT_EQ(world.call("POST", "/projects/validate", {{"project", lost}}).second["valid"], false);
  EXPECT_EQ(code("POST", "/projects", lost), "400 invalid_data");
  const std::string id = made("/projects", project);
  EXPECT_EQ(world.get("/projects").size(), 1U);  // a bare list
  EXPECT_EQ(world.get("/projects?pagination=true")["totalElements"], 1);
  EXPECT_EQ(world.call("PUT", "/projects/" + id, {{"name", "Other"}, {"rsid", world.view()}}).second["name"], "Other");
  EXPECT_EQ(world.get("/projects/" + id + "?expansion=definition")["definition"], project["definition"]);
  EXPECT_EQ(world.call("DELETE", "/projects/" + id).first, 200);
  EXPECT_EQ(world.get("/projects"), Json::array());
}

TEST_F(AnalyticsAssetsTest, TheAuditLogHasWhatHappened) {
  const std::string id = made("/segments", segment());
  world.advance(1h);
  EXPECT_EQ(world.call("PUT", "/segments/" + id, {{"name", "Baskets"}}).first, 200);
  EXPECT_EQ(world.call("DELETE", "/segments/" + id).first, 200);
  EXPECT_EQ(world.call("DELETE", "/segments/" + id).first, 200);  // nothing happened
  world.person({{"do", "rename_connection"}, {"connection", world.connection()}, {"name", "Renamed"}});
  const std::string log = "/auditlogs/api/v1/auditlogs";
  const Json own = world.get(log + "?component=FILTER&componentId=" + id);
  ASSERT_EQ(own["totalElements"], 3);
  EXPECT_EQ(own["content"][0]["action"], "DELETE");
  EXPECT_EQ(own["content"][2]["action"], "CREATE");
  EXPECT_EQ(own["content"][2]["component"], Json({{"id", id}, {"idType", "FILTER"}, {"name", "Carts"}}));
  EXPECT_EQ(own["content"][2]["description"], "created filter 'Carts'");
  EXPECT_EQ(own["content"][0]["user"]["id"], kUs);
  EXPECT_EQ(own["last"], true);
  const Json first = world.get(log + "?component=FILTER&pageSize=2");
  EXPECT_EQ(first["last"], false);
  EXPECT_EQ(world.get(log + "?component=FILTER&pageSize=2&pageNumber=1")["content"].size(), 1U);
  const Json person = world.get(log + "?component=CONNECTION&action=EDIT&userId=" + std::string(kAda));
  EXPECT_EQ(person["content"][0]["component"]["id"], world.connection());

  const std::int64_t now = world.data.platform->clock.now_ms();
  const auto between = [&](std::int64_t from, std::int64_t to, const std::string& zone) {
    return world.get(log + "?component=FILTER&startDate=" + iso8601(from).substr(0, 19) + zone +
                     "&endDate=" + iso8601(to).substr(0, 19) + zone)["totalElements"];
  };
  EXPECT_EQ(between(now - 7'200'000, now + 60'000, "Z"), 3);
  EXPECT_EQ(between(now - 1'800'000, now + 60'000, "Z"), 2);
  EXPECT_EQ(between(now - 1'800'000 - 7 * 3'600'000LL, now + 60'000 - 7 * 3'600'000LL, "-07"), 2);
  EXPECT_EQ(code("GET", log + "?startDate=2026-01-01T00:00:00Z"), "400 invalid_parameters");

  const auto search = [&](const Json& criteria) {
    return world.call("POST", log + "/search", {{"criteria", criteria}, {"pageSize", 10}, {"pageNumber", 0}}).second;
  };
  const Json of_filters = {{"fieldType", "COMPONENT"}, {"operator", "IN"}, {"value", {"FILTER", "PROJECT"}}};
  const Json created = {{"fieldType", "DESCRIPTION"}, {"operator", "CONTAINS"}, {"value", {"Created"}}};
  EXPECT_EQ(search({{"fieldOperator", "AND"}, {"fields", {of_filters, created}}})["totalElements"], 1);
  EXPECT_EQ(search({{"fieldOperator", "AND"},
                    {"fields", {of_filters}},
                    {"subCriteriaOperator", "AND"},
                    {"subCriteria",
                     {{"fieldOperator", "OR"},
                      {"fields",
                       {{{"fieldType", "ACTION"}, {"operator", "EQUALS"}, {"value", {"EDIT"}}},
                        {{"fieldType", "ACTION"}, {"operator", "EQUALS"}, {"value", {"DELETE"}}}}}}}})["totalElements"],
            2);
  EXPECT_EQ(search({{"fields", {{{"fieldType", "SHOE"}, {"operator", "IN"}, {"value", {"x"}}}}}})["errorCode"],
            "invalid_parameters");

  const Json before = world.get(log);
  world.restart();
  EXPECT_EQ(world.get(log), before);
}

TEST_F(AnalyticsAssetsTest, UsersCanBeAskedFor) {
  const Json me = world.get("/configuration/users/me?expansion=admin");
  EXPECT_EQ(me["userId"], kUs);
  EXPECT_EQ(me["roles"][0]["named_role"], "product_admin");
  EXPECT_FALSE(world.get("/configuration/users/me").contains("roles"));
  EXPECT_EQ(world.get("/configuration/orgs/users?limit=10")["totalElements"], 2);
}

}  // namespace
}  // namespace emulator
