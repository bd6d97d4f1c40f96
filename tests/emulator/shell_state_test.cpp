#include <gtest/gtest.h>

#include <fstream>

#include "emulator/control/duration.h"
#include "emulator/control/settings_calls.h"
#include "shell_world.h"

namespace emulator {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Objects, ComeBackAfterARestart) {
  TemporaryFolder folder;
  {
    Objects objects(folder.path());
    objects.put("dataset", "a", {{"name", "first"}});
    objects.put("dataset", "b", {{"name", "second"}});
    objects.put("dataset", "a", {{"name", "changed"}});
    objects.erase("dataset", "b");
    EXPECT_EQ(objects.next("id"), 1U);
    EXPECT_EQ(objects.next("id"), 2U);
  }
  Objects objects(folder.path());
  ASSERT_EQ(objects.all("dataset").size(), 1U);
  EXPECT_EQ(objects.all("dataset").at("a")["name"], "changed");
  EXPECT_EQ(objects.find("dataset", "b"), nullptr);
  EXPECT_EQ(objects.next("id"), 3U);
}

TEST(Objects, DropTheLineACrashCut) {
  TemporaryFolder folder;
  {
    Objects objects(folder.path());
    objects.put("batch", "a", 1);
    objects.put("batch", "b", 2);
  }
  const std::string log = read_all(folder.path() / "objects.log");
  std::filesystem::resize_file(folder.path() / "objects.log", log.size() - 3);
  {
    Objects objects(folder.path());
    EXPECT_NE(objects.find("batch", "a"), nullptr);
    EXPECT_EQ(objects.find("batch", "b"), nullptr);
    objects.put("batch", "c", 3);
  }
  Objects objects(folder.path());
  EXPECT_EQ(objects.all("batch").size(), 2U);
  EXPECT_EQ(*objects.find("batch", "c"), 3);
}

TEST(Objects, RefuseALogThatIsNotTheirs) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "objects.log") << "something else\n";
  EXPECT_THROW(Objects objects(folder.path()), std::runtime_error);
}

TEST(Objects, CompactALogThatIsMostlyHistory) {
  TemporaryFolder folder;
  {
    Objects objects(folder.path());
    const std::string filler(20'000, 'x');
    for (int i = 0; i < 100; ++i) objects.put("batch", "a", {{"round", i}, {"filler", filler}});
    objects.next("id");
  }
  const auto before = std::filesystem::file_size(folder.path() / "objects.log");
  Objects objects(folder.path());
  EXPECT_LT(std::filesystem::file_size(folder.path() / "objects.log") * 50, before);
  EXPECT_EQ(objects.find("batch", "a")->at("round"), 99);
  EXPECT_EQ(objects.next("id"), 2U);
}

TEST(Platform, IdsDependOnSeedAndNumberOnly) {
  TemporaryFolder one;
  TemporaryFolder two;
  Platform first(one.path(), test_identity());
  Platform second(two.path(), test_identity());
  const std::string id = first.new_id("dataset");
  EXPECT_EQ(id.size(), 24U);
  EXPECT_EQ(second.new_id("dataset"), id);
  EXPECT_NE(second.new_id("dataset"), id);
  EXPECT_NE(first.new_id("batch"), id);
  EXPECT_EQ(first.new_uuid("audience")[14], '4');
}

TEST(Clock, WritesTimeAsTheServicesDo) {
  EXPECT_EQ(iso8601(1'700'000'000'123), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(http_date(1'700'000'000'123), "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST(Settings, SurviveARestartTogetherWithTheClock) {
  TemporaryFolder folder;
  {
    Platform platform(folder.path(), test_identity());
    Router router;
    add_settings_routes(router, platform);
    Request request;
    request.body = R"({"list_lag":"2s","row_rule":"accumulate","page_cap":5,"token_lifetime":"1h"})";
    (*router.match("PUT", "/_emulator/settings").handler)(request);
    request.body = R"({"advance":"3h"})";
    (*router.match("PUT", "/_emulator/clock").handler)(request);
  }
  Platform platform(folder.path(), test_identity());
  restore_settings(platform);
  EXPECT_EQ(platform.settings.list_lag, std::chrono::seconds(2));
  EXPECT_EQ(platform.settings.row_rule, "accumulate");
  EXPECT_EQ(platform.settings.page_cap, 5U);
  EXPECT_EQ(platform.settings.token_lifetime, std::chrono::hours(1));
  EXPECT_EQ(platform.clock.offset(), std::chrono::hours(3));
}

TEST(Settings, AChangeThatIsPartlyWrongChangesNothing) {
  const Settings before;
  try {
    changed_settings(before, {{"page_cap", 3}, {"pagecap", 4}});
    FAIL() << "accepted";
  } catch (const HttpError& error) {
    EXPECT_EQ(error.response.status, 400);
    EXPECT_NE(error.response.body.find("pagecap"), std::string::npos) << error.response.body;
  }
  EXPECT_THROW(changed_settings(before, {{"row_rule", "replace"}}), HttpError);
  EXPECT_THROW(changed_settings(before, {{"list_lag", "-1s"}}), HttpError);
  EXPECT_THROW(changed_settings(before, {{"page_cap", 0}}), HttpError);
}

TEST(Duration, ReadsUnitsAndRefusesTheRest) {
  using std::chrono::milliseconds;
  EXPECT_EQ(duration_of("50ms", "x"), milliseconds(50));
  EXPECT_EQ(duration_of("3h", "x"), std::chrono::hours(3));
  EXPECT_EQ(duration_of(70, "x"), milliseconds(70));
  for (const char* wrong : {"", "h", "3 h", "3y", "1.5h", "99999999999999999d"})
    EXPECT_THROW(duration_of(wrong, "x"), HttpError) << wrong;
  EXPECT_EQ(duration_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(duration_text(milliseconds(0)), "0ms");
}

}  // namespace
}  // namespace emulator
