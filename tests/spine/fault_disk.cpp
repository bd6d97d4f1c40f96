// The disk is full from one durable write on, whichever that is.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/spine/fault_bench.h"

namespace audiencesync::testing {
namespace {

/// Seam numbers at which an undisturbed run asks for room on the disk.
std::vector<std::uint64_t> writes_of(World& world) {
  const auto file = world.folder() / "count";
  const auto result = world.seamed_apply("count", file);
  if (result.code != 0) throw std::runtime_error(result.err);
  std::istringstream text(read_file(file));
  std::uint64_t number = 0;
  text >> number;
  std::vector<std::uint64_t> writes;
  while (text >> number) writes.push_back(number);
  return writes;
}

std::vector<Case> full_at(const std::vector<std::uint64_t>& writes, Start start) {
  std::vector<Case> cases;
  for (const auto write : writes) {
    Case one;
    one.name = fmt::format("disk full from {} on ({})", write, to_string(start));
    one.start = start;
    one.seam = fmt::format("nospace@{}", write);
    // A run whose number of looks at a job or batch is smaller may be over before.
    one.codes = {0, 1};
    cases.push_back(std::move(one));
  }
  return cases;
}

TEST(FaultDisk, FullAtEveryDurableWrite) {
  Emulator::Options options;
  options.profiles = 60;
  options.audiences = 4;
  World world(options);
  writes_of(world);
  world.uid = world.name = "measured";
  auto cases = full_at(writes_of(world), Start::NewSync);
  world.emulator().evolve(0.3, 1);
  const auto later = full_at(writes_of(world), Start::Changed);
  ASSERT_GT(cases.size(), 20U);
  ASSERT_GT(later.size(), 20U);
  cases.insert(cases.end(), later.begin(), later.end());
  play(cases);
}

}  // namespace
}  // namespace audiencesync::testing
