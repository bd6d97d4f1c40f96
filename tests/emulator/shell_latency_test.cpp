// A platform that takes its time, and that counts calls.

#include <chrono>
#include <set>

#include "data_world.h"
#include "emulator/control/latency.h"
#include "emulator/emulator.h"
#include "shell_world.h"

namespace emulator {
namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds latency_of(const std::string& method, const std::string& path, std::uint64_t number) {
  Request request;
  request.method = method;
  request.path = path;
  return answer_latency(request, number);
}

TEST(LatencyTest, AnswersTakeBetweenOneAndFourTimesTheLeast) {
  std::set<std::chrono::milliseconds> seen;
  for (std::uint64_t i = 1; i <= 500; ++i) {
    const auto took = latency_of("GET", "/data/core/ups/audiences", i);
    EXPECT_GE(took, 120ms);
    EXPECT_LE(took, 480ms);
    EXPECT_EQ(took, latency_of("GET", "/data/core/ups/audiences", i)) << "the same call of the same run";
    seen.insert(took);
  }
  EXPECT_GT(seen.size(), 50);
  EXPECT_GE(latency_of("POST", "/reports", 1), 900ms);
  EXPECT_GE(latency_of("POST", "/data/core/ups/export/jobs", 1), 300ms);
}

TEST(LatencyTest, ACallWaitsAndAFolderKeepsWhatWasSet) {
  TemporaryFolder folder;
  EmulatorOptions options;
  options.data = folder.path();
  options.profiles = 10;
  options.audiences = 1;
  options.latency = Latency::Real;
  const auto served = [&](auto&& act) {
    Emulator platform(options);
    const std::string url = platform.url();
    TestClient client(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    act(client);
  };
  served([](TestClient& client) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(client.send("GET", "/data/connections").status, 403);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 120ms);
    EXPECT_EQ(client.send("GET", "/_emulator/settings").json()["export_delay"], "20m");
    EXPECT_EQ(client.send("PUT", "/_emulator/settings", {}, R"({"export_delay":"1m"})").status, 200);
  });
  served([](TestClient& client) {
    const Json settings = client.send("GET", "/_emulator/settings").json();
    EXPECT_EQ(settings["export_delay"], "1m");
    EXPECT_EQ(settings["analytics_rate_limit"], true);
  });
}

TEST(LatencyTest, AnExportTakesTwentyMinutesOfTheEmulatorsClock) {
  DataWorld world;
  world.platform->settings = with_real_latency(world.platform->settings);
  const std::string dataset = world.union_dataset("exported");
  const Json job = world.start_export(dataset, world.audiences(), "segmentMembership,identityMap");
  const std::string path = "/data/core/ups/export/jobs/" + job["id"].dump();
  world.platform->clock.advance(19min);
  EXPECT_NE(world.get(path)["status"], "SUCCEEDED");
  world.platform->clock.advance(2min);
  world.wait_for([&] { return world.get(path)["status"] == "SUCCEEDED"; }, "the end of the job");
  const std::string batch = world.get(path)["destination"]["batchId"];
  EXPECT_EQ(world.batch(batch)["status"], "staging") << "the catalog shows it a minute later";
  world.platform->clock.advance(2min);
  world.wait_for([&] { return world.batch(batch)["status"] == "success"; }, "the batch");
}

}  // namespace
}  // namespace emulator
