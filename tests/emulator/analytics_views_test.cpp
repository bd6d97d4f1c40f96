#include "analytics_world.h"

namespace emulator {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> ids_of(const Json& page) {
  std::vector<std::string> ids;
  for (const Json& one : page["content"]) ids.push_back(one["id"]);
  return ids;
}

constexpr const char* kAll =
    "?expansion=name,dataSets,granularStreaming,granularBackfills,backfillsSummaryConnection,backfillsSummaryDataSets,"
    "dataSetLastIngested,sandboxName,schemaInfo,validationErrors,externalData,primaryIdType";

TEST(AnalyticsConnectionTest, ShowsLittleUnlessItIsAskedFor) {
  AnalyticsWorld world;
  const std::string path = "/data/connections/" + world.connection();
  EXPECT_EQ(world.get(path), Json({{"id", world.connection()}}));
  EXPECT_EQ(world.get(path.substr(0, path.find("dg_")) + world.connection().substr(3))["id"], world.connection());
  const Json plain = world.get(path + "?expansion=dataSets")["dataSets"][0];
  EXPECT_FALSE(plain.contains("streaming"));
  EXPECT_FALSE(plain.contains("backfills"));

  const Json whole = world.get(path + kAll);
  EXPECT_EQ(whole["name"], "Luma web");
  EXPECT_EQ(whole["externalData"]["externalId"], world.connection().substr(3));
  EXPECT_EQ(whole["connectionValidationErrors"], Json::array());
  EXPECT_FALSE(whole.contains("_emulator"));
  const Json& data_set = whole["dataSets"][0];
  EXPECT_EQ(data_set["dataSetId"], world.event_dataset());
  EXPECT_EQ(data_set["type"], "event");
  EXPECT_EQ(data_set["visitorId"], "_demoemea.identification.core.email");
  EXPECT_EQ(data_set["identityNamespace"], "Email");
  EXPECT_EQ(data_set["streaming"], true);
  EXPECT_EQ(data_set["backfills"][0]["status"], "COMPLETED");
  EXPECT_TRUE(data_set["lastIngestedTime"].is_string());
  EXPECT_FALSE(data_set.contains("_emulator"));
}

TEST(AnalyticsConnectionTest, ListsInBothDialects) {
  AnalyticsWorld world;
  for (int i = 0; i < 12; ++i) world.person({{"do", "create_connection"}, {"name", "C" + std::to_string(i)}});
  const Json first = world.get("/data/connections");
  EXPECT_EQ(first["content"].size(), 10U);
  EXPECT_EQ(first["firstPage"], true);
  EXPECT_EQ(first["lastPage"], false);
  EXPECT_FALSE(first.contains("last"));
  world.settings().page_dialect = "spring";
  const Json second = world.get("/data/connections?page=1");
  EXPECT_EQ(second["content"].size(), 3U);
  EXPECT_EQ(second["last"], true);
  EXPECT_EQ(second["pageable"]["offset"], 10);
  EXPECT_FALSE(second.contains("lastPage"));

  EXPECT_EQ(
      world.get("/data/connections?sortProperty=name&sortDirection=DESC&limit=1&expansion=name")["content"][0]["name"],
      "Luma web");
  EXPECT_EQ(ids_of(world.get("/data/connections?dataSetIds=" + world.event_dataset())),
            std::vector{world.connection()});
  EXPECT_EQ(ids_of(world.get("/data/connections?connectionIds=" + world.connection().substr(3))),
            std::vector{world.connection()});
  EXPECT_TRUE(ids_of(world.get("/data/connections?sandboxName=dev")).empty());
  EXPECT_EQ(world.get("/data/connections/search?query=LUMA")["totalElements"], 1);
  EXPECT_EQ(world.call("GET", "/data/connections?limit=none").first, 400);
  EXPECT_EQ(world.call("GET", "/data/connections?sortProperty=size").first, 400);
}

TEST(AnalyticsConnectionTest, IsStaleUnlessReadThrough) {
  AnalyticsWorld world;
  const auto names = [&](const std::string& more) {
    return world.get("/data/connections?limit=100&expansion=name" + more)["totalElements"].get<int>();
  };
  EXPECT_EQ(names(""), 1);
  world.person({{"do", "create_connection"}, {"name", "New"}});
  EXPECT_EQ(names(""), 1);
  EXPECT_EQ(names("&cached=false"), 2);
  world.person({{"do", "create_connection"}, {"name", "Newer"}});
  EXPECT_EQ(names("&cached=true"), 2);
  world.advance(61s);
  EXPECT_EQ(names(""), 3);
}

TEST(AnalyticsConnectionTest, NobodyWritesButAPerson) {
  AnalyticsWorld world;
  const std::string one = "/data/connections/" + world.connection();
  const std::string view = "/data/dataviews/" + world.view();
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{
           {"POST", "/data/connections"},
           {"PUT", one},
           {"DELETE", one},
           {"PATCH", one},
           {"POST", one + "/datasets"},
           {"POST", one + "/datasets/" + world.event_dataset() + "/backfills"},
           {"POST", view + "/dimensions"},
           {"PUT", view + "/dimensions/daterangeday"},
           {"DELETE", view + "/metrics/visitors"}}) {
    const auto [status, body] = world.call(method, path);
    EXPECT_EQ(status, 405) << method << path;
    EXPECT_EQ(body["errorCode"], "method_not_allowed") << method << path;
  }
  const auto [status, body] = world.call("GET", "/data/connections/dg_nothing");
  EXPECT_EQ(status, 404);
  EXPECT_EQ(body["errorCode"], "resource_not_found");
}

