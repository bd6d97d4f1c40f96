#include <algorithm>
#include <chrono>
#include <fstream>

#include "data_world.h"
#include "emulator/data/database.h"
#include "emulator/organization/merge_policies.h"

namespace emulator {
namespace {

/// By value: a loop over a member of a temporary would outlive it.
Json data_of(const Json& page) { return page["data"]; }

constexpr const char* kFields = "_demoemea.identification.core.email,segmentMembership,identityMap";

/// All rows of a batch as data access hands them out: listed, downloaded, read by DuckDB.
std::vector<Json> downloaded(DataWorld& world, const std::string& batch, std::size_t* parts = nullptr) {
  const TemporaryFolder folder;
  std::vector<Json> rows;
  const Json files = world.get("/data/foundation/export/batches/" + batch + "/files");
  for (const Json& file : files["data"]) {
    const std::string id = file["dataSetFileId"];
    for (const Json& part : data_of(world.get("/data/foundation/export/files/" + id))) {
      const std::string name = part["name"];
      const Response bytes = world.call("GET", "/data/foundation/export/files/" + id + "?path=" + name);
      EXPECT_EQ(bytes.status, 200);
      const std::string content = DataWorld::content(bytes);
      EXPECT_EQ(std::to_string(content.size()), part["length"]);
      std::ofstream(folder.path() / name, std::ios::binary) << content;
      if (parts != nullptr) ++*parts;
    }
  }
  if (files["data"].empty()) return rows;
  const Database database(folder.path() / "reader.duckdb");
  Connection(database).each_text(
      "SELECT to_json(r)::VARCHAR FROM read_parquet(" + sql_text((folder.path() / "*.parquet").string()) + ") r",
      [&](std::string_view row) { rows.push_back(Json::parse(row)); });
  return rows;
}

std::set<std::string> people_in(const std::vector<Json>& rows, const std::string& audience) {
  std::set<std::string> people;
  for (const Json& row : rows) {
    const Json membership = row["segmentMembership"].value("ups", Json::object()).value(audience, Json::object());
    const std::string status = membership.value("status", "");
    if (status == "realized" || status == "existing")
      people.insert(row["_demoemea"]["identification"]["core"]["email"]);
  }
  return people;
}

TEST(DataExportTest, FilesHoldExactlyTheTruth) {
  DataWorld world;
  const auto audiences = world.audiences();
  const std::vector<std::string> wanted{audiences[0], audiences[2]};
  const Json job = world.exported(world.union_dataset(), wanted, kFields);
  ASSERT_EQ(job["status"], "SUCCEEDED") << job;
  std::size_t parts = 0;
  const auto rows = downloaded(world, job["destination"]["batchId"], &parts);
  EXPECT_GE(parts, 2U);
  EXPECT_EQ(rows.size(), job["metrics"]["totalExportedProfileCounter"]);
  EXPECT_EQ(rows.size(), world.batch(job["destination"]["batchId"])["recordCount"]);
  for (const std::string& audience : wanted) EXPECT_EQ(people_in(rows, audience), world.truth(audience));
  std::set<std::string> either = world.truth(wanted[0]);
  either.merge(world.truth(wanted[1]));
  EXPECT_EQ(rows.size(), either.size());

  const Json& row = rows.front();
  EXPECT_EQ(row.size(), 3U);
  EXPECT_EQ(row["_demoemea"].dump().find("ecid"), std::string::npos);
  EXPECT_EQ(row["identityMap"]["Email"][0]["id"], row["_demoemea"]["identification"]["core"]["email"]);
}

TEST(DataExportTest, WithoutAFilterEveryoneIsExported) {
  DataWorld world;
  const Json job = world.exported(world.union_dataset(), {}, "");
  EXPECT_EQ(job["metrics"]["totalExportedProfileCounter"], 500);
  const auto rows = downloaded(world, job["destination"]["batchId"]);
  EXPECT_EQ(rows.size(), 500U);
  EXPECT_TRUE(rows.front()["person"]["name"].contains("firstName"));
}

TEST(DataExportTest, OfRepeatedKeysTheLastIsExported) {
  DataWorld world;
  const auto audiences = world.audiences();
  const std::string body =
      R"({"fields":"_demoemea.identification.core.email,segmentMembership","filter":{"segments":[{"segmentId":")" +
      audiences[0] + R"(","segmentId":")" + audiences[1] + R"("}]},"destination":{"datasetId":")" +
      world.union_dataset() + R"("},"schema":{"name":"_xdm.context.profile"}})";
  const Response made = world.call("POST", "/data/core/ups/export/jobs", body, {{"content-type", "application/json"}});
  ASSERT_EQ(made.status, 200);
  const Json job = world.finished_export(Json::parse(made.body));
  EXPECT_EQ(job["metrics"]["totalExportedProfileCounter"], world.truth(audiences[1]).size());
}

