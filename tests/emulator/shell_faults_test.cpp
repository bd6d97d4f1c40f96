#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "emulator/control/glob.h"
#include "shell_world.h"

namespace emulator {
namespace {

constexpr const char* kSets = "/data/foundation/catalog/dataSets";

struct FaultsTest : testing::Test {
  void fault(const Json& action, const Json& more = Json::object()) {
    Json entry{{"path", "/data/*"}, {"action", action}};
    entry.update(more);
    const Reply reply = world.control("PUT", "/_emulator/faults", Json::array({entry}));
    ASSERT_EQ(reply.status, 200) << reply.body;
  }
  Reply get() { return world.call("GET", kSets); }
  Reply post() { return world.call("POST", kSets, {}, "{}"); }
  Json listed() { return world.control("GET", "/_emulator/faults").json()[0]; }

  ShellWorld world;
};

TEST_F(FaultsTest, SkipsThenStrikesThenIsSpent) {
  fault({{"status", 503}}, {{"after", 1}, {"times", 2}});
  EXPECT_EQ(get().status, 200);
  EXPECT_EQ(get().status, 503);
  EXPECT_EQ(get().status, 503);
  EXPECT_EQ(get().status, 200);
  EXPECT_EQ(listed()["hits"], 2);
  EXPECT_EQ(listed()["matched"], 4);
}

TEST_F(FaultsTest, MeetsOnlyTheCallsItNames) {
  fault({{"status", 500}}, {{"method", "POST"}, {"times", 0}});
  EXPECT_EQ(get().status, 200);
  EXPECT_EQ(post().status, 500);
  fault({{"status", 500}}, {{"path", "*/audiences"}, {"query", "start=1"}, {"times", 0}});
  EXPECT_EQ(world.call("GET", "/data/core/ups/audiences").status, 200);
  EXPECT_EQ(world.call("GET", "/data/core/ups/audiences?limit=3&start=1").status, 500);
  EXPECT_EQ(world.created, 0);
}

TEST_F(FaultsTest, OneCallMeetsOneFaultAndTheOtherKeepsItsTurn) {
  world.control("PUT", "/_emulator/faults",
                Json::array({{{"path", kSets}, {"action", {{"status", 500}}}},
                             {{"path", kSets}, {"action", {{"status", 502}}}}}));
  EXPECT_EQ(get().status, 500);
  EXPECT_EQ(get().status, 502);
  EXPECT_EQ(get().status, 200);
}

TEST_F(FaultsTest, StatusSpeaksTheServicesErrorFamily) {
  fault({{"status", 503}}, {{"times", 0}});
  EXPECT_EQ(get().json()["title"], "ServiceUnavailableError");
  EXPECT_TRUE(world.call("GET", "/data/core/ups/audiences").json()["errors"].contains("503"));
  fault({{"status", 429}, {"retry_after", 2}});
  const Reply limited = post();
  EXPECT_EQ(limited.json()["error_code"], "429050");
  EXPECT_EQ(limited.headers.at("retry-after"), "2");
  EXPECT_EQ(world.created, 0);
}

TEST_F(FaultsTest, BodyMayBeAnHtmlPage) {
  fault({{"status", 502}, {"body", "<html>Bad Gateway</html>"}, {"content_type", "text/html"}});
  const Reply page = get();
  EXPECT_EQ(page.status, 502);
  EXPECT_EQ(page.body, "<html>Bad Gateway</html>");
  EXPECT_EQ(page.headers.at("content-type"), "text/html");
}

TEST_F(FaultsTest, DelayIsAtLeastThatLong) {
  fault({{"delay_ms", 120}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get().status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(120));
}

TEST_F(FaultsTest, DropBeforeHasNoEffect) {
  fault({{"drop", "before"}});
  const Reply reply = post();
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(reply.end, Reply::End::Closed);
  EXPECT_EQ(world.created, 0);
}

TEST_F(FaultsTest, DropAfterHasItsEffectAndResets) {
  fault({{"drop", "after"}});
  const Reply reply = post();
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(reply.end, Reply::End::Reset);
  EXPECT_EQ(world.created, 1);
  const Json calls = world.control("GET", "/_emulator/calls").json();
  EXPECT_EQ(calls.back()["status"], 201);
  EXPECT_EQ(calls.back()["response_bytes"], 0);
  EXPECT_EQ(calls.back()["fault"], R"({"drop":"after"})");
}

TEST_F(FaultsTest, HoldBeforeWaitsForItsRelease) {
  fault({{"hold", "before"}});
  auto waiting = std::async(std::launch::async, [&] { return post(); });
  while (listed()["holding"].empty()) std::this_thread::yield();
  EXPECT_EQ(world.created, 0);
  EXPECT_EQ(world.control("POST", "/_emulator/faults/release", {{"id", "another"}}).json()["released"], 0);
  EXPECT_EQ(world.control("POST", "/_emulator/faults/release", {{"id", listed()["id"]}}).json()["released"], 1);
  EXPECT_EQ(waiting.get().status, 201);
  EXPECT_EQ(world.created, 1);
}

TEST_F(FaultsTest, HoldAfterKeepsTheAnswerOfACallThatWasDone) {
  fault({{"hold", "after"}});
  auto waiting = std::async(std::launch::async, [&] { return post(); });
  while (listed()["holding"].empty()) std::this_thread::yield();
  EXPECT_EQ(world.created, 1);
  world.control("POST", "/_emulator/faults/release");
  EXPECT_EQ(waiting.get().status, 201);
}

TEST_F(FaultsTest, ReplacingTheListReleasesWhatItHeld) {
  fault({{"hold", "before"}});
  auto waiting = std::async(std::launch::async, [&] { return post(); });
  while (listed()["holding"].empty()) std::this_thread::yield();
  world.control("PUT", "/_emulator/faults", Json::array());
  EXPECT_EQ(waiting.get().status, 201);
}

TEST_F(FaultsTest, TruncateDeclaresMoreThanItSends) {
  const std::string whole = get().body;
  fault({{"truncate", 10}});
  const Reply reply = get();
  EXPECT_EQ(reply.end, Reply::End::Closed);
  EXPECT_EQ(reply.headers.at("content-length"), std::to_string(whole.size()));
  EXPECT_EQ(reply.body, whole.substr(0, 10));
  fault({{"truncate", 5}});
  EXPECT_EQ(world.call("GET", "/data/foundation/export/stream").end, Reply::End::Closed);
  fault({{"truncate", 2}});
  EXPECT_EQ(world.call("GET", "/data/foundation/export/file").body, "23");
}

TEST_F(FaultsTest, DripIsSlowAndWhole) {
  const std::string whole = get().body;
  fault({{"drip_bytes_per_second", 20'000}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get().body, whole);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(150));
}

TEST_F(FaultsTest, EmptyListSpeaksEachDialect) {
  fault({{"empty_list", true}}, {{"times", 0}});
  EXPECT_EQ(get().body, "{}");
  const Json audiences = world.call("GET", "/data/core/ups/audiences").json();
  EXPECT_TRUE(audiences["children"].empty());
  EXPECT_EQ(audiences["_page"]["totalCount"], "0");
  EXPECT_EQ(audiences["_page"]["totalPages"], 0);
  EXPECT_EQ(audiences["_page"]["next"], nullptr);
  EXPECT_FALSE(audiences["_links"].contains("next"));
  const Json schemas = world
                           .call("GET", "/data/foundation/schemaregistry/tenant/schemas",
                                 {{"accept", "application/vnd.adobe.xed-id+json"}})
                           .json();
  EXPECT_TRUE(schemas["results"].empty());
  EXPECT_EQ(schemas["_page"]["count"], 0);
  EXPECT_EQ(emptied_list("/data/core/ups/export/jobs",
                         {{"records", {1}}, {"page", {{"pageSize", 1}}}, {"link", {{"next", "/x"}}}}),
            Json({{"records", Json::array()}, {"page", {{"pageSize", 0}}}, {"link", {{"next", ""}}}}));
}

TEST_F(FaultsTest, UploadIsResetInTheMiddle) {
  fault({{"upload_reset_after", 1000}});
  const Reply reply = world.call("PUT", "/data/foundation/import/a", {}, std::string(1 << 20, 'u'));
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(reply.end, Reply::End::Reset);
  EXPECT_EQ(world.uploaded, 0);
  EXPECT_TRUE(std::filesystem::is_empty(world.platform.folder / "spool"));
}

TEST_F(FaultsTest, ControlCallsMeetNoFault) {
  fault({{"status", 500}}, {{"path", "*"}, {"times", 0}});
  EXPECT_EQ(world.control("GET", "/_emulator/settings").status, 200);
  EXPECT_EQ(world.control("DELETE", "/_emulator/faults").status, 200);
  EXPECT_EQ(get().status, 200);
}

TEST_F(FaultsTest, AWrongFaultIsRefusedAndTheOldListStays) {
  fault({{"status", 500}}, {{"times", 0}});
  for (const Json& wrong :
       {Json{{"action", {{"stauts", 500}}}}, Json{{"path", "/x"}}, Json{{"action", {{"drop", "during"}}}},
        Json{{"action", {{"status", 99}}}}, Json{{"action", {{"status", 500}}}, {"time", 3}}}) {
    const Reply reply = world.control("PUT", "/_emulator/faults", Json::array({wrong}));
    EXPECT_EQ(reply.status, 400) << wrong;
    EXPECT_TRUE(reply.json()["error"].is_string());
  }
  EXPECT_EQ(get().status, 500);
}

TEST(Glob, StarStandsForAnything) {
  EXPECT_TRUE(glob_match("*", "/a/b"));
  EXPECT_TRUE(glob_match("/a/*/c", "/a/b/x/c"));
  EXPECT_TRUE(glob_match("/a*", "/a"));
  EXPECT_TRUE(glob_match("*b*b", "abab"));
  EXPECT_FALSE(glob_match("/a", "/a/b"));
  EXPECT_FALSE(glob_match("/a/*/c", "/a/c"));
  EXPECT_FALSE(glob_match("", "a"));
}

}  // namespace
}  // namespace emulator