TEST(AnalyticsConnectionTest, BackfillsGoOnByTheClock) {
  AnalyticsWorld world;
  world.settings().backfill_delay = 9h;
  const std::string dataset = world.data.target_dataset();
  world.add(dataset);
  const std::string path = "/data/connections/" + world.connection() + "/datasets/" + dataset + "/backfills";
  const auto status = [&] { return world.get(path)["content"][0]["status"]; };
  EXPECT_EQ(status(), "IN_QUEUE");
  world.advance(4h);
  EXPECT_EQ(status(), "IN_PROGRESS");
  EXPECT_EQ(world.get(path + "?includeStatus=completed")["totalElements"], 0);
  world.advance(5h);
  EXPECT_EQ(status(), "COMPLETED");
  EXPECT_EQ(world.get(path + "?includeStatus=completed&sortProperty=createdDate")["totalElements"], 1);
  EXPECT_EQ(world.call("GET", "/data/connections/" + world.connection() + "/datasets/x/backfills").first, 404);
}

TEST(AnalyticsConnectionTest, ADatasetThatIsGoneIsAValidationError) {
  AnalyticsWorld world;
  const std::string dataset = world.data.target_dataset();
  world.add(dataset);
  EXPECT_EQ(world.data.call("DELETE", "/data/foundation/catalog/dataSets/" + dataset).status, 200);
  const Json errors = world.get("/data/connections/" + world.connection() +
                                "?expansion=validationErrors")["connectionValidationErrors"];
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0]["errorCode"], "DATA_SET_DOES_NOT_EXIST");
  EXPECT_EQ(errors[0]["dataSetId"], dataset);
}

TEST(AnalyticsConnectionTest, EverythingIsThereAfterARestart) {
  AnalyticsWorld world;
  const std::string dataset = world.data.target_dataset();
  world.add(dataset);
  world.component(kMembershipPath, {{"name", "Audience"}});
  const std::string connection = "/data/connections/" + world.connection() + kAll;
  const std::string dimensions = "/data/dataviews/" + world.view() + "/dimensions?expansion=schemaPath,dataSetIds";
  const Json before = world.get(connection);
  const Json shown = world.get(dimensions);
  const auto rows = world.data.lines("/_emulator/datasets/" + world.event_dataset() + "/rows");
  world.restart();
  EXPECT_EQ(world.get(connection), before);
  EXPECT_EQ(world.get(dimensions), shown);
  EXPECT_EQ(world.data.lines("/_emulator/datasets/" + world.event_dataset() + "/rows"), rows);
}

