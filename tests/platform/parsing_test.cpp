#include <gmock/gmock.h>

#include "plugins/platform/batch.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/call.h"
#include "plugins/platform/datasets.h"
#include "plugins/platform/export_jobs.h"
#include "plugins/platform/queries.h"
#include "plugins/platform/redact.h"
#include "plugins/platform/rejected_rows.h"
#include "plugins/platform/schema_registry.h"
#include "plugins/platform/segment_jobs.h"
#include "tests/platform/fake_client.h"

namespace audiencesync::platform {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(BatchParsing, TakesTheCountsFromEverySpelling) {
  EXPECT_EQ(
      batch_from("b", json_of(R"({"metrics":{"outputRecordCount":7,"failedRecordCount":1},"recordCount":9})")).records,
      7U);
  EXPECT_EQ(batch_from("b", json_of(R"({"recordCount":"9"})")).records, 9U);
  EXPECT_EQ(batch_from("b", json_of(R"({"metrics":{"recordsWritten":4,"recordsFailed":"2"}})")).records, 4U);
  EXPECT_EQ(batch_from("b", json_of(R"({"metrics":{"recordsFailed":"2"},"failedRecordCount":0})")).failed_records, 2U);
  EXPECT_FALSE(batch_from("b", json_of("{}")).records.has_value());
}

struct StatusCase {
  const char* status;
  bool live;
  bool failed;
  bool terminal;
};

class BatchStatus : public testing::TestWithParam<StatusCase> {};

TEST_P(BatchStatus, IsUnderstood) {
  Value value;
  value["status"] = GetParam().status;
  const auto batch = batch_from("b", value);
  EXPECT_EQ(is_live(batch), GetParam().live);
  EXPECT_EQ(is_failed(batch), GetParam().failed);
  EXPECT_EQ(is_terminal(batch), GetParam().terminal);
}

INSTANTIATE_TEST_SUITE_P(
    All, BatchStatus,
    testing::Values(StatusCase{"loading", false, false, false}, StatusCase{"loaded", false, false, false},
                    StatusCase{"queued", false, false, false}, StatusCase{"processing", false, false, false},
                    StatusCase{"staging", false, false, false}, StatusCase{"staged", false, false, false},
                    StatusCase{"retrying", false, false, false}, StatusCase{"stalled", false, false, false},
                    StatusCase{"active", true, false, true}, StatusCase{"success", true, false, true},
                    StatusCase{"SUCCESS", true, false, true}, StatusCase{"failed", false, true, true},
                    StatusCase{"failure", false, true, true}, StatusCase{"aborted", false, true, true},
                    StatusCase{"abandoned", false, true, true}, StatusCase{"inactive", false, false, true},
                    StatusCase{"deleted", false, false, true}, StatusCase{"never_seen", false, false, false}),
    [](const auto& tested) { return std::string(tested.param.status); });

TEST(BatchParsing, ReadsDatasetSuccessorAndErrors) {
  const auto batch = batch_from("b", json_of(R"({"status":"inactive","externalId":"e","created":"1700000000000",
    "relatedObjects":[{"type":"batch","id":"x"},{"type":"dataSet","id":"D"}],"tags":{"acp_successor":["c"],"one":"1"},
    "replay":{"predecessors":["${p1}","$p2"]},
    "errors":[{"code":"INGEST-1212-400","description":"value 'ann@example.org' is wrong","rows":["1-3","9"]}]})"));
  EXPECT_EQ(batch.dataset, "D");
  EXPECT_EQ(batch.successor, "c");
  EXPECT_EQ(batch.created, from_epoch_ms(1'700'000'000'000));
  EXPECT_THAT(batch.tag("one"), ElementsAre("1"));
  EXPECT_THAT(batch.predecessors, ElementsAre("p1", "p2"));
  EXPECT_THAT(batch.errors.at(0).rows, ElementsAre("1-3", "9"));
  EXPECT_THAT(reasons_of(batch), HasSubstr("INGEST-1212-400"));
  EXPECT_THAT(reasons_of(batch), Not(HasSubstr("ann@")));
}

TEST(Times, AreReadInEveryUnit) {
  const auto expected = from_epoch_ms(1'700'000'000'000);
  for (const auto* text :
       {"1700000000", "1700000000000", "1700000000000000", "\"1700000000000\"", "\"2023-11-14T22:13:20Z\""}) {
    const auto value = json_of(text);
    EXPECT_EQ(time_of(&value), expected) << text;
  }
  const auto nothing = json_of("\"soon\"");
  EXPECT_FALSE(time_of(&nothing).has_value());
}

TEST(ExportJobParsing, AcceptsNumbersTextsAndBothShapesOfBatches) {
  auto job = export_job_from(json_of(R"({"id":11037,"status":"SUCCEEDED","creationTime":1700000000000,"fields":"a,b",
    "mergePolicy":{"id":"mp","version":1},"destination":{"datasetId":"D","batchId":"B"},
    "metrics":{"totalExportedProfileCounter":"12"}})"));
  EXPECT_EQ(job.id, "11037");
  EXPECT_EQ(job.status, ExportStatus::Succeeded);
  EXPECT_THAT(job.batches, ElementsAre("B"));
  EXPECT_EQ(job.profiles, 12U);

  job = export_job_from(json_of(R"({"id":"7","status":"PROCESSING","destination":{"dataSetId":"D","batchId":"",
    "batches":[{"segmentId":"s","batchId":"B1"},{"segmentId":"t","batchId":"B2"}]}})"));
  EXPECT_EQ(job.dataset, "D");
  EXPECT_THAT(job.batches, ElementsAre("B1", "B2"));

