#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "emulator/http/front.h"
#include "emulator/http/router.h"

namespace emulator {

enum class Moment { Before, After };  // the route runs between them

/// What a fault does. Several members together all happen: delay, hold, then the rest.
struct FaultAction {
  std::optional<int> status;  // the route does not run
  std::optional<std::int64_t> retry_after;
  std::optional<std::string> body;  // default: the error family of the service
  std::optional<std::string> content_type;
  std::int64_t delay_ms = 0;
  std::uint64_t drip_bytes_per_second = 0;
  std::optional<Moment> drop;
  std::optional<Moment> hold;
  std::optional<std::uint64_t> truncate;
  bool empty_list = false;
  std::optional<std::uint64_t> upload_reset_after;
};

struct FaultRule {
  std::string id;
  std::string method = "*";
  std::string path = "*";  // glob over the decoded path
  std::string query;       // substring of the decoded query; "" = any
  std::uint64_t after = 0;
  std::uint64_t times = 1;  // 0 = for ever
  FaultAction action;
  Json written;  // the action as the caller wrote it
};

/// The list of faults and the calls they hold. Thread-safe.
class Faults {
 public:
  /// One fault that fires for one call.
  struct Hit {
    std::string id;
    FaultAction action;
    std::string text;  // for the call log
  };

  /// Counts the call for every fault that matches it; the first one that is due fires.
  std::optional<Hit> meet(const Request& head);

  /// Blocks until released, replaced or interrupted.
  void hold(const Hit& hit, std::uint64_t call);
  /// Sleeps, but not longer than the server runs.
  void wait(std::chrono::milliseconds duration);
  void interrupt();

  void add_routes(Router& router);

 private:
  struct Entry {
    FaultRule rule;
    std::uint64_t matched = 0;
    std::uint64_t hits = 0;
  };
  struct Held {
    std::string fault;
    std::uint64_t call;
    bool released = false;
  };

  Response replace(const Request& request);
  Response release(const Request& request);
  Json list_locked() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;
  std::vector<Held*> held_;  // on the stacks of the calls that wait
  std::uint64_t last_id_ = 0;
  bool interrupted_ = false;
};

/// Reads one fault; throws HttpError 400 that names what is wrong with it.
FaultRule parse_fault(const Json& value);

/// The same list without its elements and with totals of zero, as the service that owns `path` would write it.
Json emptied_list(std::string_view path, Json body);

}  // namespace emulator