TEST(AnalyticsDataViewTest, ValidatesWithoutEverFailing) {
  AnalyticsWorld world;
  const Json good = {{"name", "V"}, {"parentDataGroupId", world.connection()}, {"timezoneDesignator", "Europe/Berlin"}};
  const auto validated = [&](const char* name, const Json& value) {
    Json body = good;
    body[name] = value;
    const auto [status, answer] = world.call("POST", "/data/dataviews/validate", body);
    EXPECT_EQ(status, 200);
    return answer;
  };
  EXPECT_EQ(validated("name", "W")["valid"], true);
  EXPECT_EQ(validated("timezoneDesignator", nullptr)["message"],
            "The following fields are required: [timezoneDesignator] ");
  EXPECT_EQ(validated("timezoneDesignator", "Luna/Base")["valid"], false);
  EXPECT_EQ(validated("parentDataGroupId", "dg_nothing")["message"], "Unable to find parentDataGroup");
  EXPECT_EQ(world.get("/data/dataviews")["totalElements"], 1);

  EXPECT_EQ(world.call("POST", "/data/dataviews", {{"name", "V"}}).first, 400);
  Json lost = good;
  lost["parentDataGroupId"] = "dg_nothing";
  EXPECT_EQ(world.call("POST", "/data/dataviews", lost).first, 404);
}

TEST(AnalyticsDataViewTest, LivesFromCreationToDeletion) {
  AnalyticsWorld world;
  const std::string expand =
      "?expansion=name,description,sessionDefinition,externalData,parentDataGroupId,timezoneDesignator,modified,owner";
  const auto [status, made] = world.call(
      "POST", "/data/dataviews/" + expand,
      {{"name", "Audience sync"},
       {"description", "before"},
       {"parentDataGroupId", world.connection().substr(3)},
       {"timezoneDesignator", "Europe/Berlin"},
       {"externalData", {{"externalId", "audience_sync"}}},
       {"sessionDefinition", Json::array({{{"numPeriods", 15}, {"granularity", "MINUTE"}, {"func", "INACTIVITY"}}})}});
  ASSERT_EQ(status, 200) << made;
  const std::string id = made["id"];
  EXPECT_TRUE(id.starts_with("dv_"));
  EXPECT_EQ(made["sessionDefinition"][0]["granularity"], "minute");
  EXPECT_EQ(made["sessionDefinition"][0]["func"], "inactivity");
  EXPECT_EQ(made["externalData"]["externalParentId"], world.connection().substr(3));
  EXPECT_EQ(made["parentDataGroupId"], world.connection());
  const std::string path = "/data/dataviews/" + id;
  EXPECT_EQ(world.get(path), Json({{"id", id}}));
  EXPECT_EQ(ids_of(world.get("/data/dataviews?externalIds=audience_sync")), std::vector{id});
  EXPECT_EQ(world.get("/data/dataviews?parentDataGroupId=" + world.connection())["totalElements"], 2);

  // A body that leaves members out takes them away, unless the service merges.
  Json body = {{"name", "New name"}, {"parentDataGroupId", world.connection()}, {"timezoneDesignator", "Etc/UTC"}};
  EXPECT_EQ(world.call("PUT", path + expand, body).second["description"], "");
  EXPECT_EQ(world.call("PUT", path, {{"name", "Half"}}).first, 400);
  world.settings().dataview_put = "partial";
  const auto half = world.call("PUT", path + expand, {{"description", "after"}, {"id", "dv_other"}});
  EXPECT_EQ(half.second["name"], "New name");
  EXPECT_EQ(half.second["description"], "after");
  EXPECT_EQ(half.second["id"], id);

  EXPECT_EQ(world.call("DELETE", path), std::pair(200, Json({{"result", "success"}})));
  EXPECT_EQ(world.call("DELETE", path).first, 404);
  EXPECT_EQ(world.call("GET", path).first, 404);
}

TEST(AnalyticsDataViewTest, ACopyHasTheComponents) {
  AnalyticsWorld world;
  const std::string dataset = world.data.target_dataset();
  world.add(dataset);
  const std::string id = world.component(kMembershipPath);
  const auto [status, copy] = world.call("PUT", "/data/dataviews/copy/" + world.view() + "?expansion=name");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(copy["name"], "Luma analysis (Copy)");
  EXPECT_NE(copy["id"], world.view());
  EXPECT_EQ(world.get("/data/dataviews/" + copy["id"].get<std::string>() + "/dimensions/" + id)["id"], id);
}

