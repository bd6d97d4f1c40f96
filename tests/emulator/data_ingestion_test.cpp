#include <chrono>
#include <fstream>

#include "data_world.h"
#include "emulator/data/database.h"

namespace emulator {
namespace {

/// By value: a loop over a member of a temporary would outlive it.
Json entries_of(const Json& page) { return page["data"]; }

using namespace std::chrono_literals;

std::vector<Json> rows_of(DataWorld& world, const std::string& dataset) {
  return world.lines("/_emulator/datasets/" + dataset + "/rows");
}

TEST(DataIngestionTest, GoodRecordsArriveAsTheyWere) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const std::string first = DataWorld::record("a@x.io", {"A1", "A2"});
  const std::string id =
      world.ingest(dataset, {first + DataWorld::record("b@x.io", {}), DataWorld::record("c@x.io", {"A1"})},
                   {{"externalId", "run-1"}});
  const Json batch = world.settled(id);
  EXPECT_EQ(batch["status"], "success") << batch;
  EXPECT_EQ(batch["externalId"], "run-1");
  EXPECT_EQ(batch["recordCount"], 3);
  EXPECT_EQ(batch["failedRecordCount"], 0);
  EXPECT_EQ(batch["metrics"]["inputRecordCount"], 3);
  EXPECT_EQ(batch["metrics"]["inputFileCount"], 2);
  const auto rows = rows_of(world, dataset);
  ASSERT_EQ(rows.size(), 3U);
  std::map<std::string, Json> by_person;
  for (const Json& row : rows) by_person[row["personID"]] = row;
  EXPECT_EQ(by_person["a@x.io"]["_batch"], id);
  EXPECT_EQ(by_person["a@x.io"]["_created"], batch["created"]);
  Json plain = by_person["a@x.io"];
  plain.erase("_batch");
  plain.erase("_created");
  EXPECT_EQ(plain, Json::parse(first));
  EXPECT_EQ(by_person["b@x.io"]["_demoemea"]["audienceMembership"], Json::array());
  EXPECT_EQ(world.get("/data/foundation/catalog/dataSets/" + dataset)[dataset]["lastSuccessfulBatch"], id);
  EXPECT_EQ(world.get("/data/foundation/export/datasets/" + dataset + "/preview")["data"].size(), 3U);
}

TEST(DataIngestionTest, OneBadRecordFailsTheBatchAndIsNamed) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const std::string id =
      world.ingest(dataset, {DataWorld::record("a@x.io", {}) +
                             "{\"_id\":\"2\",\"personID\":7}\n{\"_id\":\"3\",\"personID\":\"\"}\n{broken\n" +
                             "{\"_id\":\"5\",\"personID\":\"e@x.io\",\"surprise\":1}\n{\"personID\":\"f@x.io\"}\n"});
  const Json batch = world.settled(id);
  EXPECT_EQ(batch["status"], "failure");
  EXPECT_EQ(batch["recordCount"], 0);
  EXPECT_EQ(batch["failedRecordCount"], 5);
  EXPECT_EQ(batch["errors"][0]["code"], "INGEST-1212-400");
  EXPECT_EQ(batch["errors"][0]["rows"], Json::array({"2-6"}));
  EXPECT_TRUE(rows_of(world, dataset).empty());

