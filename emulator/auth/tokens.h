#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// The token service: POST /ims/token/v3 with client credentials. Tokens live as long as the process. Thread-safe.
class Tokens {
 public:
  explicit Tokens(Platform& platform) : platform_(platform) {}

  void add_routes(Router& router);
  /// True for a token we gave out that has not expired by the platform's clock.
  bool valid(const std::string& token) const;

 private:
  Response issue(const Request& request);

  Platform& platform_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> expiry_ms_;
};

}  // namespace emulator
