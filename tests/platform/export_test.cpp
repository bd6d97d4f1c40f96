#include <gmock/gmock.h>

#include "plugins/export/export_judgement.h"
#include "plugins/export/export_request.h"
#include "plugins/export/export_stage.h"
#include "plugins/export/union_path.h"
#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kAudiences =
    R"([{"id":"A1","name":"Gold","namespace":"ups","held":false,"expected":5},
        {"id":"A2","name":"Old","namespace":"ups","held":true,"expected":null},
        {"id":"A3","name":"Red","namespace":"ups","held":false,"expected":null}])";

TEST(ExportFilter, HasOneObjectForEachAudienceThatIsNotHeld) {
  const auto filter = export_filter(json_of(kAudiences), {"realized"});
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(to_json(*filter),
            R"({"emptyProfiles":false,"segments":[{"segmentId":"A1","segmentNs":"ups","status":["realized"]},)"
            R"({"segmentId":"A3","segmentNs":"ups","status":["realized"]}]})");
}

TEST(ExportFilter, IsNeverEmptyBecauseThatWouldBeEverybody) {
  EXPECT_FALSE(export_filter(json_of(R"([{"id":"A","held":true}])"), {"realized"}).ok());
  EXPECT_FALSE(export_filter(Value(), {"realized"}).ok());
}

TEST(ExportFilter, CanonicalFormsOfWhatThePlatformEchoesAreEqual) {
  const auto sent = json_of(R"({"emptyProfiles":false,"segments":[
    {"segmentId":"A1","segmentNs":"ups","status":["realized","existing"]},{"segmentId":"A3","segmentNs":"ups","status":["existing","realized"]}]})");
  const auto echoed =
      json_of(R"({"segments":[{"segmentId":"A3"},{"segmentId":"A1","segmentNs":"UPS","status":["existing","realized"]}],
    "fromIngestTimestamp":null})");
  EXPECT_EQ(canonical_filter(sent), canonical_filter(echoed));
  const auto other =
      json_of(R"({"segments":[{"segmentId":"A3"},{"segmentId":"A1"}],"fromIngestTimestamp":"2020-01-01T00:00:00Z"})");
  EXPECT_NE(canonical_filter(sent), canonical_filter(other));
}

platform::ExportJob job_of(std::string_view filter,
                           const char* fields = "_demo.core.email,segmentMembership,identityMap") {
  platform::ExportJob job;
  job.id = "7";
  job.dataset = "S";
  job.merge_policy = "mp";
  job.fields = fields;
  job.filter = json_of(filter);
  return job;
}

TEST(ExportCoverage, MoreAudiencesServeButFewerDoNot) {
  ExportRequest wanted{"S", export_fields("_demo.core.email"), "mp", json_of(R"({"segments":[{"segmentId":"A1"}]})")};
  EXPECT_TRUE(covers(job_of(R"({"segments":[{"segmentId":"A1"},{"segmentId":"A9"}]})"), wanted));
  EXPECT_FALSE(is_same_export(job_of(R"({"segments":[{"segmentId":"A1"},{"segmentId":"A9"}]})"), wanted));
  EXPECT_TRUE(is_same_export(
      job_of(R"({"segments":[{"segmentId":"A1"}]})", "identityMap, segmentMembership,_demo.core.email"), wanted));
  EXPECT_FALSE(covers(job_of(R"({"segments":[{"segmentId":"A9"}]})"), wanted));
  EXPECT_FALSE(covers(job_of(R"({"segments":[{"segmentId":"A1","status":["realized"]}]})"), wanted));
  EXPECT_FALSE(covers(job_of(R"({"segments":[{"segmentId":"A1"}],"fromIngestTimestamp":"x"})"), wanted));
  EXPECT_FALSE(covers(job_of(R"({"segments":[{"segmentId":"A1"}]})", "segmentMembership"), wanted));
  auto elsewhere = job_of(R"({"segments":[{"segmentId":"A1"}]})");
  elsewhere.merge_policy = "other";
  EXPECT_FALSE(covers(elsewhere, wanted));
}

const char* const kUnion =
    R"({"properties":{"personID":{"type":"string"},"identityMap":{"type":"object","additionalProperties":{}},
  "_demo":{"type":"object","properties":{"core":{"type":"object","properties":{"email":{"type":"string"},"emails":{"type":"array","items":{"type":"string"}},
  "age":{"type":"integer"}}}}}},"allOf":[{"properties":{"crm":{"type":"string"}}}]})";

struct PathCase {
  const char* name;
  const char* path;
  const char* problem;  // part of it, "" for none
};