  const std::string base = "/data/foundation/export/batches/" + id;
  std::set<std::string> names;
  for (const Json& entry : entries_of(world.get(base + "/meta"))) names.insert(entry["name"]);
  EXPECT_EQ(names, (std::set<std::string>{"input_files", "row_errors", "row_errors_sample.json"}));
  names.clear();
  for (const Json& entry : entries_of(world.get(base + "/meta?path=row_errors"))) names.insert(entry["name"]);
  EXPECT_EQ(names, (std::set<std::string>{"conversion_errors_0.json", "parsing_errors_0.json"}));
  const auto parsing = world.lines(base + "/meta?path=row_errors%2Fparsing_errors_0.json");
  ASSERT_EQ(parsing.size(), 1U);
  EXPECT_EQ(parsing[0]["_corrupt_record"], "{broken");
  EXPECT_EQ(parsing[0]["_errors"][0]["code"], "1401");
  const auto converting = world.lines(base + "/meta?path=row_errors%2Fconversion_errors_0.json");
  ASSERT_EQ(converting.size(), 4U);
  EXPECT_EQ(converting[0]["_id"], "2");
  EXPECT_EQ(converting[1]["_errors"][0]["code"], "1555");
  EXPECT_EQ(world.lines(base + "/meta?path=input_files%2Finput_files_0.json")[0]["path"], "part0");
  names.clear();
  for (const Json& entry : entries_of(world.get(base + "/failed"))) names.insert(entry["name"]);
  EXPECT_EQ(names, (std::set<std::string>{"_SUCCESS", "part-00000-failed-c000.json"}));
  EXPECT_EQ(world.lines(base + "/failed?path=part-00000-failed-c000.json").size(), 5U);
  EXPECT_EQ(world.call("GET", base + "/meta?path=..%2F..%2Fuploads").status, 404);
}

TEST(DataIngestionTest, WithoutDiagnosticsNothingIsNamed) {
  DataWorld world;
  const std::string id =
      world.ingest(world.target_dataset(), {"{\"_id\":\"1\"}\n"}, {{"enableErrorDiagnostics", false}});
  const Json batch = world.settled(id);
  EXPECT_EQ(batch["status"], "failure");
  EXPECT_EQ(batch["errors"][0]["code"], "INGEST-1211-400");
  EXPECT_EQ(world.call("GET", "/data/foundation/export/batches/" + id + "/meta").status, 404);
  EXPECT_EQ(world.call("GET", "/data/foundation/export/batches/" + id + "/failed").status, 404);
}

struct RecordCase {
  std::string name;
  std::string tenant;  // value of _demoemea
  bool good;
};

class DataRecordTest : public testing::TestWithParam<RecordCase> {};

TEST_P(DataRecordTest, FollowsTheConversionTable) {
  DataWorld world({.profiles = 1, .audiences = 1, .seed = 1});
  const std::string dataset = world.target_dataset();
  const std::string id =
      world.ingest(dataset, {R"({"_id":"1","personID":"a@x.io","_demoemea":)" + GetParam().tenant + "}\n"});
  const Json batch = world.settled(id);
  EXPECT_EQ(batch["status"], GetParam().good ? "success" : "failure") << batch;
  EXPECT_EQ(rows_of(world, dataset).size(), GetParam().good ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DataRecordTest,
    testing::Values(RecordCase{"integer", R"({"audienceMembershipCount":3})", true},
                    RecordCase{"integer_as_text", R"({"audienceMembershipCount":"3"})", true},
                    RecordCase{"integer_as_word", R"({"audienceMembershipCount":"three"})", false},
                    RecordCase{"integer_with_fraction", R"({"audienceMembershipCount":3.5})", false},
                    RecordCase{"boolean", R"({"vip":true})", true},
                    RecordCase{"boolean_as_text", R"({"vip":"true"})", false},
                    RecordCase{"boolean_as_number", R"({"vip":1})", false},
                    RecordCase{"time_with_zone", R"({"changedAt":"2025-06-01T10:00:00.123+02:00"})", true},
                    RecordCase{"time_in_milliseconds", R"({"changedAt":1735700000000})", true},
                    RecordCase{"time_without_zone", R"({"changedAt":"2025-06-01T10:00:00"})", false},
                    RecordCase{"time_as_word", R"({"changedAt":"today"})", false},
                    RecordCase{"array_for_object", R"([])", false}, RecordCase{"null", "null", true},
                    RecordCase{"object_for_array", R"({"audienceMembership":{}})", false},
                    RecordCase{"unknown_in_item", R"({"audienceMembership":[{"id":"A1"}]})", false},
                    RecordCase{"number_for_text", R"({"audienceMembership":[{"audienceMembershipId":1}]})", false}),
    [](const auto& tested) { return tested.param.name; });

TEST(DataIngestionTest, PartialIngestionTakesTheGoodOnes) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const std::string three =
      DataWorld::record("a@x.io", {}) + DataWorld::record("b@x.io", {}) + DataWorld::record("c@x.io", {});
  const Json batch = world.settled(world.ingest(dataset, {three + "{}\n"}, {{"partialIngestionPercent", 25}}));
  EXPECT_EQ(batch["status"], "success");
  EXPECT_EQ(batch["recordCount"], 3);
  EXPECT_EQ(batch["failedRecordCount"], 1);
  EXPECT_EQ(rows_of(world, dataset).size(), 3U);
  EXPECT_EQ(world.settled(world.ingest(dataset, {three + "{}\n{}\n"}, {{"partialIngestionPercent", 25}}))["status"],
            "failure");
}

