#include "plugins/platform/call.h"

#include <algorithm>
#include <utility>

namespace audiencesync::platform {
namespace {

constexpr std::int64_t kLeastMilliseconds = 100'000'000'000;      // as seconds this would be the year 5138
constexpr std::int64_t kLeastMicroseconds = 100'000'000'000'000;  // as milliseconds likewise

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

http::Request get(std::string path, http::Query query) {
  http::Request request;
  request.path = std::move(path);
  request.query = std::move(query);
  return request;
}

http::Request send(http::Method method, std::string path, const Value& body, http::Repeat repeat) {
  http::Request request;
  request.method = method;
  request.path = std::move(path);
  request.body = http::Body::json(body);
  request.repeat = repeat;
  return request;
}

Result<Value> read_json(http::ReadClient& client, const http::Request& request) {
  auto response = TRY(client.read(request));
  return response.json();
}

Result<Value> read_json_if_there(http::ReadClient& client, http::Request request) {
  request.expected.push_back(404);
  auto response = TRY(client.read(request));
  if (response.status == 404) return Value();
  return response.json();
}

Result<Value> write_json(http::WriteClient& client, const http::Request& request) {
  auto response = TRY(client.write(request));
  if (response.body.find_first_not_of(" \t\r\n") == std::string::npos) return Value();
  auto parsed = response.json();
  // The effect has happened whatever the body looks like; the caller must look for it and not repeat it.
  if (!parsed && request.repeat == http::Repeat::Once)
    return Error(ErrorCode::Unknown, parsed.error().message()).with_request_id(response.request_id);
  return parsed;
}

std::string id_text(const Value* value) {
  if (value == nullptr) return {};
  if (const auto* text = value->string_if()) return *text;
  if (const auto* number = value->integer_if()) return std::to_string(*number);
  return {};
}

std::optional<Time> time_of(const Value* value) {
  if (value == nullptr) return {};
  std::optional<std::int64_t> number = to_number(*value);
  if (const auto* fraction = value->double_if()) number = static_cast<std::int64_t>(*fraction);
  if (number) {
    if (*number <= 0) return {};
    if (*number >= kLeastMicroseconds) return from_epoch_ms(*number / 1000);
    if (*number >= kLeastMilliseconds) return from_epoch_ms(*number);
    return from_epoch_ms(*number * 1000);
  }
  if (const auto* text = value->string_if()) return parse_time(*text);
  return {};
}

std::vector<std::string> texts_of(const Value* value) {
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (const auto* text = value->string_if()) texts.push_back(*text);
  if (const auto* array = value->array_if())
    for (const auto& element : *array)
      if (auto text = id_text(&element); !text.empty()) texts.push_back(std::move(text));
  return texts;
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

http::Request rerooted(std::string_view href) {
  if (const auto scheme = href.find("://"); scheme != std::string_view::npos) {
    const auto path = href.find_first_of("/?", scheme + 3);
    href = path == std::string_view::npos ? std::string_view("/") : href.substr(path);
  }
  if (!href.empty() && href.front() == '@') href.remove_prefix(1);
  if (const auto fragment = href.find('#'); fragment != std::string_view::npos) href = href.substr(0, fragment);
  const auto question = href.find('?');
  auto request = get(std::string(href.substr(0, question)));
  if (request.path.empty() || request.path.front() != '/') request.path.insert(0, "/");
  if (question == std::string_view::npos) return request;
  auto query = href.substr(question + 1);
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    request.query.emplace_back(percent_decoded(pair.substr(0, equals)),
                               percent_decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return request;
}

std::string last_segment(std::string_view reference) {
  const auto slash = reference.rfind('/');
  return std::string(slash == std::string_view::npos ? reference : reference.substr(slash + 1));
}

}  // namespace audiencesync::platform