  job = export_job_from(json_of(R"({"status":"CANCELLED","destination":{"batches":{"batchId":"B3"}},
    "errors":[{"code":"0100000003","msg":"Error in Export Job"}]})"));
  EXPECT_EQ(job.status, ExportStatus::Other);
  EXPECT_THAT(job.batches, ElementsAre("B3"));
  EXPECT_EQ(job.reasons, "0100000003: Error in Export Job");
}

TEST(Datasets, GiveTheIdOutOfAReference) {
  for (const auto* body : {R"(["@/dataSets/5ba9"])", R"(["@/datasets/5ba9"])", R"("@/dataSets/5ba9")"}) {
    FakeClient client;
    client.on("POST /data/foundation/catalog/dataSets", {{201, body}});
    const auto id = create_dataset(client, {});
    ASSERT_TRUE(id.ok()) << id.error().text();
    EXPECT_EQ(*id, "5ba9");
  }
}

TEST(Datasets, AnAnswerWithoutAnIdIsAnUnknownOutcome) {
  FakeClient client;
  client.on("POST /data/foundation/catalog/dataSets", {{201, "[]"}});
  const auto id = create_dataset(client, {});
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code(), ErrorCode::Unknown);
}

TEST(Datasets, ProfileTagsAreSeenWithAndWithoutABlank) {
  EXPECT_TRUE(is_profile_enabled(dataset_from("d", json_of(R"({"tags":{"unifiedProfile":["enabled: true"]}})"))));
  EXPECT_TRUE(is_profile_enabled(dataset_from("d", json_of(R"({"tags":{"unifiedProfile":["enabled:true","x"]}})"))));
  EXPECT_FALSE(is_profile_enabled(dataset_from("d", json_of(R"({"tags":{"unifiedProfile":["mergePolicyId:1"]}})"))));
}

TEST(Batches, ALookupThatIgnoresTheExternalIdFindsNobodyElsesBatch) {
  FakeClient client;
  client.on("GET /data/foundation/catalog/batches", R"({"b1":{"externalId":"other"},"b2":{"externalId":"mine"}})");
  const auto found = batches_with_external_id(client, "mine");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().id, "b2");
}

TEST(Batches, SuccessorsAreFollowedToTheirEndButNotInACircle) {
  FakeClient client;
  client
      .on("GET /data/foundation/catalog/batches/b2", R"({"b2":{"status":"inactive","tags":{"acp_successor":["b3"]}}})")
      .on("GET /data/foundation/catalog/batches/b3", R"({"b3":{"status":"success"}})");
  auto first = batch_from("b1", json_of(R"({"status":"inactive","tags":{"acp_successor":["b2"]}})"));
  auto holder = current_holder(client, first);
  ASSERT_TRUE(holder.ok());
  EXPECT_EQ(holder->id, "b3");

  client.on("GET /data/foundation/catalog/batches/b3",
            R"({"b3":{"status":"inactive","tags":{"acp_successor":["b1"]}}})");
  holder = current_holder(client, first);
  ASSERT_FALSE(holder.ok());
  EXPECT_EQ(holder.error().code(), ErrorCode::Corrupt);
}

