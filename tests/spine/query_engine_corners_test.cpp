// Engine query-service where something is in its way: strange batches, bad people, queries that end badly, a token that
// ends, another engine before or after.
#include <signal.h>

#include <future>

#include "engine/base/json.h"
#include "tests/spine/analytics_bench.h"
#include "tests/spine/query_engine_worlds.h"

namespace audiencesync::testing {
namespace {

class QueryCorners : public QueryEngine {
 protected:
  /// One batch that this sync did not write, as another tool would.
  std::string ingest_by_hand(const std::string& dataset, const std::string& line) {
    const auto batch = emulator
                           .api("POST", "/data/foundation/import/batches",
                                fmt::format(R"({{"datasetId":"{}","inputFormat":{{"format":"json"}}}})", dataset))
                           .text("id");
    const auto path = "/data/foundation/import/batches/" + batch;
    emulator.api("PUT", fmt::format("{}/datasets/{}/files/a.json", path, dataset), line);
    emulator.api("POST", path + "?action=COMPLETE");
    std::string status;
    while (status != "success" && status != "failed") status = emulator.batches(dataset).at(batch).text("status");
    EXPECT_EQ(status, "success") << to_json(emulator.batches(dataset).at(batch));
    emulator.clear_calls();
    return batch;
  }
  void take_back(const std::string& batch) {
    emulator.api("POST", "/data/foundation/import/batches/" + batch + "?action=REVERT");
  }
  std::string staging() { return emulator.datasets_tagged("role:export").at(0); }
  std::size_t live_batches(const std::string& dataset) {
    std::size_t live = 0;
    for (const auto& [id, batch] : emulator.batches(dataset)) live += batch.text("status") == "success" ? 1 : 0;
    return live;
  }
  std::string approval() {
    const auto said = told(world.plan());
    const auto at = said.find("audiencesync approve ");
    EXPECT_NE(at, std::string::npos) << said;
    return at == std::string::npos ? "" : said.substr(at + 21, 16);
  }
  void approve() {
    const auto approved =
        world.run({"approve", approval(), "--reason", "wanted", "--config", emulator.config().string()});
    ASSERT_EQ(approved.code, kOk) << approved.out << approved.err;
  }

