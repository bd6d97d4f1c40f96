#include <gtest/gtest.h>

#include "emulator/http/router.h"
#include "emulator/http/uri.h"

namespace emulator {
namespace {

Response named(const char* name) {
  Response response;
  response.body = name;
  return response;
}

struct RouterTest : testing::Test {
  RouterTest() {
    for (const auto& [method, pattern] :
         std::vector<std::pair<const char*, const char*>>{{"GET", "/export/batches/{batch}/files"},
                                                          {"GET", "/export/files/{file}"},
                                                          {"HEAD", "/export/files/{file}"},
                                                          {"GET", "/audiences/{id}"},
                                                          {"POST", "/audiences/bulk-get"},
                                                          {"GET", "/audiences/newest"},
                                                          {"PUT", "/import/{path...}"}})
      router.add(method, pattern,
                 [text = std::string(method) + " " + pattern](const Request&) { return named(text.c_str()); });
  }
  std::string hit(const std::string& method, const std::string& path) {
    match = router.match(method, path);
    return match.handler == nullptr ? "" : (*match.handler)({}).body;
  }
  Router router;
  Router::Match match;
};

TEST_F(RouterTest, CapturesAndDecodesSegments) {
  EXPECT_EQ(hit("GET", "/export/batches/b%2F1/files"), "GET /export/batches/{batch}/files");
  EXPECT_EQ(match.parameters.at("batch"), "b/1");
}

TEST_F(RouterTest, SpelledOutSegmentsWinOverParameters) {
  EXPECT_EQ(hit("GET", "/audiences/newest"), "GET /audiences/newest");
  EXPECT_EQ(hit("GET", "/audiences/oldest"), "GET /audiences/{id}");
}

TEST_F(RouterTest, LastParameterMayTakeTheRest) {
  EXPECT_EQ(hit("PUT", "/import/a/b%20c/d"), "PUT /import/{path...}");
  EXPECT_EQ(match.parameters.at("path"), "a/b c/d");
  EXPECT_EQ(hit("PUT", "/import"), "");
}

TEST_F(RouterTest, HeadFallsBackToGetUnlessItHasItsOwnRoute) {
  EXPECT_EQ(hit("HEAD", "/export/files/f"), "HEAD /export/files/{file}");
  EXPECT_EQ(hit("HEAD", "/audiences/a"), "GET /audiences/{id}");
}

TEST_F(RouterTest, TellsAnUnknownPathFromAnotherMethod) {
  EXPECT_EQ(hit("DELETE", "/audiences/a"), "");
  EXPECT_TRUE(match.other_method);
  EXPECT_EQ(hit("GET", "/nothing"), "");
  EXPECT_FALSE(match.other_method);
  EXPECT_EQ(hit("GET", "/audiences/bulk-get"), "GET /audiences/{id}");
}

TEST_F(RouterTest, IgnoresASlashAtTheEnd) { EXPECT_EQ(hit("GET", "/audiences/a/"), "GET /audiences/{id}"); }

TEST(Uri, DecodesOnlyWhatIsEncoded) {
  EXPECT_EQ(percent_decode("a%20b%zz%4"), "a b%zz%4");
  EXPECT_EQ(percent_decode("a+b", PlusSign::Space), "a b");
  EXPECT_EQ(percent_decode(percent_encode("https://ns/ä?b=c d")), "https://ns/ä?b=c d");
}

TEST(Uri, KeepsTheOrderOfRepeatedFields) {
  const auto fields = parse_form("property=a%3D%3Db&x&property=c");
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].second, "a==b");
  EXPECT_EQ(fields[1], std::pair(std::string("x"), std::string()));
  EXPECT_EQ(fields[2].second, "c");
}

}  // namespace
}  // namespace emulator