class UnionPath : public testing::TestWithParam<PathCase> {};

TEST_P(UnionPath, IsCheckedBeforeTheJob) {
  const auto problem = path_problem(json_of(kUnion), GetParam().path);
  if (std::string_view(GetParam().problem).empty()) {
    EXPECT_FALSE(problem.has_value()) << *problem;
  } else {
    ASSERT_TRUE(problem.has_value());
    EXPECT_THAT(*problem, HasSubstr(GetParam().problem));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnionPath,
    testing::Values(
        PathCase{"right", "_demo.core.email", ""}, PathCase{"standard_field", "personID", ""},
        PathCase{"in_a_part", "crm", ""},
        PathCase{"misspelt_leaf", "_demo.core.emial",
                 "'_demo.core' exists in the profile union schema, but has no member 'emial'; nearest members: email"},
        PathCase{"misspelt_root", "_dem.core.email", "has no field '_dem'; nearest members: _demo"},
        PathCase{"beyond_a_leaf", "_demo.core.email.x", "'_demo.core.email' exists"},
        PathCase{"an_object", "_demo.core", "'_demo.core' is an object"},
        PathCase{"a_number", "_demo.core.age", "of type integer"},
        PathCase{"a_list", "_demo.core.emails", "is a list"}),
    [](const auto& tested) { return tested.param.name; });

TEST(UnionPathCheck, AnEmptyUnionSaysThatThereIsNothingToExport) {
  EXPECT_THAT(*path_problem(Value(), "a.b"), HasSubstr("nothing to export"));
}

ExportBatch export_batch(std::string_view body, const char* id = "B1") {
  return {id, platform::batch_from(id, json_of(body))};
}

platform::ExportJob succeeded(std::optional<std::uint64_t> profiles) {
  platform::ExportJob job;
  job.id = "7";
  job.status = platform::ExportStatus::Succeeded;
  job.profiles = profiles;
  return job;
}

TEST(ExportJudgement, CountsOfJobAndBatchMustAgree) {
  const auto judge = [](std::optional<std::uint64_t> profiles, std::string_view batch) {
    return judge_export(succeeded(profiles), {export_batch(batch)}, {});
  };
  EXPECT_EQ(judge(5, R"({"status":"success","recordCount":5})").verdict, ExportVerdict::Usable);
  EXPECT_EQ(judge(5, R"({"status":"success","recordCount":4})").verdict, ExportVerdict::Suspect);
  EXPECT_EQ(judge(5, R"({"status":"success","recordCount":5,"failedRecordCount":1})").verdict, ExportVerdict::Suspect);
  EXPECT_EQ(judge({}, R"({"status":"success","recordCount":4})").rows, 4U);
  EXPECT_EQ(judge(5, R"({"status":"staging"})").verdict, ExportVerdict::NotYet);
  EXPECT_EQ(judge(5, R"({"status":"failure"})").verdict, ExportVerdict::Useless);
  EXPECT_EQ(judge(5, R"({"status":"inactive"})").verdict, ExportVerdict::Useless);
}

TEST(ExportJudgement, NobodyIsSuspectWhereSomebodyIsExpected) {
  const auto empty = export_batch(R"({"status":"success","recordCount":0})");
  EXPECT_EQ(judge_export(succeeded(0), {empty}, {}).verdict, ExportVerdict::Usable);
  EXPECT_EQ(judge_export(succeeded(0), {empty}, {3, 0}).finding->code, "export-empty");
  EXPECT_EQ(judge_export(succeeded(0), {empty}, {0, 3}).finding->code, "export-empty");
  EXPECT_EQ(judge_export(succeeded(0), {}, {0, 3}).verdict, ExportVerdict::Suspect);
}

TEST(ExportJudgement, AConsolidationAcrossExportsIsNotRead) {
  ExportBatch own{"B1", platform::batch_from(
                            "C", json_of(R"({"status":"success","recordCount":9,"replay":{"predecessors":["B1"]}})"))};
  EXPECT_EQ(judge_export(succeeded(9), {own}, {}).verdict, ExportVerdict::Usable);
  ExportBatch mixed{"B1",
                    platform::batch_from(
                        "C", json_of(R"({"status":"success","recordCount":9,"replay":{"predecessors":["B1","B0"]}})"))};
  EXPECT_EQ(judge_export(succeeded(9), {mixed}, {}).verdict, ExportVerdict::Useless);
}

class ExportStageTest : public testing::Test {
 protected:
  ExportStageTest() {
    world.outputs.put("audiences", {{"audiences", json_of(kAudiences)}, {"merge_policy", Value("mp")}});
    world.client
        .on("GET "
            "/data/foundation/schemaregistry/tenant/unions/https%3A%2F%2Fns.adobe.com%2Fxdm%2Fcontext%2Fprofile__union",
            kUnion)
        .on("GET /data/foundation/catalog/dataSets", dataset("state-1"));
  }

  static std::string dataset(const char* state) {
    return fmt::format(R"({{"S":{{"name":"audiencesync export: luma","created":1,
      "schemaRef":{{"id":"https://ns.adobe.com/xdm/context/profile__union"}},
      "tags":{{"audiencesync":["uid:luma","role:export","state:{}"]}}}}}})",
                       state);
  }

  static std::string job(int id, std::int64_t created, const char* status, const char* batch) {
    return fmt::format(
        R"({{"id":{},"status":"{}","creationTime":{},"fields":"_demo.core.email,segmentMembership,identityMap",
      "mergePolicy":{{"id":"mp"}},"destination":{{"datasetId":"S","batchId":"{}"}},"metrics":{{"totalExportedProfileCounter":5}},
      "filter":{{"segments":[{{"segmentId":"A1","segmentNs":"ups","status":["existing","realized"]}},
      {{"segmentId":"A3","segmentNs":"ups","status":["existing","realized"]}}],"emptyProfiles":false}}}})",
        id, status, created, batch);
  }

  static std::string job_list(const std::vector<std::string>& all) {
    return fmt::format(R"({{"records":[{}],"link":{{"next":""}}}})", fmt::join(all, ","));
  }

  void jobs(const std::vector<std::string>& all) { world.client.on("GET /data/core/ups/export/jobs", job_list(all)); }

  Observed observe(std::optional<Time> not_before = {}) {
    auto context = world.read();
    ObserveRequest request;
    request.not_before = not_before;
    auto observed = stage->observe(request, context);
    EXPECT_TRUE(observed.ok()) << observed.error().text();
    return observed.ok() ? *observed : Observed();
  }

  static std::vector<std::string> names(const Observed& observed) {
    std::vector<std::string> keys;
    for (const auto& resource : observed.resources) keys.push_back(resource.key.name);
    return keys;
  }

  Change run_change() const {
    Change change;
    change.key = {"export", "job"};
    change.action = Action::Run;
    change.after["dataset"] = Value("S");
    change.after["audiences"] = json_of(kAudiences);
    change.after["merge_policy"] = Value("mp");
    change.after["fields"] = Value(export_fields("_demo.core.email"));
    change.after["statuses"] = json_of(R"(["realized","existing"])");
    return change;
  }

  const std::int64_t now = 1'700'000'000'000;
  FakeWorld world;
  std::unique_ptr<Stage> stage = export_stage().make();
};

