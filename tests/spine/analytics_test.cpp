// What an analyst needs of a sync, from the empty organisation to both dimensions in a data view: what the program does
// itself, what it asks of a person, and that it sees when it was done, and when it was done wrong.
#include <gmock/gmock.h>

#include "tests/spine/analytics_bench.h"

namespace audiencesync::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr int kDone = 0;
constexpr int kWaits = 3;

class AnalyticsTest : public ::testing::Test {
 protected:
  AnalyticsBench bench;
  World& world = bench.world;
  Emulator& emulator = bench.emulator;
};

TEST_F(AnalyticsTest, OpenStepsForPeopleHoldUpNoMembership) {
  const auto first = bench.apply();
  EXPECT_EQ(first.code, kWaits) << first.out << first.err;
  EXPECT_EQ(world.difference(), "") << "the memberships are written";
  EXPECT_EQ(bench.our_views().size(), 1U) << "and the empty data view is made";

  auto plan = bench.plan();
  EXPECT_THAT(changes_of(plan), UnorderedElementsAre("person connection/dataset", "person data-view/components"));
  EXPECT_THAT(words_of(plan, "connection", "dataset"),
              AllOf(HasSubstr("search for dataset " + world.target()), HasSubstr("Person ID: personID"),
                    HasSubstr("identity namespace: Email"), HasSubstr(bench.connection())));
  EXPECT_THAT(state_of(plan, "report"), StartsWith("waits for: the dataset in connection"));

  bench.add_to_connection();
  plan = bench.plan();
  EXPECT_THAT(changes_of(plan), UnorderedElementsAre("person data-view/components"));
  EXPECT_THAT(words_of(plan, "data-view", "components"),
              HasSubstr(emulator.tenant() + ".audienceMembership.audienceMembershipName"));
  EXPECT_THAT(state_of(plan, "connection"), HasSubstr("streaming, backfilled"));

  bench.add_components(bench.our_views().front());
  plan = bench.plan();
  EXPECT_THAT(changes_of(plan), IsEmpty());
  EXPECT_THAT(state_of(plan, "data-view"), HasSubstr("has both dimensions"));
  EXPECT_THAT(state_of(plan, "report"), StartsWith("pending until"));
  EXPECT_EQ(bench.apply().code, kDone);
  EXPECT_EQ(bench.our_views().size(), 1U);
}

TEST_F(AnalyticsTest, ASettledSyncIsCheckedWithThreeReads) {
  bench.settle();
  bench.plan();
  std::size_t reads = 0;
  for (const auto& call : emulator.calls()) {
    const bool ours = call.find("/data/connections") != std::string::npos ||
                      call.find("/data/dataviews") != std::string::npos || call.find("/reports") != std::string::npos;
    reads += ours ? 1 : 0;
  }
  EXPECT_EQ(reads, 3U);
  EXPECT_LE(emulator.calls().size(), 25U);
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

TEST_F(AnalyticsTest, WithoutAnalyticsAnyConnectionWillDo) {
  world.extra.clear();
  EXPECT_EQ(bench.apply().code, kWaits);
  EXPECT_THAT(words_of(bench.plan(), "connection", "dataset"), HasSubstr("in no connection"));
  bench.add_to_connection();
  const auto plan = bench.plan();
  EXPECT_THAT(changes_of(plan), IsEmpty());
  EXPECT_EQ(state_of(plan, "data-view"), "skipped: no analytics in the manifest");
  EXPECT_EQ(state_of(plan, "report"), "skipped: no analytics in the manifest");
  EXPECT_EQ(bench.apply().code, kDone);
  EXPECT_THAT(bench.our_views(), IsEmpty());
}

TEST_F(AnalyticsTest, AViewOfSomebodyElseIsUsedAndNeverWritten) {
  bench.declare("Luma web", "Luma analysis");
  EXPECT_EQ(bench.apply().code, kWaits);
  bench.add_to_connection();
  bench.add_components(bench.seeded_view());
  emulator.clear_calls();
  EXPECT_EQ(bench.apply().code, kDone);
  EXPECT_THAT(bench.our_views(), IsEmpty());
  for (const auto& call : changes_made(emulator)) EXPECT_THAT(call, Not(HasSubstr("/data/dataviews")));
}

TEST_F(AnalyticsTest, OurViewGetsItsNameBackAndKeepsEverythingElse) {
  bench.settle();
  const auto view = bench.our_views().front();
  emulator.person(fmt::format(R"({{"do":"rename_data_view","data_view":"{}","name":"by hand"}})", view));
  const auto before = emulator.api(
      "GET", "/data/dataviews/" + view +
                 "?expansion=description,segmentList,sessionDefinition,externalData,containerNames,timezoneDesignator");
  EXPECT_THAT(changes_of(bench.plan()), UnorderedElementsAre("update data-view/shell"));
  EXPECT_EQ(bench.apply().code, kDone);
  const auto after = emulator.api(
      "GET", "/data/dataviews/" + view +
                 "?expansion=description,segmentList,sessionDefinition,externalData,containerNames,timezoneDesignator");
  EXPECT_EQ(to_json(before), to_json(after));
  EXPECT_EQ(emulator.api("GET", "/data/dataviews/" + view + "?expansion=name").text("name"), "Loyalty audiences");
  EXPECT_THAT(changes_of(bench.plan()), IsEmpty()) << "its components are still there";
}

TEST_F(AnalyticsTest, EitherDialectOfPagesIsRead) {
  emulator.settings(R"({"page_dialect":"spring"})");
  bench.settle();
  EXPECT_THAT(changes_of(bench.plan()), IsEmpty());
}

TEST_F(AnalyticsTest, ALostAnswerMakesNoSecondView) {
  for (const auto* when : {"before", "after"}) {
    world.name = world.uid = std::string("lost-") + when;
    bench.declare("Luma web", world.uid + " audiences");
    emulator.faults(fmt::format(
        R"([{{"method":"POST","path":"/data/dataviews","after":0,"times":1,"action":{{"drop":"{}"}}}}])", when));
    const auto result = bench.apply();
    EXPECT_EQ(result.code, kWaits) << result.out << result.err;
    EXPECT_EQ(bench.our_views().size(), 1U) << when;
    emulator.faults("[]");
  }
}

}  // namespace
}  // namespace audiencesync::testing