TEST(DataIngestionTest, AnEmptyBatchFails) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  EXPECT_EQ(world.settled(world.ingest(dataset, {}))["errors"][0]["code"], "106");
  EXPECT_EQ(world.settled(world.ingest(dataset, {""}))["errors"][0]["code"], "106");
  EXPECT_EQ(world.settled(world.ingest(dataset, {"\n\n"}))["errors"][0]["code"], "106");
}

TEST(DataIngestionTest, ParquetHasTypesOfItsOwn) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const Json parquet = {{"inputFormat", {{"format", "parquet"}}}, {"enableErrorDiagnostics", true}};
  const auto file_with = [&](const std::string& count) {
    const TemporaryFolder folder;
    {
      const Database database(folder.path() / "writer.duckdb");
      Connection(database).run(
          "COPY (SELECT 'i' AS _id, 'a@x.io' AS \"personID\", {'audienceMembershipCount': " + count +
          "} AS _demoemea) TO " + sql_text((folder.path() / "typed.parquet").string()) + " (FORMAT parquet)");
    }
    std::ifstream in(folder.path() / "typed.parquet", std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  };
  EXPECT_EQ(world.settled(world.ingest(dataset, {file_with("0::INTEGER")}, parquet))["status"], "success");
  const Json text = world.settled(world.ingest(dataset, {file_with("'0'")}, parquet));
  EXPECT_EQ(text["status"], "failure") << "a text is no number in Parquet";
  EXPECT_EQ(text["errors"][0]["rows"], Json::array({"1"}));
}

TEST(DataIngestionTest, ReadsArraysAndParquet) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const std::string array = "[" + DataWorld::record("a@x.io", {"A1"}) + ",\n" + DataWorld::record("b@x.io", {}) + "]";
  EXPECT_EQ(world.settled(world.ingest(
                dataset, {array}, {{"inputFormat", {{"format", "JSON"}, {"isMultiLineJson", true}}}}))["recordCount"],
            2);

  const TemporaryFolder folder;
  {
    const Database database(folder.path() / "writer.duckdb");
    Connection(database).run(
        "COPY (SELECT 'x'||i AS \"_id\", i||'@x.io' AS \"personID\", struct_pack(vip := true, \"changedAt\" := "
        "TIMESTAMP '2025-01-01 10:00:00') AS \"_demoemea\" FROM range(10) t(i)) TO " +
        sql_text((folder.path() / "upload.parquet").string()) + " (FORMAT parquet)");
  }
  std::ifstream in(folder.path() / "upload.parquet", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const Json parquet = {{"inputFormat", {{"format", "parquet"}}}};
  EXPECT_EQ(world.settled(world.ingest(dataset, {bytes}, parquet))["recordCount"], 10);
  EXPECT_EQ(world.settled(world.ingest(dataset, {"not parquet"}, parquet))["status"], "failure");
  EXPECT_EQ(rows_of(world, dataset).size(), 12U);
}