TEST_F(ExportStageTest, UsesTheNewestExportThatIsWholeAndNamesTheOlderOnesAsSuperseded) {
  jobs({job(9, now - 1000, "PROCESSING", ""), job(8, now - 2000, "SUCCEEDED", "B8"),
        job(7, now - 9000, "SUCCEEDED", "B7")});
  world.client.on(
      "GET /data/foundation/catalog/batches",
      fmt::format(
          R"({{"B8":{{"status":"success","recordCount":5,"created":{}}},"B7":{{"status":"success","recordCount":5,"created":{}}}}})",
          now - 1900, now - 8000));
  const auto observed = observe();
  EXPECT_THAT(observed.findings, IsEmpty());
  EXPECT_THAT(names(observed), ElementsAre("staging", "job", "batch/B7"));
  EXPECT_EQ(to_json(observed.outputs.at("batches")), R"(["B8"])");
  EXPECT_EQ(observed.outputs.at("profiles"), Value(5));
  EXPECT_EQ(observed.outputs.at("created"), Value(now - 2000));
}

TEST_F(ExportStageTest, ABatchThatAnOpenChangeReadsIsNotSuperseded) {
  jobs({job(8, now - 2000, "SUCCEEDED", "B8")});
  world.client.on(
      "GET /data/foundation/catalog/batches",
      fmt::format(
          R"({{"B8":{{"status":"success","recordCount":5,"created":{}}},"B7":{{"status":"success","recordCount":5,"created":{}}}}})",
          now - 1900, now - 8000));
  ChangeRecord open;
  open.change.bulk = Bulk();
  open.change.bulk->source = "B6,B7";
  world.records.open.push_back(open);
  EXPECT_THAT(names(observe()), ElementsAre("staging", "job"));
}

