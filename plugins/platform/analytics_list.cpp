#include "plugins/platform/analytics_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

constexpr std::size_t kAnalyticsPage = 1000;     // the default of 10 hides what exists
constexpr std::size_t kMostAnalyticsPages = 50;  // far beyond what an organisation may have of anything we list
constexpr std::string_view kConnectionPrefix = "dg_";

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_uuid(std::string_view text) {
  constexpr std::size_t kLength = 36;
  if (text.size() != kLength) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

}  // namespace

http::Request analytics_get(std::string path, http::Query query) {
  auto request = get(std::move(path), std::move(query));
  request.service = http::Service::Analytics;
  return request;
}

http::Request analytics_send(http::Method method, std::string path, const Value& body, http::Repeat repeat) {
  auto request = send(method, std::move(path), body, repeat);
  request.service = http::Service::Analytics;
  return request;
}

bool is_last_page(const Value& answer, std::size_t limit) {
  if (!answer.is_object()) return true;
  for (const auto* name : {"lastPage", "last"}) {
    const auto* last = answer.find(name);
    if (last != nullptr && last->bool_if() != nullptr) return *last->bool_if();
  }
  const auto number = answer.number("number");
  const auto pages = answer.number("totalPages");
  if (number && pages) return *number + 1 >= *pages;
  const auto asked = static_cast<std::int64_t>(limit);
  const auto size = std::min(answer.number("size").value_or(asked), asked);
  return answer.number("numberOfElements").value_or(static_cast<std::int64_t>(page_content(answer).size())) < size;
}

const Value::Array& page_content(const Value& answer) {
  if (const auto* array = answer.array_if()) return *array;
  return answer.items("content");
}

Result<void> each_listed(http::ReadClient& client, std::string_view what, const std::string& path, http::Query query,
                         const std::function<void(const Value&)>& element) {
  query.emplace_back("limit", std::to_string(kAnalyticsPage));
  query.emplace_back("page", "0");
  for (std::size_t page = 0; page < kMostAnalyticsPages; ++page) {
    query.back().second = std::to_string(page);
    const auto answer = TRY(read_json(client, analytics_get(path, query)).in(std::string(what)));
    const auto& content = page_content(answer);
    for (const auto& object : content) element(object);
    if (content.empty() || is_last_page(answer, kAnalyticsPage)) return {};
  }
  return Error(ErrorCode::Corrupt,
               fmt::format("the list of {} does not end after {} pages; try again later", what, kMostAnalyticsPages));
}

std::string connection_id(std::string_view text) {
  if (text.empty() || text.starts_with(kConnectionPrefix)) return std::string(text);
  return std::string(kConnectionPrefix).append(text);
}

bool is_connection_id(std::string_view text) {
  if (text.starts_with(kConnectionPrefix)) return is_uuid(text.substr(kConnectionPrefix.size()));
  return is_uuid(text);
}

bool is_data_view_id(std::string_view text) {
  constexpr std::string_view kPrefix = "dv_";
  return text.size() > kPrefix.size() && text.starts_with(kPrefix) &&
         std::all_of(text.begin() + kPrefix.size(), text.end(), is_hex);
}

}  // namespace audiencesync::platform
