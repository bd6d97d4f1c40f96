#include "engine/http/error_body.h"

#include <gtest/gtest.h>

namespace audiencesync::http {
namespace {

struct BodyCase {
  const char* name;
  int status;
  Headers headers;
  const char* body;
  const char* code;
  const char* message;
  const char* request_id;
};

class ErrorBodyTest : public testing::TestWithParam<BodyCase> {};

TEST_P(ErrorBodyTest, IsRead) {
  const auto& row = GetParam();
  const auto read = parse_error_body(row.status, row.headers, row.body);
  EXPECT_EQ(read.code, row.code);
  EXPECT_EQ(read.message, row.message);
  EXPECT_EQ(read.request_id, row.request_id);
}

INSTANTIATE_TEST_SUITE_P(
    Families, ErrorBodyTest,
    testing::Values(
        BodyCase{"gateway",
                 401,
                 {},
                 R"({"error_code":"401013","message":"Oauth token is not valid"})",
                 "401013",
                 "Oauth token is not valid",
                 ""},
        BodyCase{"gateway_code_as_number",
                 429,
                 {},
                 R"({"error_code":429050,"message":"Too many requests"})",
                 "429050",
                 "Too many requests",
                 ""},
        BodyCase{"problem",
                 400,
                 {{"x-request-id", "abc"}},
                 R"({"type":"http://ns.adobe.com/aep/errors/HYGN-3102-400","title":"Work order refused","status":400,
                     "report":{"tenantInfo":{"sandboxName":"prod"}},"error-chain":[{"errorCode":"HYGN-3102-400"}]})",
                 "HYGN-3102-400",
                 "Work order refused",
                 "abc"},
        BodyCase{"problem_known_by_its_chain",
                 500,
                 {},
                 R"({"type":"about:blank","title":"Failed","error-chain":[{"errorCode":"ABC-1-500"}]})",
                 "ABC-1-500",
                 "Failed",
                 ""},
        BodyCase{
            "segmentation",
            403,
            {},
            R"({"requestId":"r-1","status":403,"title":"Forbidden","type":"https://ns.adobe.com/aep/errors/UPAPI-113740-403",
                     "errors":{"403":[{"code":"UPAPI-113740-403","message":"not enabled"}]}})",
            "UPAPI-113740-403",
            "Forbidden: not enabled",
            "r-1"},
        BodyCase{
            "segmentation_bare_code",
            403,
            {},
            R"({"requestId":"r-2","type":"https://ns.adobe.com/aep/errors/UPAPI-1-403","errors":{"403":[{"code":"403","message":"no"}]}})",
            "UPAPI-1-403",
            "no",
            "r-2"},
        BodyCase{
            "catalog",
            404,
            {},
            R"({"type":"/placeholder/type/uri","status":404,"title":"NotFoundError","detail":"DataSet not found."})",
            "",
            "NotFoundError: DataSet not found.",
            ""},
        BodyCase{"registry",
                 400,
                 {},
                 R"({"type":"http://ns.adobe.com/aep/errors/XDM-1007-400","title":"Accept header invalid","status":400,
                     "report":{"registryRequestId":"reg-9","detailed-message":"long"},"detail":"The Accept header is wrong"})",
                 "XDM-1007-400",
                 "Accept header invalid: The Accept header is wrong",
                 "reg-9"},
        BodyCase{
            "registry_without_detail",
            400,
            {},
            R"({"type":"http://ns.adobe.com/aep/errors/XDM-1-400","title":"Bad","report":{"detailed-message":"the id is taken"}})",
            "XDM-1-400",
            "Bad: the id is taken",
            ""},
        BodyCase{
            "identity",
            400,
            {},
            R"({"type":"http://ns.adobe.com/adobecloud/problem/namespacevalidation","status":400,"error":"Bad Request","title":"Invalid code","report":{"message":"code is too long"}})",
            "",
            "Invalid code: code is too long",
            ""},
        BodyCase{"query_service",
                 400,
                 {},
                 R"({"errors":[{"code":"42P01","message":"table not found","errorType":"USER_ERROR"}]})",
                 "42P01",
                 "table not found",
                 ""},
        BodyCase{"analytics",
                 404,
                 {},
                 R"({"errorCode":"resource_not_found","errorDescription":"no such view","errorId":"e-7"})",
                 "resource_not_found",
                 "no such view",
                 "e-7"},
        BodyCase{"oauth",
                 400,
                 {},
                 R"({"error":"invalid_client","error_description":"bad secret"})",
                 "invalid_client",
                 "bad secret",
                 ""},
        BodyCase{"html",
                 503,
                 {{"content-type", "text/html; charset=utf-8"}},
                 "<p>a@b.example</p>",
                 "",
                 "an HTML page (status 503)",
                 ""},
        BodyCase{"html_that_claims_json",
                 502,
                 {{"content-type", "application/json"}},
                 "\n <!DOCTYPE html><html>",
                 "",
                 "an HTML page (status 502)",
                 ""},
        BodyCase{"plain", 500, {}, "upstream\r\n  failed\x01", "", "upstream failed", ""},
        BodyCase{"empty", 500, {{"x-request-id", "id-1"}}, "", "", "", "id-1"},
        BodyCase{"unknown_json_is_not_quoted", 400, {}, R"(["Ann Example"])", "", "an answer of an unknown form", ""},
        BodyCase{"cut_json_is_not_quoted", 400, {}, R"({"message":"Ann Exa)", "", "an answer of an unknown form", ""},
        BodyCase{"null_members", 400, {}, R"({"title":null,"detail":null,"errors":null,"report":null})", "", "", ""}),
    [](const auto& row) { return row.param.name; });

