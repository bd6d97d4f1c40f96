#include "emulator/analytics/audit_log.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>

#include "emulator/analytics/users.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr const char* kAuditKind = "analytics_audit";
constexpr const char* kAuditPath = "/auditlogs/api/v1/auditlogs";
constexpr std::uint64_t kAuditPage = 100;
constexpr std::uint64_t kUnfiltered = 1000;  // records that an unfiltered call reaches back to
constexpr int kDeepestCriteria = 20;

HttpError bad_audit(const std::string& why) { return analytics_failure(400, "invalid_parameters", why); }

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

/// CREATE -> created.
std::string past_of(const std::string& action) {
  static const std::map<std::string, std::string> kPast = {{"CREATE", "created"},   {"EDIT", "edited"},
                                                           {"DELETE", "deleted"},   {"SHARE", "shared"},
                                                           {"UNSHARE", "unshared"}, {"TRANSFER", "transferred"}};
  return kPast.at(action);
}

/// CALCULATED_METRIC -> calculated metric.
std::string lower_words(std::string text) {
  for (char& c : text) c = c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// The text a filter looks at, by its name in search criteria.
std::string audited_text(const Json& record, const std::string& field) {
  if (field == "ACTION") return record["action"];
  if (field == "COMPONENT") return record["component"]["idType"];
  if (field == "COMPONENT_ID") return record["component"]["id"];
  if (field == "COMPONENT_NAME") return record["component"]["name"];
  if (field == "DESCRIPTION") return record["description"];
  if (field == "USER_TYPE") return record["user"]["type"];
  if (field == "USER_ID") return record["user"]["id"];
  if (field == "USER_EMAIL") return record["user"]["email"];
  throw bad_audit("fieldType '" + field + "' is not known");
}

bool field_fits(const Json& record, const Json& field) {
  const std::string text = upper_case(audited_text(record, field.value("fieldType", "")));
  const Json values = field.value("value", Json::array());
  if (!values.is_array() || values.empty()) throw bad_audit("value must be a list of texts");
  const std::string how = field.value("operator", "");
  const auto equal = [&](const Json& value) { return text == upper_case(value.get<std::string>()); };
  if (how == "EQUALS" || how == "IN") return std::any_of(values.begin(), values.end(), equal);
  if (how == "NOT_EQUALS") return std::none_of(values.begin(), values.end(), equal);
  if (how == "CONTAINS")
    return std::any_of(values.begin(), values.end(), [&](const Json& value) {
      return text.find(upper_case(value.get<std::string>())) != std::string::npos;
    });
  throw bad_audit("operator '" + how + "' is not known; write EQUALS, NOT_EQUALS, CONTAINS or IN");
}

bool all_must(const Json& criteria, const char* name) {
  const Json word = criteria.value(name, Json());
  if (word.is_null() || word == "AND") return true;
  if (word == "OR") return false;
  throw bad_audit(std::string(name) + " must be AND or OR");
}

bool criteria_fit(const Json& record, const Json& criteria, int depth = 0) {
  if (!criteria.is_object()) throw bad_audit("criteria must be an object");
  if (depth > kDeepestCriteria) throw bad_audit("the criteria are nested too deeply");
  const Json fields = criteria.value("fields", Json::array());
  if (!fields.is_array()) throw bad_audit("fields must be a list");
  const bool all = all_must(criteria, "fieldOperator");
  const auto fits = [&](const Json& field) { return field_fits(record, field); };
  const bool own = all || fields.empty() ? std::all_of(fields.begin(), fields.end(), fits)
                                         : std::any_of(fields.begin(), fields.end(), fits);
  const Json more = criteria.value("subCriteria", Json());
  if (more.is_null()) return own;
  const bool also = criteria_fit(record, more, depth + 1);
  return all_must(criteria, "subCriteriaOperator") ? own && also : own || also;
}

/// Milliseconds of 2026-01-01T00:00:00-07, with an offset of hours, hours and minutes, or Z; without one it is UTC.
std::int64_t audit_moment(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) !=
          6 ||
      used == 0)
    throw bad_audit("'" + text + "' is not a date; write 2026-01-01T00:00:00-07");
  std::size_t at = static_cast<std::size_t>(used);
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
  }
  const std::string zone = text.substr(at);
  int hours = 0, minutes = 0;
  if (!zone.empty() && zone != "Z") {
    const std::string digits = zone.substr(1);
    const bool sign = zone[0] == '-' || zone[0] == '+' || zone[0] == ' ';  // a plus that nobody encoded
    if (!sign || (std::sscanf(digits.c_str(), "%2d:%2d", &hours, &minutes) < 1))
      throw bad_audit("'" + text + "' is not a date");
    if (digits.size() == 4) minutes = std::stoi(digits.substr(2));
  }
  const std::int64_t offset = (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60'000LL;
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return std::int64_t{::timegm(&parts)} * 1000 - offset;
}