TEST(AnalyticsComponentTest, ProfileFieldsCarryTheDatasetInTheirIds) {
  AnalyticsWorld world(0);
  world.settings().analytics_delay = 0ms;
  const std::string dataset = world.data.target_dataset();
  world.add(dataset);
  const std::string id = world.component(kMembershipPath, {{"name", "Audience id"}, {"multi", true}});
  EXPECT_EQ(id, "variables/" + dataset + "." + kMembershipPath);
  const std::string base = "/data/dataviews/" + world.view() + "/dimensions";
  EXPECT_EQ(world.get(base + "/" + id), Json({{"id", id}, {"name", "Audience id"}}));
  const std::string expand =
      "?expansion=schemaPath,dataSetIds,dataSetType,hasData,multiValued,fieldDefinition,includeExcludeSetting,"
      "noValueOptionsSetting,sourceFieldName,description,type";
  const Json shown = world.get(base + "/" + id.substr(std::string("variables/").size()) + expand);
  EXPECT_EQ(shown["schemaPath"], kMembershipPath);
  EXPECT_EQ(shown["dataSetIds"], Json::array({dataset}));
  EXPECT_EQ(shown["dataSetType"], "profile");
  EXPECT_EQ(shown["multiValued"], true);
  EXPECT_EQ(shown["hasData"], false);
  EXPECT_EQ(shown["fieldDefinition"][0]["func"], "raw-field");
  EXPECT_EQ(shown["includeExcludeSetting"]["enabled"], false);
  world.ingest(dataset, {{"a@x.io", {}}});
  EXPECT_EQ(world.get(base + "/" + id + expand)["hasData"], false);
  world.ingest(dataset, {{"b@x.io", {"A1"}}});
  EXPECT_EQ(world.get(base + "/" + id + expand)["hasData"], true);

  // The same field again, with other settings, is another component.
  const std::string again = world.component(kMembershipPath, {{"include", {"A1"}}});
  EXPECT_NE(again, id);
  EXPECT_EQ(world.get(base + "/" + again + expand)["includeExcludeSetting"]["rules"][0]["value"], "A1");
  world.person({{"do", "remove_component"}, {"data_view", world.view()}, {"component", id}});
  EXPECT_EQ(world.call("GET", base + "/" + id).first, 404);
  EXPECT_EQ(world.get(base)["lastPage"], true);
  EXPECT_EQ(world.get("/data/dataviews/" + world.view() + "/metrics")["totalElements"], 3);
  EXPECT_EQ(world.call("GET", "/data/dataviews/dv_nothing/dimensions").first, 404);
}

TEST(AnalyticsSegmentTest, AreListedChangedAndHidden) {
  AnalyticsWorld world;
  EXPECT_EQ(world.get("/segments")["content"], Json::array());
  const Json definition = {{"func", "segment"},
                           {"version", {1, 0, 0}},
                           {"container",
                            {{"func", "container"},
                             {"context", "hits"},
                             {"pred",
                              {{"func", "streq"},
                               {"str", "cart"},
                               {"val", {{"func", "attr"}, {"name", "variables/web.webPageDetails.name"}}}}}}}};
  const Json body = {{"name", "Carts"}, {"rsid", world.view()}, {"definition", definition}};
  EXPECT_EQ(world.call("POST", "/segments/validate", body).second["valid"], true);
  Json wrong = body;
  wrong["definition"]["container"]["pred"]["func"] = "resembles";
  const auto [status, verdict] = world.call("POST", "/segments/validate", wrong);
  EXPECT_EQ(status, 200);
  EXPECT_EQ(verdict["valid"], false);
  EXPECT_EQ(world.call("POST", "/segments", wrong).first, 400);

  const std::string id = world.call("POST", "/segments", body).second["id"];
  EXPECT_EQ(world.get("/filters/" + id + "?expansion=definition")["definition"], definition);
  EXPECT_EQ(world.get("/segments?name=art&cached=false")["totalElements"], 1);
  EXPECT_EQ(world.call("PUT", "/segments/" + id, {{"name", "Baskets"}}).second["name"], "Baskets");
  EXPECT_EQ(world.call("DELETE", "/segments/" + id).first, 200);
  EXPECT_EQ(world.get("/segments?cached=false")["totalElements"], 0);
  EXPECT_EQ(world.get("/segments/" + id + "?expansion=isDeleted")["isDeleted"], true);
  EXPECT_EQ(world.call("GET", "/segments/s1").first, 404);
}

}  // namespace
}  // namespace emulator
