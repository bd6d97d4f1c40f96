// The fuzz targets under ctest: their seeds, and a bounded number of mutations of them, the same ones every time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/fuzz/target.h"

namespace audiencesync::testing {
namespace {

/// Ruins a good input in the ways that files are ruined, and in those that attackers choose.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string mutate(const std::vector<std::string>& seeds) {
    auto bytes = seeds[below(seeds.size())];
    for (auto left = 1 + below(4); left > 0; --left) change(bytes, seeds);
    return bytes;
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  void change(std::string& bytes, const std::vector<std::string>& seeds) {
    static constexpr unsigned char kTelling[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '\\', '{', '}', '[', ']', ',', ':', '\n'};
    if (bytes.empty()) bytes = "x";
    const auto at = below(bytes.size());
    const auto some = 1 + below(std::min<std::size_t>(bytes.size() - at, 16));
    switch (below(9)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(kTelling[below(std::size(kTelling))]);
        break;
      case 2:
        bytes.insert(at, 1, static_cast<char>(kTelling[below(std::size(kTelling))]));
        break;
      case 3:
        bytes.erase(at, some);
        break;
      case 4:
        bytes.insert(below(bytes.size()), bytes.substr(at, some));
        break;
      case 5:
        bytes.resize(at);
        break;
      case 6:  // a number that is too large
        for (std::size_t i = 0; i < some; ++i) bytes[at + i] = static_cast<char>(0xFF);
        break;
      case 7: {
        const auto& other = seeds[below(seeds.size())];
        bytes = bytes.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
      default:
        bytes[at] = static_cast<char>(below(256));
    }
  }

  std::mt19937_64 random_;
};

int mutations_of(const FuzzTarget& target) {
  const char* const wanted = std::getenv("AUDIENCESYNC_FUZZ_RUNS");
  return wanted != nullptr ? std::atoi(wanted) : target.mutations;
}

std::uint64_t first_seed() {
  const char* const wanted = std::getenv("AUDIENCESYNC_FUZZ_SEED");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1;
}

class FuzzReplay : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzReplay, SurvivesItsSeedsAndTheirMutations) {
  const auto seeds = GetParam().seeds();
  ASSERT_FALSE(seeds.empty());
  for (const auto& seed : seeds) GetParam().run(seed);
  GetParam().run("");
  // What is being tried is on the disk, so that an input that ends the process can be tried again.
  const auto trace = ::testing::TempDir() + "audiencesync-fuzz-" + GetParam().name + ".input";
  const bool keep = std::getenv("AUDIENCESYNC_FUZZ_KEEP") != nullptr;
  for (int i = 0; i < mutations_of(GetParam()); ++i) {
    const auto bytes = Mutator(first_seed() + static_cast<std::uint64_t>(i)).mutate(seeds);
    if (keep) std::ofstream(trace, std::ios::binary | std::ios::trunc) << bytes;
    GetParam().run(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, ::testing::ValuesIn(fuzz_targets().begin(), fuzz_targets().end()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace audiencesync::testing
