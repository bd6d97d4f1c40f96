#include "emulator/control/call_log.h"

#include <charconv>

#include "emulator/http/errors.h"

namespace emulator {

std::uint64_t CallLog::add(Entry entry) {
  const std::lock_guard lock(mutex_);
  entries_[++last_] = std::move(entry);
  return last_;
}

void CallLog::answered(std::uint64_t number, int status, std::uint64_t request_bytes, const std::string& fault) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;  // the log was cleared meanwhile
  found->second.status = status;
  found->second.request_bytes = request_bytes;
  found->second.fault = fault;
}

void CallLog::sent(std::uint64_t number, std::uint64_t response_bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  if (found != entries_.end()) found->second.response_bytes = response_bytes;
}

void CallLog::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

Json CallLog::list(std::uint64_t since) const {
  const std::lock_guard lock(mutex_);
  Json calls = Json::array();
  for (auto entry = entries_.upper_bound(since); entry != entries_.end(); ++entry) {
    const Entry& call = entry->second;
    Json row{{"n", entry->first},
             {"method", call.method},
             {"path", call.path},
             {"query", call.query},
             {"status", call.status},
             {"request_bytes", call.request_bytes},
             {"response_bytes", call.response_bytes},
             {"at", call.at_ms}};
    if (!call.fault.empty()) row["fault"] = call.fault;
    calls.push_back(std::move(row));
  }
  return calls;
}

void CallLog::add_routes(Router& router) {
  const RouteOptions open{.body = BodyMode::Memory, .gate = Gate::Open};
  router.add(
      "GET", "/_emulator/calls",
      [this](const Request& request) {
        const std::string text = request.query_value("since").value_or("0");
        std::uint64_t since = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), since);
        if (problem != std::errc() || end != text.data() + text.size())
          return control_error(400, "since: '" + text + "' is not the number of a call");
        return Response::json(200, list(since));
      },
      open);
  router.add(
      "DELETE", "/_emulator/calls",
      [this](const Request&) {
        clear();
        return Response::empty(204);
      },
      open);
}

}  // namespace emulator