TEST(DataExportTest, OneBatchForEachSegmentWhenAsked) {
  DataWorld world;
  const auto audiences = world.audiences();
  Json body = {{"fields", kFields},
               {"filter", {{"segments", Json::array({{{"segmentId", audiences[0]}}, {{"segmentId", audiences[1]}}})}}},
               {"destination", {{"datasetId", world.union_dataset()}, {"segmentPerBatch", true}}},
               {"schema", {{"name", "_xdm.context.profile"}}}};
  const Json job = world.finished_export(Json::parse(world.call("POST", "/data/core/ups/export/jobs", body).body));
  ASSERT_EQ(job["destination"]["batches"].size(), 2U) << job;
  for (const Json& one : job["destination"]["batches"]) {
    world.wait_for([&] { return world.batch(one["batchId"])["status"] == "success"; }, "the batch");
    EXPECT_EQ(downloaded(world, one["batchId"]).size(), world.truth(one["segmentId"]).size());
  }
}

TEST(DataExportTest, AnUnknownFieldBreaksTheBatchNotTheJob) {
  DataWorld world;
  const Json job = world.exported(world.union_dataset(), {world.audiences()[0]},
                                  "_demoemea.identification.core.emial,segmentMembership");
  EXPECT_EQ(job["status"], "SUCCEEDED");
  EXPECT_EQ(world.batch(job["destination"]["batchId"])["status"], "failure");
}

TEST(DataExportTest, AnUnknownSegmentFailsTheJob) {
  DataWorld world;
  const Json job = world.exported(world.union_dataset(), {"00000000-1111-4222-8333-000000000000"}, kFields);
  EXPECT_EQ(job["status"], "FAILED");
  EXPECT_EQ(job["destination"]["batchId"], "");
}

TEST(DataExportTest, TakesItsTime) {
  DataWorld world;
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.export_delay = std::chrono::hours(1);
    world.platform->settings.export_visibility = std::chrono::hours(1);
  }
  const Json job = world.start_export(world.union_dataset(), {world.audiences()[0]}, kFields);
  const std::string path = "/data/core/ups/export/jobs/" + job["id"].dump();
  EXPECT_EQ(world.get(path)["status"], "NEW");
  world.platform->clock.advance(std::chrono::minutes(30));
  world.wait_for([&] { return world.get(path)["status"] == "PROCESSING"; }, "PROCESSING");
  world.wait_for([&] { return !world.get(path)["destination"].value("batchId", "").empty(); }, "the batch id");
  const std::string batch = world.get(path)["destination"]["batchId"];
  EXPECT_EQ(world.batch(batch)["status"], "staging");
  world.platform->clock.advance(std::chrono::minutes(31));
  world.wait_for([&] { return world.get(path)["status"] == "SUCCEEDED"; }, "SUCCEEDED");
  EXPECT_EQ(world.batch(batch)["status"], "staging");
  EXPECT_TRUE(world.get("/data/foundation/export/batches/" + batch + "/files")["data"].empty());
  world.platform->clock.advance(std::chrono::minutes(61));
  world.wait_for([&] { return world.batch(batch)["status"] == "success"; }, "success");
  EXPECT_FALSE(downloaded(world, batch).empty());
}

