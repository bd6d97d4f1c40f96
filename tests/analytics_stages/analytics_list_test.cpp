#include "plugins/platform/analytics_list.h"

#include <gmock/gmock.h>

#include "plugins/platform/connections.h"
#include "plugins/platform/data_views.h"
#include "tests/analytics_stages/analytics_world.h"

namespace audiencesync::platform {
namespace {

struct LastPageCase {
  const char* name;
  const char* answer;
  bool last;
};

class LastPage : public testing::TestWithParam<LastPageCase> {};

TEST_P(LastPage, IsToldInEveryDialect) { EXPECT_EQ(is_last_page(json_of(GetParam().answer), 2), GetParam().last); }

INSTANTIATE_TEST_SUITE_P(
    Dialects, LastPage,
    testing::Values(LastPageCase{"live", R"({"content":[1,2],"lastPage":true})", true},
                    LastPageCase{"live_with_more", R"({"content":[1,2],"lastPage":false})", false},
                    LastPageCase{"spring", R"({"content":[1,2],"last":true})", true},
                    LastPageCase{"spring_with_more", R"({"content":[1],"last":false})", false},
                    LastPageCase{"live_wins", R"({"content":[1,2],"lastPage":false,"last":true})", false},
                    LastPageCase{"by_number", R"({"content":[1,2],"number":0,"totalPages":1})", true},
                    LastPageCase{"by_number_with_more", R"({"content":[1,2],"number":0,"totalPages":2})", false},
                    LastPageCase{"by_count", R"({"content":[1],"numberOfElements":1})", true},
                    LastPageCase{"by_count_with_more", R"({"content":[1,2],"numberOfElements":2})", false},
                    LastPageCase{"by_count_of_a_capped_page", R"({"content":[1],"numberOfElements":1,"size":1})",
                                 false},
                    LastPageCase{"bare_array", R"([1,2])", true}),
    [](const auto& tested) { return tested.param.name; });

TEST(AnalyticsList, ReadsAllPagesUncachedWithALimitOfItsOwn) {
  FakeClient client;
  client.on("GET /data/connections?page=0", R"({"content":[{"id":"dg_a","name":"A"}],"lastPage":false})")
      .on("GET /data/connections?page=1", R"({"content":[{"id":"dg_b","name":"B"}],"lastPage":true})");
  const auto connections = all_connections(client);
  ASSERT_TRUE(connections.ok());
  EXPECT_EQ(connections->size(), 2U);
  EXPECT_THAT(client.calls.at(0), testing::HasSubstr("cached=false"));
  EXPECT_THAT(client.calls.at(0), testing::HasSubstr("limit=1000"));
  EXPECT_EQ(client.requests.at(0).service, http::Service::Analytics);
}

TEST(AnalyticsList, AListThatNeverEndsIsAnErrorAndNotAPart) {
  FakeClient client;
  client.on("GET /data/connections", R"({"content":[{"id":"dg_a"}],"lastPage":false})");
  const auto connections = all_connections(client);
  ASSERT_FALSE(connections.ok());
  EXPECT_EQ(connections.error().code(), ErrorCode::Corrupt);
}

TEST(Connections, AFilterThatThePlatformIgnoresMakesNoConnectionOurs) {
  FakeClient client;
  ListedConnection other;
  other.id = kOther;
  other.datasets = {};
  client.on("GET /data/connections", listed<ListedConnection>({ListedConnection{}, other}));
  const auto connections = connections_with(client, "D");
  ASSERT_TRUE(connections.ok());
  ASSERT_EQ(connections->size(), 1U);
  EXPECT_EQ(connections->front().id, kLuma);
}

TEST(Connections, AreReadInEitherCaseWithUnknownMembersAndABareId) {
  const auto connection = connection_from(json_of(
      R"({"idWithoutPrefix":"0f1c","name":"N","primaryIdType":"PERSON","isNew":1,"dataSets":[
          {"dataSetId":"D","type":"PROFILE","visitorId":"personID","streaming":true,"soon":{},
           "backfills":[{"status":"COMPLETED"},{"status":"IN_QUEUE"},{"status":"in_progress"},{"status":"FAILED"}]}],
          "connectionValidationErrors":[{"errorCode":"MISSING_FIELD","dataSetId":"D","missingField":"x"}]})"));
  EXPECT_EQ(connection.id, "dg_0f1c");
  EXPECT_EQ(connection.primary_id, "person");
  ASSERT_EQ(connection.datasets.size(), 1U);
  EXPECT_EQ(connection.datasets[0].type, "profile");
  EXPECT_EQ(connection.datasets[0].backfills.completed, 1);
  EXPECT_EQ(connection.datasets[0].backfills.in_progress, 2);
  EXPECT_EQ(connection.datasets[0].backfills.failed, 1);
  ASSERT_EQ(connection.problems.size(), 1U);
  EXPECT_EQ(connection.problems[0].field, "x");
}

TEST(AnalyticsIds, AreToldFromNames) {
  EXPECT_TRUE(is_connection_id(kLuma));
  EXPECT_TRUE(is_connection_id(std::string(kLuma).substr(3)));
  EXPECT_FALSE(is_connection_id("dg_luma"));
  EXPECT_FALSE(is_connection_id("Luma web"));
  EXPECT_EQ(connection_id("0f1c"), "dg_0f1c");
  EXPECT_EQ(connection_id("dg_0f1c"), "dg_0f1c");
  EXPECT_TRUE(is_data_view_id("dv_66f0a1"));
  EXPECT_FALSE(is_data_view_id("dv_"));
  EXPECT_FALSE(is_data_view_id("dv_Luma"));
}

TEST(DataViews, RenamingWritesBackEverythingButWhatThePlatformOwns) {
  FakeClient client;
  client.on("PUT /data/dataviews/dv_1", R"({"id":"dv_1"})");
  const auto view = data_view_from(json_of(
      R"({"id":"dv_1","name":"old","parentDataGroupId":"dg_a","segmentList":["s1"],"owner":{"name":"x"},"unknown":[1],
          "modifiedDate":"2026-02-02T03:04:05Z","currentTimezoneOffset":-6.5,"createdDate":"2026-01-01T00:00:00Z"})"));
  EXPECT_EQ(view.offset, std::optional<Duration>(-std::chrono::minutes(390)));
  ASSERT_TRUE(rename_data_view(client, view, "new").ok());
  EXPECT_EQ(client.bodies.at(0), R"({"name":"new","parentDataGroupId":"dg_a","segmentList":["s1"],"unknown":[1]})");
}

}  // namespace
}  // namespace audiencesync::platform
