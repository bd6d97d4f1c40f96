#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "emulator/http/router.h"

namespace emulator {

/// Every call of a client, from its head on; control calls are not among them. Thread-safe.
class CallLog {
 public:
  struct Entry {
    std::string method;
    std::string path;
    std::string query;  // as sent
    int status = 0;     // 0: no answer yet, or none ever
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;
    std::int64_t at_ms = 0;
    std::string fault;  // what a fault did to it; "" for nothing
  };

  /// Numbers start at 1 and are never used twice, also after `clear`.
  std::uint64_t add(Entry entry);
  void answered(std::uint64_t number, int status, std::uint64_t request_bytes, const std::string& fault);
  void sent(std::uint64_t number, std::uint64_t response_bytes);
  void clear();
  Json list(std::uint64_t since) const;  // those with a number above `since`

  void add_routes(Router& router);

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;
  std::uint64_t last_ = 0;
};

}  // namespace emulator
