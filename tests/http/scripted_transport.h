#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "engine/http/transport.h"

namespace audiencesync::http {

using Outcome = std::variant<Response, Failure>;

inline Response answer(int status, std::string body = "{}", Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body), .request_id = {}};
}
inline Failure failed(Progress progress, ErrorCode code) { return {progress, Error(code, "the wire broke")}; }

/// Plays the platform from a script: each call takes the next line, and a call past the end is a test failure. The
/// token service is not scripted, it hands out token-1, token-2, ... Thread-safe.
class ScriptedTransport final : public Transport {
 public:
  struct Seen {
    Method method;
    std::string url;
    Headers headers;
    std::string body;
    Duration deadline;
    Repeat repeat;
  };
  using Line = std::function<Outcome(const Exchange&)>;

  void then(Outcome outcome) {
    script_.push_back([outcome](const Exchange&) { return outcome; });
  }
  void then(Line line) { script_.push_back(std::move(line)); }

  Outcome exchange(const Exchange& exchange, std::stop_token stop) override {
    if (stop.stop_requested()) return Failure{Progress::NotSent, Error(ErrorCode::Interrupted, "stopped")};
    if (exchange.url.ends_with("/ims/token/v3")) {
      const std::scoped_lock lock(mutex_);
      return answer(200, R"({"access_token":"token-)" + std::to_string(++tokens_) + R"(","expires_in":86399})");
    }
    Line line;
    {
      const std::scoped_lock lock(mutex_);
      seen_.push_back(
          {exchange.method, exchange.url, exchange.headers, read_body(exchange), exchange.deadline, exchange.repeat});
      if (script_.empty()) {
        ADD_FAILURE() << "a call nobody expected: " << exchange.url;
        return answer(500);
      }
      line = std::move(script_.front());
      script_.pop_front();
    }
    return line(exchange);
  }

  const std::vector<Seen>& seen() const { return seen_; }
  int tokens() const { return tokens_; }
  bool at_end() const { return script_.empty(); }

 private:
  static std::string read_body(const Exchange& exchange) {
    if (exchange.body == nullptr) return {};
    auto reader = exchange.body->open();
    if (!reader.ok()) return "unreadable";
    std::string all;
    char block[7];  // several turns even for short bodies
    for (;;) {
      const auto count = (*reader)->read(block);
      if (!count.ok() || *count == 0) return all;
      all.append(block, *count);
    }
  }

  std::mutex mutex_;
  std::deque<Line> script_;
  std::vector<Seen> seen_;
  int tokens_ = 0;
};

}  // namespace audiencesync::http