TEST(DataIngestionTest, ChecksUploads) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const auto made = world.call("POST", "/data/foundation/import/batches",
                               Json{{"datasetId", dataset}, {"inputFormat", {{"format", "json"}}}});
  const std::string id = Json::parse(made.body)["id"];
  const std::string file = "/data/foundation/import/batches/" + id + "/datasets/" + dataset + "/files/";
  const Headers bytes{{"content-type", "application/octet-stream"}};
  EXPECT_EQ(world.call("PUT", file + "a", "x", bytes).status, 201);
  EXPECT_EQ(world.call("PUT", file + "a", "xy", bytes).status, 200);
  EXPECT_EQ(world.call("HEAD", file + "a").headers.at("range"), "bytes=0-1");
  EXPECT_EQ(world.call("PUT", file + "a", "x", {{"content-type", "application/json"}}).status, 415);
  EXPECT_EQ(world.call("PUT", file + std::string(2000, 'a'), "x", bytes).status, 414);
  EXPECT_EQ(
      world.call("PUT", "/data/foundation/import/batches/none/datasets/" + dataset + "/files/a", "x", bytes).status,
      404);
  EXPECT_EQ(world.call("PUT", "/data/foundation/import/batches/" + id + "/datasets/other/files/a", "x", bytes).status,
            404);
  EXPECT_EQ(world.call("PATCH", file + "a", "x", bytes).status, 400);
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.upload_cap = 3;
  }
  EXPECT_EQ(world.call("PUT", file + "b", "four", bytes).status, 413);
  const Json post = {{"datasetId", dataset}, {"inputFormat", {{"format", "csv"}}}};
  EXPECT_EQ(world.call("POST", "/data/foundation/import/batches", post).status, 400);
  EXPECT_EQ(world
                .call("POST", "/data/foundation/import/batches",
                      Json{{"datasetId", "x"}, {"inputFormat", {{"format", "json"}}}})
                .status,
            400);
  EXPECT_EQ(world.call("POST", "/data/foundation/import/batches", Json{{"datasetId", 7}}).status, 400);
}

TEST(DataIngestionTest, LifeCycleFollowsTheClock) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.batch_delay = 1h;
  }
  const std::string id = world.ingest(dataset, {DataWorld::record("a@x.io", {})});
  const std::string act = "/data/foundation/import/batches/" + id + "?action=";
  EXPECT_EQ(world.batch(id)["status"], "loaded");
  EXPECT_EQ(world.call("POST", act + "COMPLETE").status, 200);
  world.platform->clock.advance(31min);
  world.wait_for([&] { return world.batch(id)["status"] == "processing"; }, "processing");
  EXPECT_TRUE(rows_of(world, dataset).empty());
  world.platform->clock.advance(30min);
  world.wait_for([&] { return world.batch(id)["status"] == "success"; }, "success");
  EXPECT_EQ(world.call("POST", act + "ABORT").status, 400);
  EXPECT_EQ(world.call("POST", act + "WISH").status, 400);
  EXPECT_EQ(world.call("POST", act + "REVERT").status, 200);
  EXPECT_EQ(world.batch(id)["status"], "inactive");
  EXPECT_TRUE(rows_of(world, dataset).empty());
  world.platform->clock.advance(61min);
  world.wait_for([&] { return world.batch(id)["status"] == "deleted"; }, "deleted");
  EXPECT_EQ(world.call("POST", act + "REVERT").status, 200);
  EXPECT_EQ(world.call("POST", act + "COMPLETE").status, 400);
}

TEST(DataIngestionTest, AbortedAndAbandonedBatchesTakeNoFiles) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const auto make = [&] {
    const Json body = {{"datasetId", dataset}, {"inputFormat", {{"format", "json"}}}};
    return Json::parse(world.call("POST", "/data/foundation/import/batches", body).body)["id"].get<std::string>();
  };
  const std::string aborted = make();
  const std::string abandoned = make();
  EXPECT_EQ(world.call("POST", "/data/foundation/import/batches/" + aborted + "?action=ABORT").status, 200);
  EXPECT_EQ(world.batch(aborted)["status"], "aborted");
  world.platform->clock.advance(25h);
  world.wait_for([&] { return world.batch(abandoned)["status"] == "abandoned"; }, "abandoned");
  for (const std::string& id : {aborted, abandoned}) {
    EXPECT_EQ(world
                  .call("PUT", "/data/foundation/import/batches/" + id + "/datasets/" + dataset + "/files/a", "x",
                        {{"content-type", "application/octet-stream"}})
                  .status,
              400);
    EXPECT_EQ(world.call("POST", "/data/foundation/import/batches/" + id + "?action=COMPLETE").status, 400);
  }
}

