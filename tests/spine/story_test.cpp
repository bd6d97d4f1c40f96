// What an operator lives through after the first apply: other writers, rejected people, things that vanish, renames,
// take-overs. Each story is told through the real program and judged by what stands on the platform afterwards.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include <chrono>
#include <sstream>
#include <thread>

#include "engine/base/json.h"
#include "tests/spine/told.h"
#include "tests/support/http_client.h"

namespace audiencesync::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr int kOk = 0;
constexpr int kRefused = 4;

class StoryTest : public ::testing::Test {
 protected:
  /// Applies with the program that has no rate limit: the same one, only faster.
  void converge() {
    const auto result = world.seamed_apply("count");
    ASSERT_EQ(result.code, kOk) << result.out << result.err;
    ASSERT_EQ(world.difference(), "");
    emulator.clear_calls();
  }

  void audience(const std::string& id, const std::string& action, const std::string& more = "") {
    emulator.control("POST", "/_emulator/audiences", fmt::format(R"({{"do":"{}","id":"{}"{}}})", action, id, more));
  }

  /// Ids of the live batches of the target, oldest first.
  std::vector<std::string> live_batches(const std::string& dataset) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const auto& [id, batch] : emulator.batches(dataset)) {
      if (batch.text("status") == "success") found.emplace_back(batch.number("created").value_or(0), id);
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> ids;
    for (const auto& [created, id] : found) ids.push_back(id);
    return ids;
  }

  std::string rows(const std::string& dataset) {
    std::istringstream lines(emulator.control_text("GET", "/_emulator/datasets/" + dataset + "/rows"));
    std::multiset<std::string> sorted;
    for (std::string line; std::getline(lines, line);) sorted.insert(line);
    return fmt::format("{}", fmt::join(sorted, "\n"));
  }

  /// What somebody else's tool does: one batch with one record, by hand.
  std::string ingest_by_hand(const std::string& dataset, const std::string& tags) {
    const auto batch =
        emulator
            .api("POST", "/data/foundation/import/batches",
                 fmt::format(R"({{"datasetId":"{}","inputFormat":{{"format":"json"}},"tags":{{{}}}}})", dataset, tags))
            .text("id");
    const auto form = fmt::format("grant_type=client_credentials&client_id={}&client_secret={}&scope=openid",
                                  emulator.ready().text("client_id"), emulator.ready().text("client_secret"));
    const auto token = parse_json(http_call("POST", emulator.url() + "/ims/token/v3", form,
                                            {"Content-Type: application/x-www-form-urlencoded"})
                                      .body)
                           .value()
                           .text("access_token");
    const auto put = http_call(
        "PUT",
        fmt::format("{}/data/foundation/import/batches/{}/datasets/{}/files/a.json", emulator.url(), batch, dataset),
        fmt::format(R"({{"_id":"by-hand","personID":"by.hand@x.io","{}":{{"audienceMembership":[],)"
                    R"("audienceMembershipCount":0,"audienceSyncGeneration":1}}}})",
                    emulator.tenant()),
        {"Content-Type: application/octet-stream", "Authorization: Bearer " + token,
         "x-api-key: " + emulator.ready().text("client_id"),
         "x-gw-ims-org-id: " + emulator.ready().text("organization"), "x-sandbox-name: prod"});
    EXPECT_LT(put.status, 300) << put.body;
    emulator.api("POST", fmt::format("/data/foundation/import/batches/{}?action=COMPLETE", batch));
    std::string status;
    for (int look = 0; look < 1000 && status != "success"; ++look) {
      status = emulator.batches(dataset).at(batch).text("status");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(status, "success");
    emulator.clear_calls();
    return batch;
  }

  std::string new_dataset(const std::string& name, const std::string& schema, const std::string& tags) {
    const auto answer = emulator.api(
        "POST", "/data/foundation/catalog/dataSets",
        fmt::format(
            R"({{"name":"{}","schemaRef":{{"id":"{}","contentType":"application/vnd.adobe.xed+json;version=1"}},)"
            R"("tags":{{{}}}}})",
            name, schema, tags));
    const auto reference = *answer.array_if()->front().string_if();
    emulator.clear_calls();
    return reference.substr(reference.rfind('/') + 1);
  }

  Value dataset(const std::string& id) {
    const auto answer = emulator.api("GET", "/data/foundation/catalog/dataSets/" + id);
    return *answer.find(id);
  }
  std::string schema_of(const std::string& id) { return dataset(id).find("schemaRef")->text("id"); }
  std::vector<std::string> our_tags(const std::string& id) {
    std::vector<std::string> tags;
    const auto about = dataset(id);
    for (const auto& tag : about.find("tags")->items("audiencesync")) tags.push_back(*tag.string_if());
    return tags;
  }

  void expect_nothing_to_do() {
    emulator.clear_calls();
    expect_told(world.plan({"--detailed-exitcode"}), kOk, {"nothing to do"});
    EXPECT_THAT(changes_made(emulator), IsEmpty());
  }

  World world{Emulator::Options{.profiles = 200, .audiences = 4}};
  Emulator& emulator = world.emulator();
  std::vector<Emulator::Audience> audiences = emulator.audiences();
};

