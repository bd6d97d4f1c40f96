#include "engine/http/message.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/http/read_only_posts.h"
#include "engine/http/url.h"

namespace audiencesync::http {
namespace {

std::string all_of(const Body& body) {
  auto reader = body.open();
  EXPECT_TRUE(reader.ok());
  std::string out;
  char block[5];
  for (;;) {
    auto count = (*reader)->read(block);
    EXPECT_TRUE(count.ok());
    if (*count == 0) return out;
    out.append(block, *count);
  }
}

TEST(Body, OpensAgainFromTheStart) {
  const auto body = Body::json(Value(Value::Object{{"b", 1}, {"a", "x"}}));
  EXPECT_EQ(body.size, 15u);
  EXPECT_EQ(all_of(body), R"({"a":"x","b":1})");
  EXPECT_EQ(all_of(body), R"({"a":"x","b":1})");
}

TEST(Body, RefusesAFileOfAnotherSize) {
  PosixFiles files;
  const Path path = testing::TempDir() + "http_body_" + std::to_string(getpid());
  ASSERT_TRUE(files.write_atomic(path, "0123456789").ok());
  EXPECT_EQ(all_of(Body::file(files, path, 10, "application/octet-stream")), "0123456789");
  const auto reader = Body::file(files, path, 11, "application/octet-stream").open();
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code(), ErrorCode::Io);
  ASSERT_TRUE(files.remove(path).ok());
}

TEST(Response, NeverQuotesABodyThatIsNotJson) {
  const Response response{.status = 200, .headers = {}, .body = "ann@mail.example", .request_id = "r-1"};
  const auto value = response.json();
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().code(), ErrorCode::Corrupt);
  EXPECT_EQ(value.error().request_id(), "r-1");
  EXPECT_EQ(value.error().text().find("ann"), std::string::npos);
}

TEST(EncodeSegment, KeepsUnreservedOnly) {
  EXPECT_EQ(encode_segment("https://ns.x/a b_~-."), "https%3A%2F%2Fns.x%2Fa%20b_~-.");
  EXPECT_EQ(encode_segment("ü"), "%C3%BC");
}

TEST(PathAndQuery, DropsWhateverHostALinkNames) {
  EXPECT_EQ(*path_and_query("https://platform.example:443/data/files/1?path=part%2F0&x=1"),
            "/data/files/1?path=part%2F0&x=1");
  EXPECT_EQ(*path_and_query("/data/x?y=z#top"), "/data/x?y=z");
  EXPECT_EQ(*path_and_query("http://h"), "/");
  EXPECT_EQ(*path_and_query("http://h?a=b"), "/?a=b");
  EXPECT_EQ(*path_and_query("//h/p"), "/p");
  EXPECT_EQ(*path_and_query("https://h/a b/ü"), "/a%20b/%C3%BC");
  EXPECT_FALSE(path_and_query("").ok());
  EXPECT_FALSE(path_and_query("data/x").ok());
  EXPECT_FALSE(path_and_query("ftp://h/p").ok());
}

TEST(MakeUrl, EncodesTheQueryAndRefusesARawPath) {
  EXPECT_EQ(*make_url("https://h/", "/a", {{"name", "Luma & Co=1"}, {"n", ""}}),
            "https://h/a?name=Luma%20%26%20Co%3D1&n=");
  EXPECT_EQ(*make_url("https://h/prefix", "/a?b=c", {{"d", "e"}}), "https://h/prefix/a?b=c&d=e");
  for (const char* path : {"a", "/a b", "/a\r\nx: y", "/ü", "/a#b", ""})
    EXPECT_FALSE(make_url("https://h", path, {}).ok());
}

TEST(ReadOnlyPosts, AreExactlyTheTable) {
  EXPECT_TRUE(is_read_only_post(Service::Platform, "/data/core/ups/audiences/bulk-get"));
  EXPECT_TRUE(is_read_only_post(Service::Platform, "/data/core/ups/audiences/bulk-get?x=1"));
  EXPECT_TRUE(is_read_only_post(Service::Analytics, "/reports"));
  EXPECT_TRUE(is_read_only_post(Service::Analytics, "/segments/validate"));
  EXPECT_FALSE(is_read_only_post(Service::Platform, "/reports"));
  EXPECT_FALSE(is_read_only_post(Service::Analytics, "/segments"));
  EXPECT_FALSE(is_read_only_post(Service::Platform, "/data/core/ups/audiences"));
  EXPECT_FALSE(is_read_only_post(Service::Platform, "/data/core/ups/audiences/bulk-get/"));
  EXPECT_FALSE(is_read_only_post(Service::Platform, "/data/core/ups/audiences/bulk-get/x"));
  EXPECT_FALSE(is_read_only_post(Service::Platform, "x/data/core/ups/audiences/bulk-get"));
  EXPECT_FALSE(is_read_only_post(Service::Platform, "/data/core/ups/preview"));
  EXPECT_TRUE(is_forbidden_post("/data/core/ups/preview?x"));
  for (const auto& post : read_only_posts()) {
    EXPECT_TRUE(is_read_only_post(post.service, post.path)) << post.path;
    EXPECT_FALSE(is_forbidden_post(post.path)) << post.path;
  }
}

}  // namespace
}  // namespace audiencesync::http