TEST(Ingestion, SaysHowOftenEachCallMayBeRepeated) {
  FakeClient client;
  client.on("POST /data/foundation/import/batches", {{201, R"({"id":"b","status":"loading"})"}})
      .on("POST /data/foundation/import/batches/b?action=COMPLETE", "");
  const auto batch =
      create_batch(client, {.dataset = "D", .external_id = "ext", .tags = {{"audiencesync", {"run:1"}}}});
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->dataset, "D");
  EXPECT_TRUE(complete_batch(client, "b").ok());
  EXPECT_EQ(client.requests[0].repeat, http::Repeat::Once);
  EXPECT_EQ(client.requests[1].repeat, http::Repeat::Repeatable);
  EXPECT_THAT(client.bodies[0], HasSubstr(R"("partialIngestionPercent":0)"));
  EXPECT_THAT(client.bodies[0], HasSubstr(R"("isMultiLineJson":false)"));
}

TEST(Links, AreKeptToPathAndQuery) {
  const auto request = rerooted("https://platform.adobe.io:443/data/x%20y?path=a%2Fb.json&limit=2#top");
  EXPECT_EQ(request.path, "/data/x%20y");
  ASSERT_EQ(request.query.size(), 2U);
  EXPECT_EQ(request.query[0].second, "a/b.json");
}

TEST(Redaction, RemovesWhatMayIdentifyAPerson) {
  EXPECT_EQ(redacted("field 'personID' of ann@example.org failed"), "field 'personID' of *** failed");
  EXPECT_EQ(redacted("call +49301234567 now"), "call *** now");
  EXPECT_EQ(redacted("code 1401 in row 12"), "code 1401 in row 12");
  EXPECT_EQ(redacted("id c0ffee254729296a45a3885639ac7e10f9d54979"), "id ***");
  EXPECT_EQ(redacted("value Ann is bad", {"Ann"}), "value *** is bad");
}

TEST(RejectedRows, ComeOutOfADiagnosticsLine) {
  auto row = rejected_row_from(
      R"({"personID":"ann@example.org","_id":"x1","_errors":[{"code":"1401","message":"ann@example.org is no number"}],"_filename":"f0"})");
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->person, PersonId("ann@example.org"));
  EXPECT_EQ(row->code, "1401");
  EXPECT_EQ(row->message, "*** is no number");

  row = rejected_row_from(
      R"({"_corrupt_record":"{\"personID\":\"bob\",","_errors":[{"code":1401,"message":"bob broken"}]})");
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->person, PersonId("bob"));
  EXPECT_EQ(row->message, "*** broken");

  EXPECT_TRUE(rejected_row_from(R"({"personID":"c","_validationErrors":[{"message":"no"}]})").has_value());
  EXPECT_FALSE(rejected_row_from(R"({"personID":"c"})").has_value());
  EXPECT_FALSE(rejected_row_from("not json").has_value());
}

TEST(RejectedRows, RangesAreCountedOut) {
  EXPECT_THAT(row_numbers("1-3", 10), ElementsAre(1U, 2U, 3U));
  EXPECT_THAT(row_numbers("5", 10), ElementsAre(5U));
  EXPECT_THAT(row_numbers("1-1000000000", 2), ElementsAre(1U, 2U));
  EXPECT_TRUE(row_numbers("many", 10).empty());
}

TEST(RejectedRows, AreReadFromTheFolderOfErrorsAndElseFromTheBatch) {
  FakeClient client;
  const std::string base = "GET /data/foundation/export/batches/b/";
  client.on(base + "meta", R"({"data":[{"name":"row_errors","length":"0"},{"name":"input_files","length":"0"}]})")
      .on(base + "meta?path=row_errors", R"({"data":[{"name":"parsing_errors_0.json","length":"9"}]})")
      .on(base + "meta?path=row_errors/parsing_errors_0.json",
          "{\"personID\":\"p1\",\"_errors\":[{\"code\":\"1401\"}]}\n{\"personID\":\"p2\",\"_errors\":[{\"code\":"
          "\"1401\"}]}\n");
  auto batch =
      batch_from("b", json_of(R"({"status":"failed","errors":[{"code":"E","description":"bad","rows":["2"]}]})"));
  auto rows = rejected_rows(client, batch, 10);
  ASSERT_TRUE(rows.ok()) << rows.error().text();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(rows->back().person, PersonId("p2"));

  client.on(base + "meta", {{404, ""}}).on(base + "failed", {{404, ""}});
  rows = rejected_rows(client, batch, 10);
  ASSERT_TRUE(rows.ok()) << rows.error().text();
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().row, 2U);
}