Json audit_page(const std::vector<Json>& found, std::uint64_t size, std::uint64_t number) {
  if (size < 1 || size > kUnfiltered) throw bad_audit("pageSize must be between 1 and 1000");
  Json content = Json::array();
  for (std::uint64_t i = number * size; i < found.size() && content.size() < size; ++i) {
    content.push_back(found[i]);
    content.back().erase("at");
  }
  const std::uint64_t pages = (found.size() + size - 1) / size;
  return {{"totalPages", pages},
          {"totalElements", found.size()},
          {"number", number},
          {"size", size},
          {"numberOfElements", content.size()},
          {"first", number == 0},
          {"last", number + 1 >= pages},
          {"empty", content.empty()},
          {"content", std::move(content)}};
}

/// The newest first; `fits` is asked of each until `most` have been looked at.
std::vector<Json> audited(const Platform& platform, std::uint64_t most, const std::function<bool(const Json&)>& fits) {
  std::vector<Json> found;
  const auto& all = platform.objects.all(kAuditKind);
  for (auto one = all.rbegin(); one != all.rend() && most > 0; ++one, --most)
    if (fits(one->second)) found.push_back(one->second);
  return found;
}

Response listed_audit(const Request& request, Platform& platform) {
  static const std::map<std::string, std::string> kFilters = {
      {"action", "ACTION"},      {"component", "COMPONENT"}, {"componentId", "COMPONENT_ID"},
      {"userType", "USER_TYPE"}, {"userId", "USER_ID"},      {"userEmail", "USER_EMAIL"}};
  Json fields = Json::array();
  for (const auto& [parameter, field] : kFilters)
    if (const auto value = request.query_value(parameter))
      fields.push_back({{"fieldType", field}, {"operator", "EQUALS"}, {"value", {*value}}});
  if (const auto value = request.query_value("description"))
    fields.push_back({{"fieldType", "DESCRIPTION"}, {"operator", "CONTAINS"}, {"value", {*value}}});
  const auto from = request.query_value("startDate");
  const auto to = request.query_value("endDate");
  if (from.has_value() != to.has_value()) throw bad_audit("startDate and endDate must be set both");
  const bool filtered = from || !fields.empty();
  const std::int64_t first = from ? audit_moment(*from) : 0;
  const std::int64_t last = to ? audit_moment(*to) : 0;
  const Json criteria = {{"fields", fields}};
  const std::uint64_t size = number_parameter(request, "pageSize", kAuditPage);
  const std::uint64_t number = number_parameter(request, "pageNumber", 0);
  const auto lock = platform.objects.lock();
  const auto found = audited(platform, filtered ? UINT64_MAX : kUnfiltered, [&](const Json& record) {
    const auto at = record["at"].get<std::int64_t>();
    return (!from || (at >= first && at <= last)) && criteria_fit(record, criteria);
  });
  return Response::json(200, audit_page(found, size, number));
}

Response searched_audit(const Request& request, Platform& platform) {
  const Json body = json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"));
  if (!body.is_object()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON object");
  const Json criteria = body.value("criteria", Json());
  const auto lock = platform.objects.lock();
  const auto found = audited(platform, criteria.is_null() ? kUnfiltered : UINT64_MAX,
                             [&](const Json& record) { return criteria.is_null() || criteria_fit(record, criteria); });
  return Response::json(200, audit_page(found, body.value("pageSize", kAuditPage), body.value("pageNumber", 0ULL)));
}

}  // namespace

void record_audit(Platform& platform, const AuditEntry& entry) {
  const std::int64_t now = platform.clock.now_ms();
  // Padded, so that the order of the ids is that of time.
  std::string id = std::to_string(platform.objects.next(kAuditKind));
  id.insert(0, 12 - std::min<std::size_t>(id.size(), 12), '0');
  const std::string user = entry.user.empty() ? kTechnicalAccount : entry.user;
  const bool technical = user == kTechnicalAccount;
  platform.objects.put(
      kAuditKind, id,
      {{"id", id},
       {"at", now},
       {"dateCreated", iso8601(now).substr(0, 23)},
       {"action", entry.action},
       {"description", past_of(entry.action) + " " + lower_words(entry.component) + " '" + entry.name + "'"},
       {"component", {{"id", entry.id}, {"idType", entry.component}, {"name", entry.name}}},
       {"organization", {{"id", platform.identity.organization}}},
       {"user",
        {{"id", user}, {"idType", "IMS"}, {"type", technical ? "TECHNICAL" : "IMS"}, {"email", user_email(user)}}}});
}

void add_audit_log_routes(AnalyticsRoutes& routes, Platform& platform) {
  routes.add("GET", kAuditPath, [&platform](const Request& request) { return listed_audit(request, platform); });
  routes.add("POST", std::string(kAuditPath) + "/search",
             [&platform](const Request& request) { return searched_audit(request, platform); });
}

}  // namespace emulator
