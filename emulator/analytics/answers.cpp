#include "emulator/analytics/answers.h"

#include <algorithm>

#include "emulator/data/errors.h"
#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr std::size_t kCallsInWindow = 12;
constexpr std::int64_t kWindow = 6000;  // milliseconds
// Segments and reports count besides, for the whole organisation.
constexpr std::size_t kCallsInMinute = 60;
constexpr std::int64_t kMinute = 60'000;  // milliseconds
constexpr std::uint64_t kLargestPage = 1000;

}  // namespace

HttpError analytics_failure(int status, const std::string& code, const std::string& description) {
  return {analytics_error(status, code, description)};
}

void AnalyticsLimit::meet(const Request& request) {
  {
    const auto lock = platform_.objects.lock();
    if (!platform_.settings.analytics_rate_limit) return;
  }
  const std::int64_t now = platform_.clock.now_ms();
  const std::lock_guard guard(mutex_);
  const auto full = [now](std::deque<std::int64_t>& times, std::int64_t window, std::size_t most) {
    while (!times.empty() && times.front() <= now - window) times.pop_front();
    return times.size() >= most;
  };
  const bool shared = request.path.starts_with("/segments") || request.path.starts_with("/filters") ||
                      request.path.starts_with("/reports");
  std::deque<std::int64_t>& times = calls_[request.header("x-api-key")];
  if (full(times, kWindow, kCallsInWindow) || (shared && full(shared_, kMinute, kCallsInMinute)))
    throw HttpError{gateway_error("429050", "Too many requests")};
  times.push_back(now);
  if (shared) shared_.push_back(now);
}

void AnalyticsRoutes::add(const std::string& method, const std::string& path, Handler handler) {
  const auto limited = [&limit = limit_, handler = std::move(handler)](const Request& request) {
    limit.meet(request);
    return handler(request);
  };
  router_.add(method, path, checked(limited), {.body = BodyMode::Memory, .gate = Gate::Organization});
}

void AnalyticsRoutes::refuse_writes(const std::string& path, const std::string& why) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"})
    add(method, path, [why](const Request& request) -> Response {
      throw analytics_failure(405, "method_not_allowed", request.method + " is not supported: " + why);
    });
}

std::set<std::string> word_list(const Request& request, const std::string& name) {
  std::set<std::string> words;
  for (const std::string& text : request.query_values(name)) {
    std::string word;
    for (const char c : text + ",") {
      if (c != ',') {
        word += c;
      } else if (!word.empty()) {
        words.insert(std::move(word));
        word.clear();
      }
    }
  }
  return words;
}

Json Expansion::of(const Json& object, const std::set<std::string>& always,
                   const std::map<std::string, std::vector<std::string>>& by_expansion) const {
  Json shown = Json::object();
  const auto take = [&](const std::string& name) {
    if (object.contains(name)) shown[name] = object[name];
  };
  for (const std::string& name : always) take(name);
  for (const std::string& name : asked_) {
    const auto row = by_expansion.find(name);
    if (row != by_expansion.end())
      for (const std::string& member : row->second) take(member);
  }
  return shown;
}

std::uint64_t number_parameter(const Request& request, const std::string& name, std::uint64_t fallback) {
  const auto given = request.query_value(name);
  if (!given || given->empty()) return fallback;
  const auto number = whole_number(*given);
  if (!number)
    throw analytics_failure(400, "invalid_parameters", name + " must be a whole number, not '" + *given + "'");
  return *number;
}

Json analytics_list(const Request& request, const std::vector<Json>& objects) {
  const std::uint64_t limit = number_parameter(request, "limit", 10);
  const std::uint64_t page = number_parameter(request, "page", 0);
  if (limit < 1 || limit > kLargestPage)
    throw analytics_failure(400, "invalid_parameters", "limit must be between 1 and 1000");
  Json list = Json::array();
  for (std::uint64_t i = page * limit; i < objects.size() && list.size() < limit; ++i) list.push_back(objects[i]);
  return list;
}

Json analytics_page(const Request& request, const Settings& settings, std::vector<Json> objects,
                    const std::function<Json(const Json&)>& shown) {
  const std::uint64_t limit = number_parameter(request, "limit", 10);
  const std::uint64_t page = number_parameter(request, "page", 0);
  if (limit < 1 || limit > kLargestPage)
    throw analytics_failure(400, "invalid_parameters", "limit must be between 1 and 1000");
  std::string property = request.query_value("sortProperty").value_or("id");
  if (property == "modified_date") property = "modifiedDate";
  if (property != "id" && property != "name" && property != "modifiedDate")
    throw analytics_failure(400, "invalid_parameters", "sortProperty '" + property + "' is not possible");
  const std::string direction = request.query_value("sortDirection").value_or("ASC");
  if (direction != "ASC" && direction != "DESC")
    throw analytics_failure(400, "invalid_parameters", "sortDirection must be ASC or DESC");
  const auto key = [&](const Json& object) {
    return std::pair(object.value(property, std::string()), object.value("id", std::string()));
  };
  std::sort(objects.begin(), objects.end(),
            [&](const Json& a, const Json& b) { return direction == "ASC" ? key(a) < key(b) : key(b) < key(a); });

  Json content = Json::array();
  for (std::uint64_t i = page * limit; i < objects.size() && content.size() < limit; ++i)
    content.push_back(shown(objects[i]));
  const std::uint64_t pages = (objects.size() + limit - 1) / limit;
  const bool last = page + 1 >= pages;
  Json answer = {{"number", page},
                 {"totalElements", objects.size()},
                 {"totalPages", pages},
                 {"numberOfElements", content.size()},
                 {"size", limit}};
  if (settings.page_dialect == "spring") {
    const Json order = {{"sorted", false}, {"unsorted", true}, {"empty", true}};
    answer.update({{"first", page == 0},
                   {"last", last},
                   {"empty", content.empty()},
                   {"sort", order},
                   {"pageable",
                    {{"offset", page * limit},
                     {"pageNumber", page},
                     {"pageSize", limit},
                     {"paged", true},
                     {"unpaged", false},
                     {"sort", order}}}});
  } else {
    answer.update({{"firstPage", page == 0}, {"lastPage", last}, {"sort", nullptr}});
  }
  answer["content"] = std::move(content);
  return answer;
}

const StaleCopy::Objects& StaleCopy::objects(const Platform& platform, const Request& request,
                                             const std::function<Objects()>& fresh) {
  const std::int64_t now = platform.clock.now_ms();
  const bool through = request.query_value("cached").value_or("true") == "false";
  if (through || at_ms_ < 0 || now - at_ms_ >= platform.settings.analytics_cache.count()) {
    kept_ = fresh();
    at_ms_ = now;
  }
  return kept_;
}

std::string analytics_time(std::int64_t epoch_ms) { return iso8601(epoch_ms).substr(0, 19) + "Z"; }

}  // namespace emulator
