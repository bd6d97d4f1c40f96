// The program with a seam in front of every adapter: what the kill and disk-full tests run instead of `audiencesync`.
#include <iostream>
#include <string>
#include <vector>

#include "daemon/program.h"
#include "daemon/signals.h"
#include "engine/http/curl/curl_transport.h"
#include "engine/report/spdlog/spdlog_events.h"
#include "tests/support/seams.h"

int main(int argc, char** argv) {
  using namespace audiencesync;
  const Signals signals;
  auto seam = testing::Seam::from_environment();
  PosixFiles disk;
  const SystemClock clock;
  http::CurlTransport network;
  SpdlogEvents events(clock);
  const auto files = testing::seamed_files(disk, seam);
  const auto transport = testing::seamed_transport(network, seam);
  const auto open_store = [&](const Path& path, OpenMode mode) -> Result<std::unique_ptr<Store>> {
    auto store = TRY(open_sqlite_store(path, mode));
    return testing::seamed_store(std::move(store), seam);
  };
  http::RateLimits unlimited;
  unlimited.platform.clear();
  unlimited.analytics.clear();
  http::RetryPolicy retry;
  retry.base = Duration(20);
  retry.total = Duration(20'000);
  const Adapters adapters{*files,     clock,     *transport, events,  process_environment(),
                          open_store, unlimited, retry,      "tester"};
  Console console{std::cout, std::cerr, {}};
  console.in = &std::cin;
  return static_cast<int>(run_program({argv + 1, argv + argc}, adapters, console, signals.stop()));
}