TEST(Descriptors, AreReadFlatAndGrouped) {
  for (
      const auto* body :
      {R"({"results":[{"@id":"i","@type":"xdm:descriptorIdentity","xdm:sourceSchema":"S","xdm:sourceProperty":"/personID","xdm:namespace":"Email","xdm:isPrimary":true}]})",
       R"({"xdm:descriptorIdentity":[{"@id":"i","@type":"xdm:descriptorIdentity","xdm:sourceSchema":"S","xdm:sourceProperty":"/personID","xdm:namespace":"Email","xdm:isPrimary":true}]})"}) {
    FakeClient client;
    client.on("GET /data/foundation/schemaregistry/tenant/descriptors", body);
    const auto found = identity_descriptors(client, "S");
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), 1U);
    EXPECT_TRUE(found->front().primary);
    EXPECT_EQ(client.requests[0].headers.at("accept"), "application/vnd.adobe.xdm-v2+json");
  }
}

TEST(Registry, ListsWithoutAndLooksUpWithAVersion) {
  FakeClient client;
  client
      .on("GET /data/foundation/schemaregistry/tenant/schemas",
          R"({"results":[{"$id":"S","title":"T"},{"$id":"S2","title":"T2"}],"_page":{"next":null}})")
      .on("GET /data/foundation/schemaregistry/tenant/schemas/https%3A%2F%2Fx%2Fs", {{404, ""}});
  const auto listed = registry_titled(client, RegistryKind::Schemas, "T");
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->size(), 1U);
  EXPECT_THAT(client.requests[0].headers.at("accept"), Not(HasSubstr("version")));
  const auto one = registry_get(client, RegistryKind::Schemas, "https://x/s");
  ASSERT_TRUE(one.ok());
  EXPECT_TRUE(one->is_null());
  EXPECT_THAT(client.requests[1].headers.at("accept"), HasSubstr("version=1"));
}

TEST(Registry, TenantIdComesFromAnObjectOrAnArray) {
  for (const auto* body : {R"({"tenantId":"demo"})", R"([{"tenantId":"demo"}])"}) {
    FakeClient client;
    client.on("GET /data/foundation/schemaregistry/stats", body);
    const auto tenant = tenant_id(client);
    ASSERT_TRUE(tenant.ok());
    EXPECT_EQ(*tenant, "demo");
  }
}

TEST(SegmentJobs, TheNewestSucceededOneCounts) {
  FakeClient client;
  client.on("GET /data/core/ups/segment/jobs", R"({"children":[
    {"id":"1","status":"SUCCEEDED","updateTime":1700000000000,"metrics":{"segmentedProfileCounter":{"A":1}}},
    {"id":"2","status":"SUCCEEDED","updateTime":1700000005000,"metrics":{"segmentedProfileCounter":{"A":"5"}}},
    {"id":"3","status":"FAILED","updateTime":1700000009000,"metrics":{"segmentedProfileCounter":{"A":0}}}]})");
  const auto latest = latest_evaluation(client);
  ASSERT_TRUE(latest.ok());
  ASSERT_TRUE(latest->has_value());
  EXPECT_EQ((*latest)->people.at("A"), 5U);
}

TEST(Queries, ARefusalForWantOfTheLicenceIsKnownInSeveralWords) {
  for (const auto* reasons :
       {"42501: nope", "batch queries need the Data Distiller entitlement", "No LICENSE for this",
        "compute hours used up", "CTAS is not enabled for this organization", "0A000: INSERT INTO is not supported"})
    EXPECT_TRUE(denies_batch_queries(reasons)) << reasons;
  for (const auto* reasons : {"42P01: there is no table", "0A000: PIVOT is not supported", "session limit reached", ""})
    EXPECT_FALSE(denies_batch_queries(reasons)) << reasons;
  EXPECT_NE(no_batch_queries("x").text().find("engine: local"), std::string::npos);
}

}  // namespace
}  // namespace audiencesync::platform