// ------------------------------------------------------------------------------------------------------ another writer

TEST_F(StoryTest, ABatchOfAnotherWriterIsRefusedAndNamedAndNothingIsChanged) {
  converge();
  const auto target = world.target();
  const auto foreign = ingest_by_hand(target, R"("team":["growth"])");
  emulator.evolve(0.1, 3);
  const auto before = rows(target);

  expect_told(world.plan(), kRefused,
              {"batch " + foreign + " in target dataset " + target + " was not written by this sync",
               "created by client", "refused: nothing is applied"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
  expect_told(world.apply(), kRefused, {"batch " + foreign});
  EXPECT_THAT(changes_beyond_refresh(emulator), IsEmpty());
  EXPECT_EQ(rows(target), before);

  emulator.api("POST", "/data/foundation/import/batches/" + foreign + "?action=REVERT");
  ASSERT_EQ(world.apply().code, kOk);
  EXPECT_EQ(world.difference(), "");
}

TEST_F(StoryTest, AWriterThatTagsItsBatchesIsNamedByItsTags) {
  converge();
  ingest_by_hand(world.target(), R"("audiencesync":["uid:loyalty","role:target","state:0123"])");
  expect_told(world.apply({"--no-refresh"}), kRefused, {"its tags say uid:loyalty, role:target, state:0123"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

TEST_F(StoryTest, ASecondStateFolderForTheSameSyncIsRefused) {
  converge();
  const auto before = rows(world.target());
  const auto other = (world.folder() / "second-state").string();
  for (const auto& more : {std::vector<std::string>{"--state", other}, {"--state", other, "--no-refresh"}}) {
    expect_told(world.apply(more), kRefused, {"belongs to another state folder", "run this sync from one place only"});
  }
  EXPECT_THAT(changes_made(emulator), IsEmpty());
  EXPECT_EQ(rows(world.target()), before);
}

// ---------------------------------------------------------------------------------------------------- rejected records

TEST_F(StoryTest, PeopleWhoseRecordsAreRejectedGoToQuarantineAndTheRestArrives) {
  converge();
  const std::string stranger = "marker.stranger@planted.example";
  const std::string member = *emulator.truth(audiences[0].id).begin();
  emulator.control("POST", "/_emulator/profiles",
                   fmt::format(R"([{{"person_id":"{}","memberships":{{"{}":"realized"}}}},)"
                               R"({{"person_id":"accepted@x.io","memberships":{{"{}":"realized"}}}}])",
                               stranger, audiences[0].id, audiences[0].id));
  emulator.control("DELETE", "/_emulator/profiles?person_id=" + member);
  emulator.control("PUT", "/_emulator/ingestion", fmt::format(R"({{"reject_person":["{}","{}"]}})", stranger, member));

  const auto result = world.apply({"--verbose"});
  expect_told(result, kOk, {"2 people are in quarantine because the platform rejected their record"});
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("planted.example")));
  EXPECT_THAT(result.out + result.err, Not(HasSubstr(member)));

  const auto members = members_by_audience(emulator, world.target());
  auto expected = emulator.truth(audiences[0].id);
  EXPECT_TRUE(expected.contains("accepted@x.io"));
  expected.erase(stranger);
  expected.insert(member);  // stays as it was
  EXPECT_EQ(members.at(audiences[0].id), expected);
  EXPECT_EQ(world.leftovers(), "");

  const auto status = world.run({"status", "--config", emulator.config().string()});
  expect_told(status, kOk, {"quarantine 2 people"});
  EXPECT_THAT(status.out, Not(HasSubstr("planted.example")));
  expect_nothing_to_do();

  const auto quarantine = [&](const std::string& words, const std::string& people = "") {
    std::ofstream(world.folder() / "ids") << people;
    return run_process({"/bin/sh", "-c",
                        fmt::format("'{}/audiencesync' quarantine {} --config '{}' < '{}'", AUDIENCESYNC_BIN_DIR, words,
                                    emulator.config().string(), (world.folder() / "ids").string())},
                       {}, world.folder());
  };
  const auto list = quarantine("list loyalty");
  expect_told(list, kOk, {"loyalty: 2 people in quarantine", "m***@p***.example since", "batch"});
  EXPECT_THAT(list.out + list.err, Not(HasSubstr("planted.example")));
  EXPECT_THAT(list.out + list.err, Not(HasSubstr(member)));

  // Given up: as they were, and nobody hears of it again.
  expect_told(quarantine("drop loyalty -", stranger + "\nnobody@x.io\n"), kOk,
              {"1 of 2 ids are not in quarantine", "1 person given up"});
  expect_told(quarantine("list loyalty --format json"), kOk, {"\"given_up\": true", "\"given_up\": false"});
  expect_told(world.apply(), kOk, {"1 person is in quarantine"});
  EXPECT_EQ(members_by_audience(emulator, world.target()).at(audiences[0].id), expected);

  // Mended: sent again, the removal of one and the arrival of the other.
  emulator.control("PUT", "/_emulator/ingestion", R"({"reject_person":[]})");
  expect_told(quarantine("replay loyalty"), kOk, {"2 people left the quarantine"});
  expect_told(quarantine("replay loyalty"), kOk, {"nobody to replay"});
  expect_told(world.apply(), kOk, {});
  EXPECT_EQ(members_by_audience(emulator, world.target()).at(audiences[0].id), emulator.truth(audiences[0].id));
  expect_nothing_to_do();
}

TEST_F(StoryTest, OlderBatchesStayWhileSomebodyInQuarantineHasTheirLastRecordThere) {
  world.extra = "target: { row_rule: accumulate }\n";
  converge();
  const std::string member = *emulator.truth(audiences[0].id).begin();
  const auto in_dataset = [&] {
    return members_by_audience(emulator, world.target()).at(audiences[0].id).contains(member);
  };
  const auto next_day = [&] { emulator.control("PUT", "/_emulator/clock", R"({"advance":"5h"})"); };
  emulator.control("PUT", "/_emulator/ingestion", fmt::format(R"({{"reject_person":["{}"]}})", member));
  next_day();
  emulator.evolve(0.1, 11);
  // Everyone is written again but the one who is rejected.
  ASSERT_EQ(world.apply().code, kOk);
  next_day();
  expect_told(world.apply(), kOk, {"of earlier generations stay until nobody is in quarantine any more"});
  EXPECT_TRUE(in_dataset());

  emulator.control("PUT", "/_emulator/ingestion", R"({"reject_person":[]})");
  expect_told(world.run({"quarantine", "replay", world.uid, "--config", emulator.config().string()}), kOk, {});
  emulator.evolve(0.1, 12);
  next_day();
  ASSERT_EQ(world.apply().code, kOk);
  next_day();
  const auto tidied = world.apply();
  EXPECT_EQ(tidied.code, kOk) << tidied.out << tidied.err;
  EXPECT_THAT(told(tidied), Not(HasSubstr("earlier generations stay")));
  EXPECT_EQ(world.difference(), "");
}

// --------------------------------------------------------------------------------------------------------- what
// vanishes

TEST_F(StoryTest, ATargetThatWasDeletedIsNotMadeAgain) {
  converge();
  const auto target = world.target();
  emulator.api("DELETE", "/data/foundation/catalog/dataSets/" + target);
  emulator.clear_calls();
  expect_told(world.apply(), kRefused,
              {"target dataset " + target + " of sync loyalty was deleted; it is not made again by itself",
               "give the manifest a new uid"});
  EXPECT_THAT(changes_beyond_refresh(emulator), IsEmpty());
  EXPECT_THAT(emulator.datasets_tagged("role:target"), IsEmpty());
}

TEST_F(StoryTest, ABatchThatVanishedIsDriftAndEveryoneIsWrittenAgain) {
  converge();
  const auto target = world.target();
  emulator.evolve(0.1, 4);
  converge();
  const auto batches = live_batches(target);
  ASSERT_EQ(batches.size(), 2U);

  for (const auto* how : {"vanish", "erase"}) {
    // The first batch, then the one that everyone was written with again: what came before that is needed no more.
    const auto lost = how == std::string("vanish") ? batches.front() : live_batches(target).back();
    emulator.control("POST", "/_emulator/batches", fmt::format(R"({{"do":"{}","batch":"{}"}})", how, lost));
    emulator.clear_calls();
    expect_told(world.plan(), kOk,
                {"batch " + lost, "is no longer in dataset " + target + "; everyone is written again"});
    EXPECT_THAT(changes_made(emulator), IsEmpty());
    expect_told(world.apply({"--no-refresh"}), kOk, {"warning", "batch " + lost, "converged"});
    EXPECT_EQ(world.difference(), "");
    EXPECT_EQ(world.leftovers(), "");
    expect_nothing_to_do();
  }
}

TEST_F(StoryTest, AConsolidationOfBatchesIsFollowedSilently) {
  converge();
  const auto target = world.target();
  for (const int seed : {1, 2}) {
    emulator.evolve(0.1, seed);
    converge();
    emulator.control("POST", "/_emulator/batches", fmt::format(R"({{"do":"compact","dataset":"{}"}})", target));
    const auto planned = world.plan();
    EXPECT_EQ(planned.code, kOk);
    EXPECT_THAT(planned.out, HasSubstr("nothing to do"));
    EXPECT_THAT(planned.out, Not(HasSubstr("warning")));
  }
  emulator.evolve(0.1, 3);
  converge();
  EXPECT_EQ(world.leftovers(), "");
}

// -------------------------------------------------------------------------------------------------------------
// take-over

TEST_F(StoryTest, AnEmptyDatasetIsTakenOverWhenTheManifestSaysSo) {
  converge();
  const auto made = new_dataset("made by hand", schema_of(world.target()), R"("team":["growth"])");
  world.name = world.uid = "second";
  world.extra = fmt::format("target: {{ dataset: Kept Name, dataset_id: {} }}\n", made);
  emulator.clear_calls();
  expect_told(
      world.plan(), kOk,
      {"dataset 'made by hand' (" + made + ") was not made by this sync and is taken over: its tags are added"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());

  const auto applied = world.apply();
  expect_told(applied, kOk, {"is taken over", "update dataset/target", "converged"});
  EXPECT_EQ(world.target(), made);
  EXPECT_EQ(dataset(made).text("name"), "Kept Name");
  EXPECT_THAT(our_tags(made), UnorderedElementsAre("uid:second", "role:target", StartsWith("state:")));
  EXPECT_EQ(dataset(made).find("tags")->items("team").size(), 1U) << "foreign tags stay";
  EXPECT_EQ(world.difference(), "");
  expect_nothing_to_do();
}

TEST_F(StoryTest, ADatasetThatSomebodyElseUsesIsNotTakenOver) {
  converge();
  const auto first = world.target();
  const auto schema = schema_of(first);
  const auto full = new_dataset("with rows", schema, "");
  ingest_by_hand(full, "");
  const auto elsewhere =
      new_dataset("of another folder", schema, R"("audiencesync":["uid:second","role:target","state:0123"])");
  const auto other_shape = new_dataset("of another shape", "https://ns.adobe.com/xdm/context/profile__union", "");

  world.name = world.uid = "second";
  const auto take = [&](const std::string& id) {
    world.extra = fmt::format("target: {{ dataset_id: {} }}\n", id);
    emulator.clear_calls();
    return world.apply();
  };
  const auto before = rows(full) + rows(first);
  expect_told(take(first), kRefused, {"belongs to sync loyalty; one dataset holds one sync"});
  expect_told(take(elsewhere), kRefused, {"is written from another state folder (0123)"});
  expect_told(take(other_shape), kRefused, {"a dataset keeps its schema for life"});
  expect_told(take("00000000000000000000abcd"), kRefused,
              {"target.dataset_id 00000000000000000000abcd does not exist in sandbox prod"});
  expect_told(take(full), kRefused, {"was not written by this sync"});
  EXPECT_THAT(changes_beyond_refresh(emulator), IsEmpty());
  EXPECT_EQ(rows(full) + rows(first), before);
  EXPECT_EQ(dataset(full).find("tags")->items("audiencesync").size(), 0U);

  world.extra.clear();
  expect_told(world.apply(), kRefused, {"is written from another state folder (0123)"});
}

TEST_F(StoryTest, MovingToAnotherDatasetIsRefused) {
  converge();
  const auto other = new_dataset("other", schema_of(world.target()), "");
  world.extra = fmt::format("target: {{ dataset_id: {} }}\n", other);
  expect_told(world.apply({"--no-refresh"}), kRefused,
              {"target.dataset_id is " + other, "moving is not in this version"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

// ---------------------------------------------------------------------------------------------------------------
// renames

TEST_F(StoryTest, ARenamedManifestKeepsItsDatasetAndItsPeople) {
  converge();
  const auto target = world.target();
  const auto before = rows(target);
  world.name = "platinum";
  expect_told(world.apply({"--no-refresh"}), kOk,
              {"update dataset/target: name differs", "converged, 1 change applied"});
  EXPECT_THAT(changes_made(emulator), ElementsAre("PATCH /data/foundation/catalog/dataSets/" + target));
  EXPECT_EQ(world.target(), target);
  EXPECT_EQ(dataset(target).text("name"), "audiencesync membership: platinum");
  EXPECT_EQ(rows(target), before);
  expect_nothing_to_do();
}

TEST_F(StoryTest, ANewLabelIsWrittenToItsPeopleAndCounted) {
  converge();
  const auto target = world.target();
  const auto people = emulator.truth(audiences[1].id).size();
  world.declared[1].name = "Platinum (new name)";
  const auto planned = world.plan({"--format", "json"});
  ASSERT_EQ(planned.code, kOk);
  const auto plan = parse_json(planned.out).value();
  const auto& changes = plan.items("syncs").front().find("plan")->items("changes");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes.front().find("bulk")->number("people"), static_cast<std::int64_t>(people));

  expect_told(world.apply({"--no-refresh"}), kOk, {fmt::format("{} people changed", people)});
  const auto labels = labels_by_audience(emulator, target);
  EXPECT_THAT(labels.at(audiences[1].id), ElementsAre("Platinum (new name)"));
  EXPECT_THAT(labels.at(audiences[0].id), ElementsAre(audiences[0].name));
  EXPECT_EQ(world.difference(), "");
  expect_nothing_to_do();
}

TEST_F(StoryTest, ARenameUpstreamIsShownWhereTheManifestNamesAndFollowedWhereItDoesNot) {
  world.declared[2].name.clear();
  converge();
  const auto target = world.target();
  audience(audiences[1].id, "rename", R"(,"name":"Renamed upstream")");
  emulator.clear_calls();
  expect_told(world.plan({"--format", "json"}), kOk, {"upstream it is called 'Renamed upstream' now"});
  expect_nothing_to_do();
  audience(audiences[2].id, "rename", R"(,"name":"Followed")");
  expect_told(world.apply(), kOk, {fmt::format("{} people changed", emulator.truth(audiences[2].id).size())});
  const auto labels = labels_by_audience(emulator, target);
  EXPECT_THAT(labels.at(audiences[1].id), ElementsAre(audiences[1].name));
  EXPECT_THAT(labels.at(audiences[2].id), ElementsAre("Followed"));
}

TEST_F(StoryTest, AHeldAudienceGoesOnWhenItIsBack) {
  converge();
  const auto before = members_by_audience(emulator, world.target())[audiences[0].id];
  audience(audiences[0].id, "archive");
  emulator.evolve(0.2, 9);
  expect_told(world.apply(), kOk, {"warning", "it is archived; its memberships stay as they are"});
  EXPECT_EQ(members_by_audience(emulator, world.target())[audiences[0].id], before);
  expect_told(world.plan(), kOk, {"it is archived; its memberships stay as they are", "nothing to do"});
  audience(audiences[0].id, "publish");
  emulator.evolve(0.2, 10);
  const auto back = world.apply();
  EXPECT_EQ(back.code, kOk) << back.err;
  EXPECT_THAT(back.out + back.err, Not(HasSubstr("archived")));
  EXPECT_EQ(world.difference(), "");
}

TEST_F(StoryTest, AHeldAudienceThatIsWithdrawnLeavesTheDataset) {
  converge();
  audience(audiences[0].id, "delete");
  ASSERT_EQ(world.apply().code, kOk);
  EXPECT_FALSE(members_by_audience(emulator, world.target())[audiences[0].id].empty());
  world.declared.erase(world.declared.begin());
  ASSERT_EQ(world.apply().code, kOk);
  EXPECT_EQ(world.difference(), "");
}

// ------------------------------------------------------------------------------------------------- planning and
// economy

TEST_F(StoryTest, APlanWritesNothingEver) {
  expect_told(world.plan(), kOk, {"memberships are known after the export; next: audiencesync apply"});
  expect_told(world.plan({"--detailed-exitcode"}), 2, {"create dataset/target", "run export/job"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
  EXPECT_THAT(emulator.datasets_tagged("uid:loyalty"), IsEmpty());
  converge();
  emulator.evolve(0.1, 2);
  world.declared.pop_back();
  expect_told(world.plan({"--detailed-exitcode"}), 2, {"ingest membership/people", "people changed"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

TEST_F(StoryTest, NothingToDoCostsFewReadsAndNoWrite) {
  converge();
  const auto result = world.apply({"--no-refresh"});
  expect_told(result, kOk, {"nothing to do as of export"});
  const auto calls = emulator.calls();
  std::map<std::string, int> by_path;
  for (const auto& call : calls) ++by_path[call];
  fmt::print("a no-op makes {} calls\n", calls.size());
  for (const auto& [call, times] : by_path) fmt::print("  {} x {}\n", times, call);
  EXPECT_THAT(changes_made(emulator), IsEmpty());
  EXPECT_LE(calls.size(), 25U);
}

TEST_F(StoryTest, NeitherPeopleNorSecretsAreEverShown) {
  const std::string marker = "marker.person@planted.example";
  emulator.control("POST", "/_emulator/profiles",
                   fmt::format(R"({{"person_id":"{}","memberships":{{"{}":"realized"}}}})", marker, audiences[0].id));
  std::string all;
  const auto keep = [&](const ProcessResult& result) { all += result.out + result.err; };
  keep(world.plan({"--verbose"}));
  keep(world.apply({"--verbose"}));
  EXPECT_TRUE(emulator.truth(audiences[0].id).contains(marker));
  EXPECT_EQ(world.difference(), "");
  keep(world.plan({"--format", "json", "--verbose"}));
  emulator.control("PUT", "/_emulator/ingestion", fmt::format(R"({{"reject_person":["{}"]}})", marker));
  world.declared.erase(world.declared.begin());
  keep(world.plan({"--format", "json", "--verbose"}));
  keep(world.apply({"--format", "json", "--verbose"}));
  keep(world.run({"status", "--format", "json", "--config", emulator.config().string()}));
  emulator.faults(
      R"([{"path":"/data/foundation/*","times":1000,"action":{"status":400,"body":"no marker.person@planted.example"}}])");
  keep(world.apply({"--verbose"}));
  EXPECT_THAT(all, Not(HasSubstr("planted.example")));
  EXPECT_THAT(all, Not(HasSubstr("marker.person")));
  EXPECT_THAT(all, Not(HasSubstr(emulator.ready().text("client_secret"))));
  EXPECT_GT(all.size(), 3000U);
}

}  // namespace
}  // namespace audiencesync::testing