TEST(DataExportTest, GoesOnAfterARestart) {
  DataWorld world;
  const std::string dataset = world.union_dataset();
  {
    const auto lock = world.platform->objects.lock();
    world.platform->settings.export_delay = std::chrono::hours(1);
  }
  const Json fresh = world.start_export(dataset, {world.audiences()[0]}, kFields);
  world.platform->clock.advance(std::chrono::minutes(30));
  world.wait_for(
      [&] { return world.get("/data/core/ups/export/jobs/" + fresh["id"].dump())["status"] == "PROCESSING"; },
      "PROCESSING");
  world.restart();
  world.platform->clock.advance(std::chrono::hours(2));
  const Json job = world.finished_export(fresh);
  EXPECT_EQ(job["status"], "SUCCEEDED");
  EXPECT_EQ(downloaded(world, job["destination"]["batchId"]).size(), world.truth(world.audiences()[0]).size());
}

TEST(DataExportTest, ForcedResults) {
  DataWorld world;
  const std::string dataset = world.union_dataset();
  const std::string audience = world.audiences()[0];
  const auto size = world.truth(audience).size();
  const auto next = [&](const std::string& result) {
    world.control("PUT", "/_emulator/exports", {{"next", result}});
    return world.exported(dataset, {audience}, kFields);
  };
  EXPECT_EQ(next("FAILED")["status"], "FAILED");
  const Json zero = next("zero_rows");
  EXPECT_EQ(zero["metrics"]["totalExportedProfileCounter"], 0);
  EXPECT_EQ(world.batch(zero["destination"]["batchId"])["status"], "success");
  EXPECT_TRUE(downloaded(world, zero["destination"]["batchId"]).empty());
  const Json failed = next("batch_failed");
  EXPECT_EQ(failed["status"], "SUCCEEDED");
  EXPECT_EQ(world.batch(failed["destination"]["batchId"])["status"], "failure");
  const Json partial = next("partial");
  EXPECT_EQ(partial["metrics"]["totalExportedProfileCounter"], size);
  EXPECT_LT(downloaded(world, partial["destination"]["batchId"]).size(), size);
  EXPECT_GT(downloaded(world, partial["destination"]["batchId"]).size(), 0U);
  EXPECT_EQ(downloaded(world, world.exported(dataset, {audience}, kFields)["destination"]["batchId"]).size(), size);
}

TEST(DataExportTest, CancellingAStuckJobDropsItsBatch) {
  DataWorld world;
  world.control("PUT", "/_emulator/exports", {{"next", "stuck"}});
  const Json job = world.start_export(world.union_dataset(), {world.audiences()[0]}, kFields);
  const std::string path = "/data/core/ups/export/jobs/" + job["id"].dump();
  world.wait_for([&] { return world.get(path)["status"] == "PROCESSING"; }, "PROCESSING");
  EXPECT_EQ(world.call("DELETE", path).status, 200);
  EXPECT_EQ(world.get(path)["status"], "CANCELLED");
  EXPECT_EQ(world.batch(world.get(path)["destination"]["batchId"])["status"], "aborted");
}

TEST(DataExportTest, ListsNewestFirstByOpaqueOffset) {
  DataWorld world;
  const std::string dataset = world.union_dataset();
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(world.start_export(dataset, {world.audiences()[0]}, kFields)["id"].dump());
  std::vector<std::string> listed;
  std::string path = "/data/core/ups/export/jobs?limit=2";
  for (int pages = 0; pages < 5 && !path.empty(); ++pages) {
    const Json page = world.get(path);
    for (const Json& record : page["records"]) listed.push_back(record["id"].dump());
    const std::string next = page["link"]["next"];
    path = next.empty() ? "" : "/data/core/ups" + next;
  }
  std::reverse(made.begin(), made.end());
  EXPECT_EQ(listed, made);
  EXPECT_EQ(world.call("GET", "/data/core/ups/export/jobs?status=PROCESSING").status, 400);
}