  std::vector<Value> queries() { return queries_posted_by_syncs(world); }
  std::size_t queries_in(const std::string& state) {
    const auto all = queries();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const Value& query) { return query.text("state") == state; }));
  }
  static bool is_pending(const Value& query) {
    return query.text("state") == "SUBMITTED" || query.text("state") == "IN_PROGRESS";
  }
  /// The one that has not ended; waits until there is one.
  std::string running_query() {
    while (true) {
      for (const auto& query : queries())
        if (is_pending(query)) return query.text("id");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  /// Queries take as long as the test wants them to.
  void hold_queries() { emulator.settings(R"({"query_delay":"20m"})"); }
  /// Time passes only for a query that waits for it, and no longer than it does: what else is kept for a while must not
  /// end meanwhile.
  void let_time_pass() {
    for (const auto& query : queries())
      if (is_pending(query) && waited_.insert(query.text("id") + query.text("state")).second) pass("15m");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  void let_queries_end(std::future<ProcessResult>& run) {
    while (run.wait_for(std::chrono::seconds(0)) != std::future_status::ready) let_time_pass();
  }
  std::future<ProcessResult> start_apply() {
    return std::async(std::launch::async, [this] { return world.apply(); });
  }

 private:
  std::set<std::string> waited_;  // query and state
};

TEST_F(QueryCorners, BatchesBesideTheExportAreNamedAndTheWayOutIsOne) {
  begin();
  change();
  world.extra.clear();  // the local engine has an export made and compares nothing on the platform
  expect_told(world.plan({"--fresh"}), kOk, {"memberships are known after the export"});
  world.extra = kEngine;
  const auto first = staging();
  const auto foreign = ingest_by_hand(first, fmt::format(R"({{"_id":"1","{}":{{}}}})", emulator.tenant()));
  for (const auto& result : {world.plan(), world.apply({"--no-refresh"})}) {
    expect_told(result, kRefused, {"holds 1 batch beside the export (" + foreign + ")", "delete the dataset"});
  }
  EXPECT_EQ(queries_posted(), 0U) << "what is not only the export is not read";
  emulator.api("DELETE", "/data/foundation/catalog/dataSets/" + first);
  begin();
  EXPECT_NE(staging(), first);
  expect_truth();
}

TEST_F(QueryCorners, AnOlderExportThatCouldNotBeTakenBackIsNamed) {
  begin();
  emulator.settings(R"({"deny":[{"method":"POST","path":"/data/foundation/import/batches/*"}]})");
  change();
  const auto refused = world.apply();
  EXPECT_EQ(refused.code, kRefused) << told(refused);
  EXPECT_NE(told(refused).find("beside the export"), std::string::npos) << told(refused);
  emulator.settings(R"({"deny":[]})");
  begin();
  expect_truth();
}

TEST_F(QueryCorners, OneExportMoreThanOurOwnIsTakenBackByTheNextApply) {
  begin();
  const auto dataset = staging();
  pass("1m");
  emulator.api(
      "POST", "/data/core/ups/export/jobs",
      fmt::format(R"({{"fields":"{0}","mergePolicy":{{"id":"{1}"}},"filter":{{"segments":[{{"segmentId":"{2}",)"
                  R"("segmentNs":"ups","status":["realized"]}}]}},"destination":{{"datasetId":"{3}",)"
                  R"("segmentPerBatch":false}},"schema":{{"name":"_xdm.context.profile"}}}})",
                  emulator.identity_field(),
                  emulator.api("GET", "/data/core/ups/config/mergePolicies").items("children").at(0).text("id"),
                  emulator.audiences().front().id, dataset));
  while (live_batches(dataset) < 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  change();
  begin();
  expect_truth();
  EXPECT_EQ(live_batches(dataset), 1U);
}

TEST_F(QueryCorners, ABatchDeletedBehindOurBackIsSeenAndEveryoneIsWrittenAgain) {
  begin();
  for (const auto& [id, batch] : emulator.batches(world.target())) take_back(id);
  pass("2m");
  expect_told(world.apply(), kOk, {"is no longer in dataset"});
  expect_truth();
  expect_told(world.plan(), kOk, {"nothing to do"});
}

TEST_F(QueryCorners, ABatchOfAnotherWriterIsRefused) {
  begin();
  const auto foreign =
      ingest_by_hand(world.target(), fmt::format(R"({{"_id":"x","personID":"x@x.io","{}":{{"audienceMembership":[],)"
                                                 R"("audienceMembershipCount":0,"audienceSyncGeneration":1}}}})",
                                                 emulator.tenant()));
  change();
  expect_told(world.apply(), kRefused, {"batch " + foreign, "was not written by this sync"});
  EXPECT_EQ(queries_posted(), 0U);
  take_back(foreign);
  begin();
  expect_truth();
}

TEST_F(QueryCorners, ADueFullGenerationWritesEveryoneAndEndsTheOlderBatches) {
  begin();
  change();
  begin();
  ASSERT_EQ(live_batches(world.target()), 2U);
  pass("8d");
  expect_told(world.apply(), kOk, {"everyone is written again: the last full generation is"});
  expect_truth();
  pass("4h");
  begin();
  expect_truth();
  EXPECT_EQ(live_batches(world.target()), 1U) << "the older ones end when analysts have the new one";
  expect_told(world.plan(), kOk, {"nothing to do"});
}

TEST_F(QueryCorners, AnEmptiedAudienceIsHeldUntilItIsApproved) {
  begin();
  world.guard = "guard: { min_people: 1, max_removals: 100%, max_audience_shrink: 100% }";
  emulator.control("POST", "/_emulator/audiences",
                   fmt::format(R"({{"do":"empty","id":"{}"}})", emulator.audiences().front().id));
  pass("2m");
  expect_told(world.apply(), kRefused, {"allow_empty_audience"});
  approve();
  begin();
  expect_truth();
}

TEST_F(QueryCorners, RowsThatNameNobodyAreCountedAndTooManyStopTheRunBeforeAnythingIsRemoved) {
  begin();
  change();
  const auto in = fmt::format(R"("memberships":{{"{}":"realized"}})", emulator.audiences().front().id);
  for (const auto* person : {"null", R"("")"})
    emulator.control("POST", "/_emulator/profiles", fmt::format(R"({{"person_id":{},{}}})", person, in));
  emulator.control("POST", "/_emulator/profiles",
                   fmt::format(R"({{"person_id":"{}",{}}})", std::string(1025, 'x'), in));
  world.guard = "guard: { min_people: 1, max_bad_rows: 2, max_removals: 100%, allow_empty_audience: true }";
  expect_told(world.apply(), kRefused,
              {"2 without a person id, 1 with one longer than 1024 bytes", "more than guard.max_bad_rows (2) allows"});
  EXPECT_EQ(live_batches(world.target()), 1U);
  world.guard =
      "guard: { min_people: 1, max_bad_rows: 3, max_removals: 100%, max_audience_growth: 9000%, "
      "allow_empty_audience: true }";
  expect_told(world.apply(), kOk, {"3 of"});
}

TEST_F(QueryCorners, APlanInAFileIsAppliedAsItIs) {
  begin();
  change();
  const auto file = (world.folder() / "plan.json").string();
  const auto planned = world.plan({"--fresh", "--format", "json", "--out", file});
  ASSERT_EQ(planned.code, kOk) << planned.out << planned.err;
  const auto config = emulator.config().string();
  const auto applied = world.run({"apply", "--plan", file, "--config", config, world.manifest().string()});
  EXPECT_EQ(applied.code, kOk) << applied.out << applied.err;
  expect_truth();
  const auto again = world.run({"apply", "--plan", file, "--config", config, world.manifest().string()});
  EXPECT_NE(again.code, kFailed) << again.out << again.err;
}

TEST_F(QueryCorners, PeopleInQuarantineAndForgottenOnesAreRefusedWithAWayOut) {
  world.extra.clear();
  const auto person = *emulator.truth(emulator.audiences().front().id).begin();
  emulator.control("PUT", "/_emulator/ingestion", fmt::format(R"({{"reject_person":["{}"]}})", person));
  world.guard = "guard: { max_bad_rows: 100%, allow_empty_audience: true }";
  begin();
  emulator.control("PUT", "/_emulator/ingestion", R"({"reject_person":[]})");
  world.extra = kEngine;
  pass("2m");
  const auto refused = world.apply();
  EXPECT_NE(refused.code, kOk);
  EXPECT_NE(told(refused).find("1 person is in quarantine"), std::string::npos) << told(refused);
  EXPECT_EQ(told(refused).find(person), std::string::npos) << "a person id is printed";
  const auto replay = world.run({"quarantine", "replay", world.name, "--config", emulator.config().string()});
  ASSERT_EQ(replay.code, kOk) << replay.out << replay.err;
  begin();
  expect_truth();
  const auto forgotten = world.seamed_forget({person}, "count");
  EXPECT_NE(told(forgotten).find("engine: local"), std::string::npos) << forgotten.code << told(forgotten);
}

TEST_F(QueryCorners, WhatOneEngineBeganTheOtherFinishes) {
  begin();
  change();
  hold_queries();
  auto run = start_apply();
  const auto query = running_query();
  emulator.api("PATCH", "/data/foundation/query/queries/" + query, R"({"op":"cancel"})");
  let_queries_end(run);
  const auto ended = run.get();
  EXPECT_EQ(ended.code, kFailed) << told(ended);
  EXPECT_NE(told(ended).find("which compares the memberships, is KILLED"), std::string::npos) << told(ended);
  emulator.settings(R"({"query_delay":"0s"})");
  world.extra.clear();
  begin();
  expect_truth();
}

TEST_F(QueryCorners, AQueryThatRunsWhenTheProcessDiesIsFoundByTheNextOne) {
  hold_queries();
  write_file(world.manifest(), world.manifest_text());
  for (const std::size_t before : {0U, 1U, 2U}) {  // the question for the licence, the comparison, the write
    const auto pid = start_process({AUDIENCESYNC_BIN_DIR "/audiencesync", "apply", "--auto-approve", "--config",
                                    emulator.config().string(), world.manifest().string()},
                                   {}, world.folder() / "killed.out", world.folder() / "killed.err");
    while (queries().size() == before) {
      if (before > 0) {
        let_time_pass();
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    }
    kill(pid, SIGKILL);
    wait_process(pid);
  }
  auto run = start_apply();
  let_queries_end(run);
  const auto result = run.get();
  EXPECT_EQ(result.code, kOk) << told(result);
  EXPECT_EQ(queries().size(), 3U) << "each query ran once";
  expect_truth();
}

TEST_F(QueryCorners, ATokenThatEndsWhileAQueryRunsIsReplaced) {
  begin();
  change();
  emulator.settings(R"({"query_delay":"30h"})");
  auto run = start_apply();
  running_query();
  emulator.settings(R"({"query_delay":"0s"})");
  pass("31h");
  const auto result = run.get();
  EXPECT_EQ(result.code, kOk) << told(result);
  expect_truth();
}

TEST_F(QueryCorners, AWriteThatWasStoppedIsRepeatedAndOneThatGoesOnFailingIsSaidWithItsReason) {
  begin();
  change();
  hold_queries();
  auto run = start_apply();
  running_query();
  while (queries_in("SUCCESS") < 4) let_time_pass();  // the comparison; what follows is the write
  emulator.api("PATCH", "/data/foundation/query/queries/" + running_query(), R"({"op":"cancel"})");
  let_queries_end(run);
  const auto result = run.get();
  EXPECT_EQ(result.code, kOk) << told(result);
  EXPECT_EQ(queries_in("KILLED"), 1U);
  expect_truth();
  EXPECT_EQ(live_batches(world.target()), 2U) << "nothing is written twice";
}

TEST_F(QueryCorners, NamesOfAudiencesArriveWhateverIsInThem) {
  const std::vector<std::string> names{"It's \\ \"big\" `x`", "${env:HOME} $$ $1 {x}", "line\none\ttab",
                                       "\xf0\x9f\x98\x80 -- /* ; %_"};
  world.declared.clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto id = emulator.audiences()[i].id;
    world.declared.push_back({id, ""});  // the name is the platform's
    emulator.control("POST", "/_emulator/audiences",
                     to_json(Value::Object{{"do", "rename"}, {"id", id}, {"name", names[i]}}));
  }
  begin();
  const auto labels = labels_by_audience(emulator, world.target());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(labels.at(world.declared[i].id), std::set<std::string>{names[i]});
  }
  pass("2m");
  expect_told(world.apply(), kOk, {"nothing to do"});
}

TEST_F(QueryCorners, AnotherDatasetWithTheTargetsNameIsNoTrouble) {
  const auto made = emulator.api(
      "POST", "/data/foundation/catalog/dataSets",
      fmt::format(R"({{"name":"audiencesync membership: {}","schemaRef":{{"id":"https://ns.adobe.com/xdm/context/)"
                  R"(profile__union","contentType":"application/vnd.adobe.xed+json;version=1"}}}})",
                  world.uid));
  begin();
  expect_truth();
  change();
  begin();
  expect_truth();
}

// Whatever a query is said to have ended with: the catalog knows what it wrote, and nothing is written twice.
TEST_F(QueryCorners, AWriteThatIsSaidToHaveEndedButIsThereIsNotRepeated) {
  begin();
  std::size_t batches = 1;
  for (const std::string state : {"KILLED", "FAILED"}) {
    change(static_cast<int>(++batches));
    ASSERT_EQ(world.plan({"--fresh"}).code, kOk);
    // The comparison is there, so the next query that is asked for is the write.
    emulator.faults(fmt::format(
        R"([{{"method":"GET","path":"/data/foundation/query/queries/*","times":1,"action":{{"status":200,"body":)"
        R"({{"id":"x","state":"{}","errors":[{{"code":"22000","message":"row 5: wrong"}}]}}}}}}])",
        state));
    const auto applied = world.apply({"--no-refresh"});
    emulator.faults("[]");
    if (state == "FAILED") {
      expect_told(applied, kFailed, {"is FAILED: 22000: row 5: wrong", "engine: local"});
    }
    if (applied.code != kOk) begin();
    expect_truth();
    EXPECT_EQ(live_batches(world.target()), batches) << state << ": " << told(applied);
  }
}

TEST(QueryReports, ComparesWhatAnalystsSeeWithWhatWasCounted) {
  AnalyticsBench bench{
      Emulator::Options{.profiles = 200, .audiences = 3, .events = 3000, .query = Emulator::Options::Query::Listens}};
  be_patient(bench.world);
  bench.world.extra += "engine: query-service\n";
  bench.settle();
  EXPECT_TRUE(state_of(bench.plan(), "report").starts_with("pending until"));
  bench.emulator.control("PUT", "/_emulator/clock", R"({"advance":"91m"})");
  EXPECT_TRUE(state_of(bench.plan(), "report").starts_with("verified ")) << state_of(bench.plan(), "report");
}

}  // namespace
}  // namespace audiencesync::testing
