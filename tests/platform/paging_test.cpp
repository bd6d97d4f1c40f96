#include "plugins/platform/paging.h"

#include <gmock/gmock.h>

#include "plugins/platform/audiences.h"
#include "plugins/platform/catalog_list.h"
#include "plugins/platform/data_access.h"
#include "plugins/platform/export_jobs.h"
#include "tests/platform/fake_client.h"

namespace audiencesync::platform {
namespace {

struct CursorCase {
  const char* name;
  const char* answer;
  const char* parameter;
  const char* next;
};

class NextCursor : public testing::TestWithParam<CursorCase> {};

TEST_P(NextCursor, IsReadInEveryDialect) {
  EXPECT_EQ(next_cursor(json_of(GetParam().answer), GetParam().parameter), GetParam().next);
}

INSTANTIATE_TEST_SUITE_P(
    Dialects, NextCursor,
    testing::Values(
        CursorCase{"page_text", R"({"_page":{"next":"1"}})", "start", "1"},
        CursorCase{"page_number", R"({"_page":{"next":7}})", "start", "7"},
        CursorCase{"pages_plural", R"({"_pages":{"next":"2"}})", "start", "2"},
        CursorCase{"null_is_the_end", R"({"_page":{"next":null}})", "start", ""},
        CursorCase{"zero_is_the_end", R"({"_page":{"next":0}})", "start", ""},
        CursorCase{"absent_is_the_end", R"({"_page":{"totalCount":3}})", "start", ""},
        CursorCase{"link_of_exports", R"({"link":{"next":"/export/jobs/?limit=2&offset=15_7"}})", "offset", "15_7"},
        CursorCase{"empty_link_is_the_end", R"({"link":{"next":""}})", "offset", ""},
        CursorCase{"hal_link", R"({"_links":{"next":{"href":"https://h:443/x?start=100&limit=9"}}})", "start", "100"}),
    [](const auto& tested) { return tested.param.name; });

TEST(EachPage, StopsWithAnErrorWhenThePlatformNamesAPageTwice) {
  int pages = 0;
  const auto result = each_page("audiences", [&](const std::string&) -> Result<std::string> {
    ++pages;
    return std::string("1");
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Corrupt);
  EXPECT_EQ(pages, 2);
}

std::string catalog_page(int first, int count) {
  std::string body = "{";
  for (int i = first; i < first + count; ++i)
    body += fmt::format("{}\"id{}\":{{\"name\":\"n\"}}", i == first ? "" : ",", i);
  return body + "}";
}

TEST(Catalog, ReadsPagesUntilAShortOne) {
  FakeClient client;
  client.on("GET /list?start=0", catalog_page(0, 100)).on("GET /list?start=100", catalog_page(100, 3));
  const auto all = list_catalog(client, "datasets", "/list", {});
  ASSERT_TRUE(all.ok()) << all.error().text();
  EXPECT_EQ(all->size(), 103U);
}

TEST(Catalog, DoesNotTakeAListThatRepeatsItselfForTheWhole) {
  FakeClient client;
  client.on("GET /list", catalog_page(0, 100));
  const auto all = list_catalog(client, "datasets", "/list", {});
  ASSERT_FALSE(all.ok());
  EXPECT_EQ(all.error().code(), ErrorCode::Corrupt);
}

TEST(Catalog, AnEmptyListMayBeAnArray) {
  FakeClient client;
  client.on("GET /list", "[]");
  const auto all = list_catalog(client, "datasets", "/list", {});
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE(all->empty());
}

TEST(Audiences, AsksOnceMoreWhenTheFirstPageIsEmpty) {
  FakeClient client;
  client.on("GET /data/core/ups/audiences",
            std::vector<Answer>{{200, R"({"children":[]})"}, {200, R"({"children":[{"id":"A1","name":"Gold"}]})"}});
  const auto found = audiences_named(client, "Gold");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(client.calls.size(), 2U);
}

TEST(Audiences, AreComparedExactlyOverAllPages) {
  FakeClient client;
  client
      .on("GET /data/core/ups/audiences",
          R"({"children":[{"id":"A1","name":"Gold"},{"id":"A2","name":"gold"}],"_page":{"next":"1"}})")
      .on("GET /data/core/ups/audiences?start=1",
          R"({"children":[{"id":"A0","name":"Gold"},{"id":"A4","name":"Gold+"}]})");
  const auto found = audiences_named(client, "Gold");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->front().id, "A0");
  EXPECT_EQ(found->back().id, "A1");
}

TEST(Audiences, ThoseTheBulkCallLeavesOutAreAskedForOneByOne) {
  FakeClient client;
  client
      .on("POST /data/core/ups/audiences/bulk-get",
          std::vector<Answer>{{207, R"({"results":{"A1":{"id":"A1","name":"Gold","lifecycle":"active"},
             "A2":{"requestId":"r","errors":{"404":[{"code":"404"}]}}}})"}})
      .on("GET /data/core/ups/audiences/A2", {{404, R"({"title":"gone"})"}})
      .on("GET /data/core/ups/audiences/A3", R"({"id":"A3","name":"Late"})");
  const auto answers = get_audiences(client, {"A1", "A2", "A3"});
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  EXPECT_EQ(answers->found.at("A1").lifecycle, "published");
  EXPECT_EQ(answers->found.at("A3").name, "Late");
  EXPECT_EQ(answers->missing.at("A2").status, 404);
}

TEST(ExportJobs, AreReadBackToTheTimeAskedFor) {
  FakeClient client;
  client
      .on("GET /data/core/ups/export/jobs",
          R"({"records":[{"id":3,"creationTime":1700000003000},{"id":"2","creationTime":1700000002000}],
              "link":{"next":"/export/jobs/?offset=1700000002000_2"}})")
      .on("GET /data/core/ups/export/jobs?offset=1700000002000_2",
          R"({"records":[{"id":1,"creationTime":1700000001000}],"link":{"next":"/export/jobs/?offset=x"}})");
  const auto jobs = export_jobs_since(client, from_epoch_ms(1'700'000'002'000));
  ASSERT_TRUE(jobs.ok()) << jobs.error().text();
  ASSERT_EQ(jobs->size(), 2U);
  EXPECT_EQ(jobs->front().id, "3");
  EXPECT_EQ(client.calls.size(), 2U);
}

TEST(DataAccess, ReadsFoldersAndPagesOnOurOwnHostOnly) {
  FakeClient client;
  client
      .on("GET /data/foundation/export/batches/B/files",
          R"({"data":[{"dataSetFileId":"F1"}],"_page":{"count":1},
              "_links":{"next":{"href":"https://platform.adobe.io:443/data/foundation/export/batches/B/files?start=1&limit=100"}}})")
      .on("GET /data/foundation/export/batches/B/files?start=1", R"({"data":[{"dataSetFileId":"F2","isValid":true}]})")
      .on("GET /data/foundation/export/files/F1",
          R"({"data":[{"name":"part-0.parquet","length":"12","_links":{"self":{"href":"https://evil.example:443/data/foundation/export/files/F1?path=part-0.parquet"}}},
              {"name":"_SUCCESS","length":"0"},{"name":"part-1.parquet","length":13}]})")
      .on("GET /data/foundation/export/files/F2", R"({"data":[{"name":"part-2.parquet","length":"1"}]})");
  const auto files = list_data_files(client, "B");
  ASSERT_TRUE(files.ok()) << files.error().text();
  ASSERT_EQ(files->size(), 3U);
  EXPECT_EQ(files->front().length, 12U);
  EXPECT_EQ(files->front().request.path, "/data/foundation/export/files/F1");
  EXPECT_EQ(files->front().request.query.front().second, "part-0.parquet");
  EXPECT_EQ((*files)[1].request.query.front().second, "part-1.parquet");
}

TEST(DataAccess, AnEntryWithoutALengthIsNotSkipped) {
  FakeClient client;
  client.on("GET /data/foundation/export/batches/B/files", R"({"data":[{"dataSetFileId":"F1"}]})")
      .on("GET /data/foundation/export/files/F1", R"({"data":[{"name":"part-0.parquet"}]})");
  const auto files = list_data_files(client, "B");
  ASSERT_FALSE(files.ok());
  EXPECT_EQ(files.error().code(), ErrorCode::Corrupt);
}

}  // namespace
}  // namespace audiencesync::platform
