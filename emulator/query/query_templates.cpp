#include "emulator/data/errors.h"
#include "emulator/query/queries.h"
#include "emulator/query/query_page.h"

namespace emulator {

void add_query_template_routes(Router& router, Platform& platform) {
  const std::string base = "/data/foundation/query/query-templates";
  constexpr const char* kKind = "query_template";
  const QueryListing listing{
      "templates", base, {{"name", "~"}, {"userId", "=="}, {"lastUpdatedBy", "=="}}, {"created", "updated"}};
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
    object["lastUpdatedBy"] = platform.identity.client_id;
    if (!object.contains("userId")) object["userId"] = platform.identity.client_id;
    platform.objects.put(kKind, object["id"], object);
    return Response::json(202, links(object));
  };
  const auto all = [&platform, links] {
    std::vector<Json> out;
    for (const auto& [id, object] : platform.objects.all(kKind)) out.push_back(links(object));
    return out;
  };
  router.add("GET", base, checked([&platform, all, listing](const Request& request) {
               const auto lock = platform.objects.lock();
               return Response::json(200, query_page(request, all(), listing));
             }));
  router.add("GET", base + "/count", checked([&platform, all, listing](const Request& request) {
               const auto lock = platform.objects.lock();
               auto entries = all();
               query_filter(request, entries, listing);
               return Response::json(200, {{"totalCount", entries.size()}, {"version", 1}});
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
