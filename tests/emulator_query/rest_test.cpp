#include <gtest/gtest.h>

#include <libpq-fe.h>

#include "query_rest.h"

namespace emulator {
namespace {

TEST_F(QueryRest, RunsAPostedQueryAndCountsItsRows) {
  const Json posted = post("SELECT explode(array(1, 2, 3)) -- run:7");
  EXPECT_EQ(posted["state"], "SUBMITTED");
  const Json done = settled(posted);
  EXPECT_EQ(done["state"], "SUCCESS");
  EXPECT_EQ(done["rowCount"], 3);
  const Json found = call("GET", std::string(kPath) + "?property=sql~run:7").second;
  ASSERT_EQ(found["queries"].size(), 1U);
  EXPECT_EQ(found["queries"][0]["id"], posted["id"]);
}

TEST_F(QueryRest, LeavesABatchInTheCatalog) {
  const Json made = settled(post("SELECT 'a' AS id", {{"ctasParameters", {{"datasetName", "made"}}}}));
  ASSERT_EQ(made["state"], "SUCCESS") << made;
  EXPECT_TRUE(made["isCTAS"]);
  const std::string dataset = made["_links"]["created_dataset"]["id"];
  const Json done = settled(post("INSERT INTO made SELECT $v AS id", {{"queryParameters", {{"v", "'b'"}}}}));
  EXPECT_EQ(done["rowCount"], 1) << done;
  const Json batches = call("GET", "/data/foundation/catalog/batches?dataSet=" + dataset).second;
  ASSERT_EQ(batches.size(), 2U);
  for (const auto& [id, batch] : batches.items()) {
    EXPECT_EQ(batch["status"], "success");
    EXPECT_EQ(batch["recordCount"], 1);
  }
}

TEST_F(QueryRest, TellsWhatFailedAndWhoIsToBlame) {
  const Json failed = settled(post("SELECT nothing FROM nowhere"));
  EXPECT_EQ(failed["state"], "FAILED");
  EXPECT_EQ(failed["errors"][0]["code"], "42P01");
  EXPECT_EQ(failed["errors"][0]["errorType"], "USER_ERROR");
  EXPECT_EQ(call("POST", kPath, {{"dbName", "other:all"}, {"sql", "SELECT 1"}}).first, 400);
  EXPECT_EQ(call("POST", kPath, {{"dbName", "prod:all"}}).first, 400);
  EXPECT_EQ(call("GET", std::string(kPath) + "/none").first, 404);
}

TEST_F(QueryRest, RefusesBatchQueriesWithoutTheEntitlement) {
  platform_->settings.query_batch = false;
  const auto [status, answer] = call("POST", kPath, {{"dbName", "prod:all"}, {"sql", "INSERT INTO t SELECT 1"}});
  EXPECT_EQ(status, 400);
  EXPECT_NE(answer.dump().find("Data Distiller"), std::string::npos);
}

TEST_F(QueryRest, WaitsForTheClockAndCanBeCancelledMeanwhile) {
  platform_->settings.query_delay = std::chrono::hours(2);
  const Json first = post("CREATE TABLE never AS SELECT 1 AS a");
  const std::string path = std::string(kPath) + "/" + first["id"].get<std::string>();
  EXPECT_EQ(call("PATCH", path, {{"op", "soft_delete"}}).first, 409);
  EXPECT_EQ(call("PATCH", path, {{"op", "cancel"}}).first, 202);
  EXPECT_EQ(call("PATCH", path, {{"op", "cancel"}}).first, 409);
  const Json second = post("SELECT 1");
  platform_->clock.advance(std::chrono::hours(1));
  while (call("GET", std::string(kPath) + "/" + second["id"].get<std::string>()).second["state"] == "SUBMITTED")
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(call("GET", std::string(kPath) + "/" + second["id"].get<std::string>()).second["state"], "IN_PROGRESS");
  platform_->clock.advance(std::chrono::hours(1));
  EXPECT_EQ(settled(second)["state"], "SUCCESS");
  EXPECT_EQ(settled(first)["state"], "KILLED");
  EXPECT_EQ(call("PATCH", path, {{"op", "soft_delete"}}).first, 202);
  EXPECT_EQ(call("GET", kPath).second["queries"].size(), 1U);
  EXPECT_EQ(call("GET", std::string(kPath) + "?excludeSoftDeleted=false").second["queries"].size(), 2U);
}

TEST_F(QueryRest, ListsPageByPage) {
  for (int i = 0; i < 5; ++i) settled(post("SELECT " + std::to_string(i)));
  std::vector<std::string> seen;
  std::string target = std::string(kPath) + "?orderby=%2Bcreated&limit=2&property=state==SUCCESS";
  while (!target.empty()) {
    const Json page = call("GET", target).second;
    for (const Json& query : page["queries"]) seen.push_back(query["request"]["sql"]);
    target = page["_links"].contains("next") ? page["_links"]["next"]["href"].get<std::string>() : "";
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT 0", "SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"}));
  EXPECT_EQ(call("GET", std::string(kPath) + "?orderby=nonsense").first, 400);
}

TEST_F(QueryRest, TakesUpWhatWasPostedBeforeARestart) {
  platform_->settings.query_delay = std::chrono::hours(2);
  const Json posted = post("SELECT 1");
  close();
  open();
  EXPECT_EQ(settled(posted)["state"], "SUCCESS");
}

TEST_F(QueryRest, KeepsTemplates) {
  const std::string path = "/data/foundation/query/query-templates";
  const auto [status, made] = call("POST", path, {{"name", "one"}, {"sql", "SELECT $a"}});
  EXPECT_EQ(status, 202);
  const std::string id = made["id"];
  const Json ran = settled(post("", {{"sql", ""}, {"templateId", id}, {"queryParameters", {{"a", "1"}}}}));
  EXPECT_EQ(ran["effectiveSQL"], "SELECT 1");
  EXPECT_EQ(call("GET", path + "/count").second["totalCount"], 1);
  EXPECT_EQ(call("PUT", path + "/" + id, {{"name", "two"}, {"sql", "SELECT 2"}}).second["name"], "two");
  EXPECT_EQ(call("DELETE", path + "/" + id).first, 202);
  EXPECT_EQ(call("GET", path + "/" + id).first, 404);
}

TEST_F(QueryRest, ListsWhatSessionsDoWithoutWhatDriversSend) {
  const TlsIdentity identity(folder_);
  service_->listen(ServerOptions{}, identity);
  const Json pg = service_->connection();
  const std::string terms = "host=127.0.0.1 port=" + std::to_string(pg["port"].get<int>()) +
                            " dbname=prod:all user=" + pg["user"].get<std::string>() +
                            " password=" + pg["password"].get<std::string>() +
                            " sslmode=require gssencmode=disable application_name=psql";
  PGconn* session = PQconnectdb(terms.c_str());
  ASSERT_EQ(PQstatus(session), CONNECTION_OK) << PQerrorMessage(session);
  for (const char* sql :
       {"BEGIN", "DECLARE c CURSOR FOR SELECT 1", "FETCH 1 FROM c", "COMMIT", "SELECT explode(array(1, 2)) AS x",
        "SELECT nothing", "CREATE TABLE made AS SELECT 1 AS a", "SELECT 1 FROM pg_catalog.pg_class"})
    PQclear(PQexec(session, sql));
  const char* value = "7";
  PQclear(PQexecParams(session, "SELECT $1", 1, nullptr, &value, nullptr, nullptr, 0));
  PQfinish(session);
  const Json shown = call("GET", std::string(kPath) + "?orderby=%2Bcreated&property=client==psql").second["queries"];
  std::string said;
  for (const Json& query : shown)
    said += query["effectiveSQL"].get<std::string>() + ": " + query["state"].get<std::string>() + " " +
            query["rowCount"].dump() + "\n";
  EXPECT_EQ(said,
            "SELECT explode(array(1, 2)) AS x: SUCCESS 2\nSELECT nothing: FAILED 0\n"
            "CREATE TABLE made AS SELECT 1 AS a: SUCCESS 1\nSELECT '7': SUCCESS 1\n");
  EXPECT_EQ(shown[1]["errors"][0]["code"], "42703");
  EXPECT_TRUE(shown[2]["isCTAS"]);
  EXPECT_TRUE(shown[2]["_links"].contains("created_dataset"));
  EXPECT_EQ(call("GET", std::string(kPath) + "?excludeHidden=false").second["queries"].size(), 9U);
  close();
  open();
  EXPECT_EQ(call("GET", kPath).second["queries"].size(), 4U);
}

TEST_F(QueryRest, FiltersByWhatTheDescriptionNames) {
  const Json first = settled(post("SELECT 1 AS one"));
  settled(post("SELECT nothing"));
  const auto found = [&](const std::string& property) {
    const auto [status, page] = call("GET", std::string(kPath) + "?property=" + percent_encode(property));
    return status == 200 ? static_cast<int>(page["queries"].size()) : -status;
  };
  const std::string id = first["id"];
  EXPECT_EQ(found("id==" + id), 1);
  EXPECT_EQ(found("id!=" + id), 1);
  EXPECT_EQ(found("id~" + id.substr(4, 20)), 1);
  EXPECT_EQ(found("created>=2017-04-05T13:30:00Z,state==SUCCESS"), 1);
  EXPECT_EQ(found("created<2017-04-05 13:30:00+00:00"), 0);
  EXPECT_EQ(found("created<=" + first["created"].get<std::string>()), 1);
  EXPECT_EQ(found("updated>2017-04-05T13:30:00Z"), 2);
  EXPECT_EQ(found("sql~AS one"), 1);
  EXPECT_EQ(found("userId==nobody||" + first["userId"].get<std::string>()), 2);
  EXPECT_EQ(found("client==API"), 2);
  EXPECT_EQ(found("client==psql"), 0);
  EXPECT_EQ(found("sql==SELECT 1 AS one"), -400);  // text can only be searched in
  EXPECT_EQ(found("client~API"), -400);
  EXPECT_EQ(found("rowCount==1"), -400);
  EXPECT_EQ(found("state=FAILED"), -400);
}

TEST_F(QueryRest, PagesBackToWhereItCameFrom) {
  for (int i = 0; i < 5; ++i) post("SELECT " + std::to_string(i));
  const auto texts = [](const Json& page) {
    std::string out;
    for (const Json& query : page["queries"]) out += query["effectiveSQL"].get<std::string>().substr(7);
    return out;
  };
  const Json first = call("GET", std::string(kPath) + "?limit=2").second;
  EXPECT_EQ(texts(first), "43");
  EXPECT_FALSE(first["_links"].contains("prev"));
  const Json second = call("GET", first["_links"]["next"]["href"]).second;
  const Json third = call("GET", second["_links"]["next"]["href"]).second;
  EXPECT_EQ(texts(second) + texts(third), "210");
  EXPECT_FALSE(third["_links"].contains("next"));
  const Json back = call("GET", third["_links"]["prev"]["href"]).second;
  EXPECT_EQ(texts(back), "21");
  EXPECT_EQ(texts(call("GET", back["_links"]["prev"]["href"]).second), "43");
}

TEST_F(QueryRest, TakesATemplatesParametersUnlessOthersAreGiven) {
  const std::string path = "/data/foundation/query/query-templates";
  const Json made =
      call("POST", path, {{"name", "two"}, {"sql", "SELECT $a, $b"}, {"queryParameters", {{"a", "1"}, {"b", "2"}}}})
          .second;
  const Json ran = post("", {{"sql", ""}, {"templateId", made["id"]}, {"queryParameters", {{"b", "3"}}}});
  EXPECT_EQ(ran["effectiveSQL"], "SELECT 1, 3");
  const std::string list = std::string(kPath) + "?property=";
  EXPECT_EQ(call("GET", list + "templateId==" + made["id"].get<std::string>()).second["queries"].size(), 1U);
  EXPECT_EQ(call("GET", list + "templateName~tw").second["queries"].size(), 1U);
  EXPECT_EQ(call("GET", path + "?property=name~two").second["templates"].size(), 1U);
  EXPECT_EQ(call("GET", path + "/count?property=name~three").second["totalCount"], 0);
}

TEST_F(QueryRest, DescribesTheDatasetOfCtasParameters) {
  const Json terms{{"datasetName", "made"}, {"description", "of last week"}};
  const Json made = settled(post("SELECT 'a' AS id", {{"ctasParameters", terms}}));
  const std::string dataset = made["_links"]["created_dataset"]["id"];
  EXPECT_EQ(call("GET", "/data/foundation/catalog/dataSets/" + dataset).second[dataset]["description"], "of last week");
}

TEST_F(QueryRest, RunsTheStatementsOfABlockInTheirOrder) {
  settled(post("CREATE TABLE log AS SELECT 'start' AS what"));
  const Json done =
      settled(post("$$ BEGIN SET @snapshot = SELECT snapshot_id FROM (SELECT history_meta('log')) WHERE is_current; "
                   "SET @odd = SELECT 'it\\'s \\\\'; "
                   "INSERT INTO log SELECT concat(@odd, ' ', count(*)) AS what FROM log SNAPSHOT AS OF @snapshot; "
                   "INSERT INTO log SELECT CASE WHEN table_exists('log') THEN 'there' ELSE 'not' END AS what; "
                   "EXCEPTION WHEN OTHER THEN INSERT INTO log SELECT 'wrong' AS what; END $$;"));
  ASSERT_EQ(done["state"], "SUCCESS") << done;
  const auto logged = [&](const std::string& what) {
    return settled(post("SELECT what FROM log WHERE what = '" + what + "'"))["rowCount"].get<int>();
  };
  EXPECT_EQ(logged("it\\'s \\\\ 1"), 1);
  EXPECT_EQ(logged("there"), 1);
  EXPECT_EQ(logged("wrong"), 0);
  // What was done before something failed stays done.
  const char* fails = "$$ BEGIN INSERT INTO log SELECT 'first' AS what; SELECT nothing; ";
  EXPECT_EQ(settled(post(std::string(fails) + "END $$"))["errors"][0]["code"], "42703");
  EXPECT_EQ(settled(post(std::string(fails) + "EXCEPTION WHEN OTHER THEN SET @r = SELECT 'FAILED'; "
                                              "INSERT INTO log SELECT @r AS what; END $$"))["state"],
            "SUCCESS");
  EXPECT_EQ(logged("first"), 2);
  EXPECT_EQ(logged("FAILED"), 1);
  EXPECT_EQ(settled(post("$$ BEGIN SELECT @never; END $$"))["errors"][0]["code"], "42704");
  EXPECT_EQ(settled(post("$$ BEGIN RAISE 'no'; END $$"))["errors"][0]["message"], "'RAISE' is not supported");
  EXPECT_EQ(settled(post("$$ BEGIN SELECT 1 END $$"))["errors"][0]["code"], "42601");
}

TEST_F(QueryRest, MakesTablesOfTypedColumnsAndNamesTheirIdentity) {
  const auto failure = [&](const std::string& sql) {
    const Json done = settled(post(sql));
    return done["errors"].empty() ? done["state"] : done["errors"][0]["code"];
  };
  EXPECT_EQ(failure("CREATE TABLE people (personID text PRIMARY IDENTITY NAMESPACE 'Email', age int, since timestamp)"),
            "SUCCESS");
  EXPECT_EQ(failure("CREATE TABLE people (personID text)"), "42P07");
  EXPECT_EQ(failure("CREATE TABLE IF NOT EXISTS people (personID text)"), "SUCCESS");
  EXPECT_EQ(failure("INSERT INTO people SELECT 'ann@x.com' AS personID, 7 AS age"), "SUCCESS");
  EXPECT_EQ(failure("INSERT INTO people SELECT 8 AS age"), "22000");  // nobody
  EXPECT_EQ(settled(post("SELECT personID FROM people WHERE age = 7 AND since IS NULL"))["rowCount"], 1);
  EXPECT_EQ(failure("ALTER TABLE people ADD CONSTRAINT PRIMARY IDENTITY (personID) NAMESPACE 'Email'"), "42P16");
  EXPECT_EQ(failure("CREATE TABLE later (id text)"), "SUCCESS");
  EXPECT_EQ(failure("ALTER TABLE later ADD CONSTRAINT PRIMARY IDENTITY (other) NAMESPACE 'Email'"), "42703");
  EXPECT_EQ(failure("ALTER TABLE later ADD CONSTRAINT PRIMARY IDENTITY (id) NAMESPACE 'Nonsense'"), "42704");
  EXPECT_EQ(failure("ALTER TABLE later ADD CONSTRAINT PRIMARY IDENTITY (id) NAMESPACE 'Email'"), "SUCCESS");
  EXPECT_EQ(failure("CREATE TABLE wrong (id text PRIMARY IDENTITY NAMESPACE 'Nonsense')"), "42704");
  EXPECT_EQ(failure("DROP TABLE wrong"), "42P01");  // nothing of it is left
  EXPECT_EQ(failure("CREATE TABLE wrong (id text) WITH (LABEL='PROFILE')"), "0A000");
  EXPECT_EQ(failure("ALTER TABLE people ADD LABEL 'UPSERT'"), "0A000");
}

TEST_F(QueryRest, NamesWhereToConnect) {
  const Json terms = call("GET", "/data/foundation/query/connection_parameters").second;
  EXPECT_EQ(terms["dbName"], "prod:all");
  EXPECT_EQ(terms["username"], "ORG@AdobeOrg");
}

}  // namespace
}  // namespace emulator