TEST(DataExportTest, RefusesBadJobs) {
  DataWorld world;
  const std::string dataset = world.union_dataset();
  const Json good = {{"destination", {{"datasetId", dataset}}}, {"schema", {{"name", "_xdm.context.profile"}}}};
  const auto refused = [&](const Json& change) {
    Json body = good;
    body.merge_patch(change);
    return world.call("POST", "/data/core/ups/export/jobs", body).status;
  };
  EXPECT_EQ(refused({{"schema", {{"name", "other"}}}}), 400);
  EXPECT_EQ(refused({{"destination", {{"datasetId", "none"}}}}), 400);
  EXPECT_EQ(refused({{"destination", {{"datasetId", world.target_dataset()}}}}), 400);
  EXPECT_EQ(refused({{"destination", "x"}}), 400);
  EXPECT_EQ(refused({{"filter", {{"segments", {{"segmentId", "x"}}}}}}), 400);
  EXPECT_EQ(refused({{"filter", {{"segments", Json::array({{{"segmentId", "x"}, {"status", {"entered"}}}})}}}}), 400);
  EXPECT_EQ(world.call("GET", "/data/core/ups/export/jobs/1").status, 404);
}

/// The platform's own dataset of the default merge policy.
std::string snapshot_dataset(DataWorld& world) {
  std::string policy;
  {
    const auto lock = world.platform->objects.lock();
    for (const auto& [id, each] : world.platform->objects.all("merge_policy"))
      if (each["default"] == true) policy = id;
  }
  const Json found = world.get("/data/foundation/catalog/dataSets?property=name~Profile-Snapshot-Export.*&limit=100");
  for (const auto& [id, dataset] : found.items()) {
    EXPECT_EQ(dataset["classification"]["managedBy"], "SYSTEM");
    if (dataset["tags"]["unifiedProfile"] == Json::array({"mergePolicyId:" + policy})) return id;
  }
  return {};
}

std::vector<std::string> live_batches(DataWorld& world, const std::string& dataset) {
  std::vector<std::string> ids;
  const Json all = world.get("/data/foundation/catalog/batches?dataSet=" + dataset + "&status=success&limit=100");
  for (const auto& [id, batch] : all.items()) ids.push_back(id);
  return ids;
}

void know_merge_policies(DataWorld& world) {
  seed_merge_policies(*world.platform);
  world.restart();
}

TEST(ProfileSnapshotTest, IsWrittenOnceADayWithEverybodyAsTheyAreThen) {
  DataWorld world;
  know_merge_policies(world);
  const std::string dataset = snapshot_dataset(world);
  ASSERT_FALSE(dataset.empty());
  EXPECT_TRUE(live_batches(world, dataset).empty());
  world.platform->clock.advance(std::chrono::hours(25));
  world.wait_for([&] { return live_batches(world, dataset).size() == 1; }, "the first day");
  const std::string first = live_batches(world, dataset)[0];
  const auto rows = downloaded(world, first);
  EXPECT_EQ(rows.size(), 500U);
  for (const std::string& audience : world.audiences()) EXPECT_EQ(people_in(rows, audience), world.truth(audience));

  // A day later another one; the day before stays, the one before that goes. It survives a restart.
  world.restart();
  EXPECT_EQ(snapshot_dataset(world), dataset);
  world.platform->clock.advance(std::chrono::hours(49));  // the clock of this world starts anew, the due time does not
  world.wait_for([&] { return live_batches(world, dataset).size() == 2; }, "the second day");
  world.platform->clock.advance(std::chrono::hours(24));
  world.wait_for([&] { return world.batch(first)["status"] == "deleted"; }, "the first batch to go");
  EXPECT_EQ(live_batches(world, dataset).size(), 2U);
}

TEST(ProfileSnapshotTest, BelongsToTheSystem) {
  DataWorld world;
  know_merge_policies(world);
  const std::string path = "/data/foundation/catalog/dataSets/" + snapshot_dataset(world);
  EXPECT_EQ(world.call("PATCH", path, Json{{"name", "mine"}}, {{"content-type", "application/json"}}).status, 403);
  EXPECT_EQ(world.call("DELETE", path).status, 403);
}

}  // namespace
}  // namespace emulator