TEST_F(ExportStageTest, ARefreshWantsAnExportOfItsOwn) {
  jobs({job(8, now - 2000, "SUCCEEDED", "B8")});
  world.client.on("GET /data/foundation/catalog/batches", R"({"B8":{"status":"success","recordCount":5}})");
  EXPECT_THAT(names(observe(from_epoch_ms(now - 1000))), ElementsAre("staging"));
}

TEST_F(ExportStageTest, APartialExportIsRefusedAndNotReplacedByAnOlderOne) {
  jobs({job(8, now - 2000, "SUCCEEDED", "B8"), job(7, now - 9000, "SUCCEEDED", "B7")});
  world.client.on("GET /data/foundation/catalog/batches",
                  R"({"B8":{"status":"success","recordCount":3},"B7":{"status":"success","recordCount":5}})");
  const auto observed = observe();
  EXPECT_THAT(codes_of(observed.findings, Severity::Refuse), ElementsAre("export-partial"));
  EXPECT_FALSE(observed.outputs.contains("batches"));
}

TEST_F(ExportStageTest, AStagingDatasetOfAnotherStateFolderIsRefused) {
  world.client.on("GET /data/foundation/catalog/dataSets", dataset("state-2"));
  EXPECT_THAT(codes_of(observe().findings, Severity::Refuse), ElementsAre("staging-foreign"));
}

TEST_F(ExportStageTest, AWrongIdentityFieldIsFoundBeforeAnyJob) {
  world.manifest.identity.field = "_demo.core.mail";
  const auto observed = observe();
  EXPECT_THAT(text_of(observed.findings, "identity-field"),
              AllOf(HasSubstr("luma.yaml"), HasSubstr("nearest members: email")));
  EXPECT_EQ(world.client.count("GET /data/core/ups/export/jobs"), 0U);
}

TEST_F(ExportStageTest, AJobWhoseAnswerWasLostIsAdopted) {
  world.client.on("POST /data/core/ups/export/jobs", {{0, ""}});
  jobs({job(8, now + 10, "PROCESSING", "")});
  world.client.on("GET /data/core/ups/export/jobs/8",
                  {{200, job(8, now + 10, "PROCESSING", "")}, {200, job(8, now + 10, "SUCCEEDED", "B8")}});
  world.client.on("GET /data/foundation/catalog/batches/B8",
                  {{404, ""}, {200, R"({"B8":{"status":"staging"}})"}, {200, R"({"B8":{"status":"success"}})"}});
  auto context = world.write();
  const auto applied = stage->apply(run_change(), context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->proof.version, "8");
  EXPECT_EQ(world.client.count("POST"), 1U);
}

TEST_F(ExportStageTest, AJobOfAnEarlierRunIsNotAdopted) {
  const auto earlier = job(7, now - 5, "SUCCEEDED", "B7");
  world.client.on("GET /data/core/ups/export/jobs",
                  {{200, job_list({earlier})}, {200, job_list({job(8, now, "SUCCEEDED", "B8"), earlier})}});
  world.client.on("POST /data/core/ups/export/jobs", job(8, now, "NEW", ""));
  world.client.on("GET /data/core/ups/export/jobs/8", job(8, now, "SUCCEEDED", "B8"));
  world.client.on("GET /data/foundation/catalog/batches/B8", R"({"B8":{"status":"success"}})");
  auto context = world.write();
  context.interrupted = {"job"};
  const auto applied = stage->apply(run_change(), context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->proof.version, "8");
  EXPECT_EQ(world.client.count("POST"), 1U);
}

TEST_F(ExportStageTest, AStagingDatasetThatNoListShowsIsFoundByItsId) {
  world.client.on("GET /data/foundation/catalog/dataSets", "{}");
  world.client.on("GET /data/foundation/catalog/dataSets/S", dataset("state-1"));
  jobs({});
  world.client.on("GET /data/foundation/catalog/batches", "{}");
  EXPECT_THAT(names(observe()), ElementsAre());
  world.records.kept["staging"] = "S";
  const auto observed = observe();
  EXPECT_THAT(names(observed), ElementsAre("staging"));
  EXPECT_EQ(observed.remember.at("staging"), Value("S"));
}

