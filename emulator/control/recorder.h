#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "emulator/http/message.h"

namespace emulator {

/// Writes exchanges to a folder, one JSON file each, numbered in the order they ended. Thread-safe.
///
/// Credentials are masked; bodies are cut at 64 KB. A folder that already holds records is continued.
class Recorder {
 public:
  explicit Recorder(std::filesystem::path folder);

  /// The body of a request that goes to a file is gone once its route ran, so its beginning is taken before.
  static std::string body_start(const Request& request);
  /// `fault` is what was done to the answer, "" when it is the platform's own.
  void record(const Request& request, const std::string& request_body, const Response& response,
              const std::string& fault = {});

 private:
  std::filesystem::path folder_;
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace emulator
