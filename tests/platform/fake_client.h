#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/json.h"
#include "engine/http/client.h"

namespace audiencesync {

/// One scripted answer of the platform.
struct Answer {
  int status = 200;
  std::string body;
};

/// A platform of scripted answers: `on("GET /path?start=2", {…})`. Of several scripts that fit a request, the one with
/// the most query parameters answers; its last answer is repeated. A request without a script fails the test.
class FakeClient final : public http::ReadClient, public http::WriteClient {
 public:
  FakeClient& on(const std::string& call, std::vector<Answer> answers) {
    Script script;
    const auto question = call.find('?');
    script.call = call.substr(0, question);
    if (question != std::string::npos) {
      std::string rest = call.substr(question + 1) + "&";
      for (auto end = rest.find('&'); end != std::string::npos; end = rest.find('&')) {
        script.query.push_back(rest.substr(0, end));
        rest.erase(0, end + 1);
      }
    }
    script.answers = std::move(answers);
    // A later script for the same call replaces the earlier one.
    std::erase_if(scripts_,
                  [&](const Script& other) { return other.call == script.call && other.query == script.query; });
    scripts_.push_back(std::move(script));
    return *this;
  }
  FakeClient& on(const std::string& call, const std::string& body) {
    return on(call, std::vector<Answer>{{200, body}});
  }

  Result<http::Response> read(const http::Request& request) override { return answer(request); }
  Result<http::Response> write(const http::Request& request) override { return answer(request); }
  Result<http::Download> download(const http::Request& request, const Path& target, std::uint64_t size) override {
    downloads.push_back(fmt::format("{} {} {}", request.path, target.string(), size));
    http::Download done;
    done.bytes = size;
    return done;
  }

  /// Requests so far that begin with `prefix`, as `METHOD /path?a=b`.
  std::size_t count(std::string_view prefix) const {
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(), [&](const auto& call) { return call.starts_with(prefix); }));
  }

  std::vector<std::string> calls;
  std::vector<std::string> bodies;  // of the calls, "" for none
  std::vector<http::Request> requests;
  std::vector<std::string> downloads;

 private:
  struct Script {
    std::string call;
    std::vector<std::string> query;
    std::vector<Answer> answers;
    std::size_t next = 0;
  };

  static ErrorCode code_of(int status) {
    switch (status) {
      case 401:
        return ErrorCode::Authentication;
      case 403:
        return ErrorCode::Permission;
      case 404:
        return ErrorCode::NotFound;
      case 409:
      case 412:
        return ErrorCode::Conflict;
      case 0:
        return ErrorCode::Unknown;  // scripted: the answer was lost
      default:
        return status >= 500 || status == 429 ? ErrorCode::Unavailable : ErrorCode::Rejected;
    }
  }

  Result<http::Response> answer(const http::Request& request) {
    std::vector<std::string> query;
    std::string call = fmt::format("{} {}", http::to_string(request.method), request.path);
    for (const auto& [name, value] : request.query) query.push_back(name + "=" + value);
    calls.push_back(query.empty() ? call : fmt::format("{}?{}", call, fmt::join(query, "&")));
    bodies.push_back(read_body(request.body));
    requests.push_back(request);
    Script* best = nullptr;
    for (auto& script : scripts_) {
      const bool fits =
          script.call == call && std::all_of(script.query.begin(), script.query.end(), [&](const auto& part) {
            return std::find(query.begin(), query.end(), part) != query.end();
          });
      if (fits && (best == nullptr || script.query.size() > best->query.size())) best = &script;
    }
    if (best == nullptr) {
      ADD_FAILURE() << "no script for " << calls.back();
      return Error(ErrorCode::Internal, "no script for " + calls.back());
    }
    const Answer& scripted = best->answers[std::min(best->next++, best->answers.size() - 1)];
    http::Response response;
    response.status = scripted.status;
    response.body = scripted.body;
    const bool fine =
        (scripted.status >= 200 && scripted.status < 300) ||
        std::find(request.expected.begin(), request.expected.end(), scripted.status) != request.expected.end();
    if (fine) return response;
    return Error(code_of(scripted.status), fmt::format("answer {}", scripted.status));
  }

  static std::string read_body(const http::Body& body) {
    if (!body.open) return {};
    auto reader = body.open();
    if (!reader) return {};
    std::string text(body.size, '\0');
    auto got = (*reader)->read({text.data(), text.size()});
    if (!got) return {};
    text.resize(*got);
    return text;
  }

  std::vector<Script> scripts_;
};

inline Value json_of(std::string_view text) {
  auto value = parse_json(text);
  if (!value) {
    ADD_FAILURE() << "no JSON: " << text;
    return {};
  }
  return std::move(value).take();
}

}  // namespace audiencesync