TEST_F(ExportStageTest, AJobThatTheListDoesNotShowYetIsWaitedFor) {
  world.client.on("GET /data/core/ups/export/jobs",
                  {{200, job_list({})}, {200, job_list({})}, {200, job_list({job(8, now, "SUCCEEDED", "B8")})}});
  world.client.on("POST /data/core/ups/export/jobs", job(8, now, "NEW", ""));
  world.client.on("GET /data/core/ups/export/jobs/8", job(8, now, "SUCCEEDED", "B8"));
  world.client.on("GET /data/foundation/catalog/batches/B8", R"({"B8":{"status":"success"}})");
  auto context = world.write();
  const auto applied = stage->apply(run_change(), context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(world.client.count("GET /data/core/ups/export/jobs?"), 3U);
}

TEST_F(ExportStageTest, AFailedJobGivesThePlatformsReasons) {
  world.client.on("POST /data/core/ups/export/jobs", job(8, now, "NEW", ""));
  world.client.on("GET /data/core/ups/export/jobs/8",
                  R"({"id":8,"status":"FAILED","errors":[{"code":"0100000003","msg":"Error in Export Job"}]})");
  auto context = world.write();
  const auto applied = stage->apply(run_change(), context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_THAT(applied.error().text(), HasSubstr("0100000003: Error in Export Job"));
}

TEST_F(ExportStageTest, AStuckJobIsCancelledAtTheDeadlineAndLeftBehindNextTime) {
  world.client.on("POST /data/core/ups/export/jobs", job(8, now, "NEW", ""));
  world.client.on("GET /data/core/ups/export/jobs/8", job(8, now, "PROCESSING", ""));
  world.client.on("DELETE /data/core/ups/export/jobs/8", "");
  auto context = world.write();
  auto applied = stage->apply(run_change(), context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Timeout);
  applied = stage->apply(run_change(), context);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), ErrorCode::Rejected);
  EXPECT_EQ(world.client.count("DELETE"), 1U);
}

TEST_F(ExportStageTest, ARefusedRevertIsOnlyNoted) {
  world.client.on("GET /data/foundation/catalog/batches/B7",
                  R"({"B7":{"status":"success","relatedObjects":[{"type":"dataSet","id":"S"}]}})");
  world.client.on("POST /data/foundation/import/batches/B7?action=REVERT", {{400, ""}});
  Change change;
  change.key = {"export", "batch/B7"};
  change.action = Action::Delete;
  change.after["batch"] = Value("B7");
  change.after["dataset"] = Value("S");
  auto context = world.write();
  const auto applied = stage->apply(change, context);
  EXPECT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_THAT(world.events.names, ElementsAre("export.batch_kept"));
}

TEST_F(ExportStageTest, ABatchOutsideOurStagingDatasetIsNeverReverted) {
  world.client.on("GET /data/foundation/catalog/batches/B7",
                  R"({"B7":{"status":"success","relatedObjects":[{"type":"dataSet","id":"OTHER"}]}})");
  Change change;
  change.key = {"export", "batch/B7"};
  change.action = Action::Delete;
  change.after["batch"] = Value("B7");
  change.after["dataset"] = Value("S");
  auto context = world.write();
  EXPECT_FALSE(stage->apply(change, context).ok());
  EXPECT_EQ(world.client.count("POST"), 0U);
}

TEST_F(ExportStageTest, AStagingDatasetWhoseAnswerWasLostIsAdoptedOldestFirst) {
  world.client.on("POST /data/foundation/catalog/dataSets", {{0, ""}});
  Change change;
  change.key = {"export", "staging"};
  auto context = world.write();
  const auto applied = stage->apply(change, context);
  ASSERT_TRUE(applied.ok()) << applied.error().text();
  EXPECT_EQ(applied->outputs.at("dataset"), Value("S"));
  EXPECT_EQ(world.client.count("POST"), 1U);
}

TEST(ProfileSnapshots, AreTheSystemsOwnAndOfTheMergePolicy) {
  FakeClient client;
  client.on("GET /data/foundation/catalog/dataSets", R"({
    "old":{"name":"Profile-Snapshot-Export-1","created":1,"classification":{"managedBy":"SYSTEM"},"tags":{"unifiedProfile":["mergePolicyId:mp"]}},
    "new":{"name":"Profile-Snapshot-Export-2","created":2,"classification":{"managedBy":"SYSTEM"},"tags":{"unifiedProfile":["enabled:true","mergePolicyId: mp"]}},
    "other":{"name":"Profile-Snapshot-Export-3","created":3,"classification":{"managedBy":"SYSTEM"},"tags":{"unifiedProfile":["mergePolicyId:mp2"]}},
    "ours":{"name":"Profile-Snapshot-Export-4","created":4,"classification":{"managedBy":"CUSTOMER"},"tags":{"unifiedProfile":["mergePolicyId:mp"]}},
    "bare":{"name":"Profile-Snapshot-Export-5","created":5}})");
  const auto found = platform::profile_snapshots_of(client, "mp");
  ASSERT_TRUE(found.ok()) << found.error().text();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->front().id, "old");
  EXPECT_EQ(found->back().id, "new");
}

}  // namespace
}  // namespace audiencesync