TEST(DataIngestionTest, ALoadedBatchIsIngestedAfterARestart) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.batch_delay = 1h;
  }
  const std::string id = world.ingest(dataset, {DataWorld::record("a@x.io", {})});
  world.restart();
  world.platform->clock.advance(2h);
  EXPECT_EQ(world.settled(id)["status"], "success");
  EXPECT_EQ(rows_of(world, dataset).size(), 1U);
}

TEST(DataIngestionTest, ReplayReplacesItsPredecessors) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const std::string old = world.ingest(dataset, {DataWorld::record("a@x.io", {})});
  world.settled(old);
  const std::string fresh = world.ingest(dataset, {DataWorld::record("b@x.io", {})},
                                         {{"replay", {{"predecessors", {"${" + old + "}"}}, {"reason", "replace"}}}});
  world.settled(fresh);
  EXPECT_EQ(world.batch(old)["status"], "inactive");
  const auto rows = rows_of(world, dataset);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["personID"], "b@x.io");
}

TEST(DataIngestionTest, ForcedResults) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  const std::string two = DataWorld::record("a@x.io", {}) + DataWorld::record("b@x.io", {});
  world.control("PUT", "/_emulator/ingestion", {{"next", "failed"}, {"rows", {2}}, {"times", 2}});
  for (int i = 0; i < 2; ++i) {
    const Json batch = world.settled(world.ingest(dataset, {two}));
    EXPECT_EQ(batch["status"], "failure");
    EXPECT_EQ(batch["errors"][0]["rows"], Json::array({"2"}));
  }
  world.control("PUT", "/_emulator/ingestion", {{"next", "failed"}, {"rows", {2}}, {"diagnostics", false}});
  EXPECT_EQ(world.settled(world.ingest(dataset, {two}))["errors"][0]["code"], "INGEST-1211-400");
  world.control("PUT", "/_emulator/ingestion", {{"next", "failed"}});
  EXPECT_EQ(world.settled(world.ingest(dataset, {two}))["errors"][0]["code"], "unknown");
  world.control("PUT", "/_emulator/ingestion", {{"next", "retrying"}});
  // By the clock, which only this test moves: a state that lasts a moment would be missed by whoever is held up.
  const auto delayed = [&](std::chrono::hours delay) {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.batch_delay = delay;
  };
  delayed(1h);
  const std::string retried = world.ingest(dataset, {two});
  world.platform->clock.advance(31min);
  world.wait_for([&] { return world.batch(retried)["status"] == "retrying"; }, "retrying");
  world.platform->clock.advance(2h);
  EXPECT_EQ(world.settled(retried)["status"], "success");
  delayed(0h);
  world.control("PUT", "/_emulator/ingestion", {{"next", "stuck"}});
  const std::string stuck = world.ingest(dataset, {two});
  world.wait_for([&] { return world.batch(stuck)["status"] == "processing"; }, "processing");
  EXPECT_EQ(world.call("POST", "/data/foundation/import/batches/" + stuck + "?action=ABORT").status, 200);

  world.control("PUT", "/_emulator/ingestion", {{"reject_person", {"b@x.io"}}});
  EXPECT_EQ(world.settled(world.ingest(dataset, {two}))["errors"][0]["rows"], Json::array({"2"}));
  EXPECT_EQ(world.settled(world.ingest(dataset, {DataWorld::record("a@x.io", {})}))["status"], "success");
  world.control("PUT", "/_emulator/ingestion", {{"reject_person", Json::array()}});
  EXPECT_EQ(world.settled(world.ingest(dataset, {two}))["status"], "success");
}

TEST(DataIngestionTest, ChecksEachOfManyRecords) {
  DataWorld world;
  const std::string dataset = world.target_dataset();
  std::string records;
  for (int i = 0; i < 5'000; ++i) records += DataWorld::record(std::to_string(i) + "@x.io", {"A1", "A2"});
  EXPECT_EQ(world.settled(world.ingest(dataset, {records}))["recordCount"], 5'000);
  records += "{\"_id\":1}\n";
  EXPECT_EQ(world.settled(world.ingest(dataset, {records}))["status"], "failure");
}

}  // namespace
}  // namespace emulator
