// A target under clang's libFuzzer; built by scripts/fuzz. AUDIENCESYNC_FUZZ_TARGET names the target.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fuzz/target.h"

namespace {

const audiencesync::testing::FuzzTarget& chosen_target() {
  const char* const wanted = std::getenv("AUDIENCESYNC_FUZZ_TARGET");
  for (const auto& target : audiencesync::testing::fuzz_targets()) {
    if (wanted != nullptr && std::strcmp(wanted, target.name) == 0) return target;
  }
  audiencesync::testing::fuzz_expect(false, "AUDIENCESYNC_FUZZ_TARGET names a target of tests/fuzz/target.cpp");
  std::abort();
}

}  // namespace

// Puts the seeds into the folder of the corpus, where AUDIENCESYNC_FUZZ_SEEDS names one.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const folder = std::getenv("AUDIENCESYNC_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const auto& seed : chosen_target().seeds()) {
    std::ofstream(std::string(folder) + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto& target = chosen_target();
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