TEST(Presentable, MasksWhateverLooksLikeAnAddress) {
  EXPECT_EQ(presentable("person ann.example+x@mail.example is unknown"), "person <address> is unknown");
  EXPECT_EQ(presentable("id=\"ann@x\",b@y.example;"), "id=\"<address>\",<address>;");
  EXPECT_EQ(presentable("/entities?id=ann%40mail.example&x=1"), "/entities?id=<address>&x=1");
  EXPECT_EQ(presentable("ÄnnÉ@mäil.example"), "<address>");
  EXPECT_EQ(presentable("organisation 123ABC@AdobeOrg"), "organisation 123ABC@AdobeOrg");
  EXPECT_EQ(presentable("a @ b"), "a @ b");
  EXPECT_EQ(presentable("a@b@c.example d"), "<address> d");
}

TEST(Presentable, IsShortAndWholeCharacters) {
  std::string text;
  while (text.size() < 9000) text += "äö ";
  const auto line = presentable(text);
  EXPECT_LE(line.size(), 300u);
  EXPECT_GE(line.size(), 297u);
  EXPECT_NE(static_cast<unsigned char>(line.back()), 0xC3);
}

TEST(Presentable, NeverShowsTheFirstHalfOfAnAddress) {
  // The cut before masking would fall inside the address, where no at-sign follows any more.
  std::string text(4090, ' ');
  text += "ann.example.of.a.long.name@mail.example";
  EXPECT_EQ(presentable(text).find("ann"), std::string::npos);
}

TEST(CodeOf, FollowsTheContract) {
  EXPECT_EQ(code_of(400), ErrorCode::Rejected);
  EXPECT_EQ(code_of(401), ErrorCode::Authentication);
  EXPECT_EQ(code_of(403), ErrorCode::Permission);
  EXPECT_EQ(code_of(404), ErrorCode::NotFound);
  EXPECT_EQ(code_of(409), ErrorCode::Conflict);
  EXPECT_EQ(code_of(412), ErrorCode::Conflict);
  EXPECT_EQ(code_of(415), ErrorCode::Rejected);
  EXPECT_EQ(code_of(429), ErrorCode::Unavailable);
  EXPECT_EQ(code_of(301), ErrorCode::Rejected);
  EXPECT_EQ(code_of(500), ErrorCode::Unavailable);
}

}  // namespace
}  // namespace audiencesync::http
