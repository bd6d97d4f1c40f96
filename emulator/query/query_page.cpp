#include <algorithm>

#include "emulator/data/errors.h"
#include "emulator/http/errors.h"
#include "emulator/http/uri.h"
#include "emulator/query/queries.h"

namespace emulator {
namespace {

constexpr std::uint64_t kDefaultPage = 50;
constexpr std::uint64_t kLargestPage = 1000;

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

struct QueryFilter {
  std::string field, operation, value;
};

QueryFilter filter_of(const std::string& text) {
  const std::size_t at = text.find_first_of("=!<>~");
  if (at == std::string::npos || at == 0) throw query_failure(400, "property: '" + text + "' has no operator");
  const std::size_t length = text[at] != '~' && at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  const std::string operation = text.substr(at, length);
  if (operation == "=" || operation == "!") throw query_failure(400, "property: '" + text + "' has no known operator");
  return {text.substr(0, at), operation, text.substr(at + length)};
}

std::vector<std::string> values_of(const Json& entry, const std::string& field) {
  if (field == "sql") return {entry.value("effectiveSQL", entry.value("sql", ""))};
  if (field == "templateId") return {entry.value("request", Json::object()).value("templateId", "")};
  if (field == "referenced_datasets") {
    std::vector<std::string> out;
    for (const Json& one : entry.value("_links", Json::object()).value(field, Json::array())) out.push_back(one["id"]);
    return out;
  }
  if (!entry.contains(field)) return {};
  return {value_text(entry[field])};
}

bool holds(const Json& entry, const QueryFilter& filter) {
  const auto values = values_of(entry, filter.field);
  const auto compare = [&](const std::string& value) {
    if (filter.operation == "~") return value.find(filter.value) != std::string::npos;
    if (filter.operation == "==") return value == filter.value;
    if (filter.operation == "<") return value < filter.value;
    if (filter.operation == "<=") return value <= filter.value;
    if (filter.operation == ">") return value > filter.value;
    return value >= filter.value;
  };
  if (filter.operation == "!=") return std::find(values.begin(), values.end(), filter.value) == values.end();
  return std::any_of(values.begin(), values.end(), compare);
}

}  // namespace

HttpError query_failure(int status, const std::string& message) {
  return HttpError{problem(status, "QS-1000-" + std::to_string(status), message)};
}

Json query_page(const Request& request, std::vector<Json> entries, const std::string& name, const std::string& path) {
  std::string order = request.query_value("orderby").value_or("-created");
  // A plus sign that nobody encoded came as a blank.
  const bool descending = order.starts_with('-');
  if (order.starts_with('-') || order.starts_with('+') || order.starts_with(' ')) order.erase(0, 1);
  if (order != "created" && order != "updated" && order != "id" && order != "state")
    throw query_failure(400, "orderby: '" + order + "' is not created, updated, id or state");
  std::uint64_t limit = kDefaultPage;
  if (const auto given = request.query_value("limit")) {
    const auto number = whole_number(*given);
    if (!number || *number == 0 || *number > kLargestPage)
      throw query_failure(400, "limit: '" + *given + "' is not a number from 1 to 1000");
    limit = *number;
  }
  const std::string property = request.query_value("property").value_or("");
  for (std::size_t begin = 0; begin < property.size();) {
    const std::size_t comma = std::min(property.find(',', begin), property.size());
    const QueryFilter filter = filter_of(property.substr(begin, comma - begin));
    begin = comma + 1;
    std::erase_if(entries, [&](const Json& entry) { return !holds(entry, filter); });
  }
  std::sort(entries.begin(), entries.end(), [&](const Json& a, const Json& b) {
    const std::string left = value_text(a.value(order, Json("")));
    const std::string right = value_text(b.value(order, Json("")));
    if (left == right) return a.value("id", "") < b.value("id", "");
    return descending ? right < left : left < right;
  });
  if (const auto start = request.query_value("start"); start && !start->empty())
    std::erase_if(entries, [&](const Json& entry) {
      const std::string value = value_text(entry.value(order, Json("")));
      return descending ? value > *start : value < *start;
    });
  Json page{{"orderby", (descending ? "-" : "+") + order},
            {"start", entries.empty() ? "" : value_text(entries.front().value(order, Json("")))},
            {"count", std::min<std::uint64_t>(limit, entries.size())}};
  if (!property.empty()) page["property"] = property;
  Json links = Json::object();
  if (entries.size() > limit) {
    page["next"] = value_text(entries[limit].value(order, Json("")));
    std::string href = path + "?orderby=" + percent_encode(page["orderby"].get<std::string>()) +
                       "&limit=" + std::to_string(limit) + "&start=" + percent_encode(page["next"].get<std::string>());
    if (!property.empty()) href += "&property=" + percent_encode(property);
    links["next"] = {{"href", href}};
    entries.resize(limit);
  }
  return {{name, entries}, {"_page", page}, {"_links", links}, {"version", 1}};
}

void add_query_template_routes(Router& router, Platform& platform) {
  const std::string base = "/data/foundation/query/query-templates";
  constexpr const char* kKind = "query_template";
  const auto links = [base](Json object) {
    const std::string self = base + "/" + object.value("id", "");
    object["_links"] = {{"self", {{"href", self}, {"method", "GET"}}},
                        {"update", {{"href", self}, {"method", "PUT"}}},
                        {"delete", {{"href", self}, {"method", "DELETE"}}}};
    return object;
  };
  const auto known = [&platform](const Request& request) -> const Json& {
    const Json* found = platform.objects.find(kKind, request.parameter("id"));
    if (found == nullptr) throw query_failure(404, "there is no template '" + request.parameter("id") + "'");
    return *found;
  };
  const auto store = [&platform, links](const Request& request, Json object) {
    const Json body = json_body(request, query_failure(400, "the body is not JSON"));
    if (body.value("name", "").empty() || body.value("sql", "").empty())
      throw query_failure(400, "name and sql are required");
    for (const char* field : {"name", "sql", "queryParameters"})
      if (body.contains(field)) object[field] = body[field];
    object["updated"] = iso8601(platform.clock.now_ms());
    object["userId"] = object["lastUpdatedBy"] = platform.identity.client_id;
    platform.objects.put(kKind, object["id"], object);
    return Response::json(202, links(object));
  };
  router.add("GET", base, checked([&platform, links, base](const Request& request) {
               const auto lock = platform.objects.lock();
               std::vector<Json> all;
               for (const auto& [id, object] : platform.objects.all(kKind)) all.push_back(links(object));
               return Response::json(200, query_page(request, std::move(all), "templates", base));
             }));
  router.add("GET", base + "/count", checked([&platform](const Request&) {
               const auto lock = platform.objects.lock();
               return Response::json(200, {{"totalCount", platform.objects.all(kKind).size()}, {"version", 1}});
             }));
  router.add("POST", base, checked([&platform, store](const Request& request) {
               const auto lock = platform.objects.lock();
               return store(request, {{"id", platform.new_uuid(kKind)}, {"created", iso8601(platform.clock.now_ms())}});
             }));
  router.add("GET", base + "/{id}", checked([&platform, links, known](const Request& request) {
               const auto lock = platform.objects.lock();
               return Response::json(200, links(known(request)));
             }));
  router.add("PUT", base + "/{id}", checked([&platform, store, known](const Request& request) {
               const auto lock = platform.objects.lock();
               return store(request, known(request));
             }));
  router.add("DELETE", base + "/{id}", checked([&platform, known](const Request& request) {
               const auto lock = platform.objects.lock();
               const std::string id = known(request)["id"];
               platform.objects.erase(kKind, id);
               return Response::json(202, {{"message", "Deleted"}, {"statusCode", "202"}});
             }));
}

}  // namespace emulator
