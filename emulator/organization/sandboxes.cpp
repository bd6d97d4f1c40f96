#include "emulator/organization/sandboxes.h"

#include "emulator/http/errors.h"

namespace emulator {
namespace {

Json sandbox_json(const Platform& platform) {
  return {{"name", platform.identity.sandbox},
          {"title", "Production"},
          {"state", "active"},
          {"type", "production"},
          {"region", "VA7"},
          {"isDefault", true},
          {"eTag", 1}};
}

}  // namespace

void add_sandbox_routes(Router& router, Platform& platform) {
  const RouteOptions organization{.body = BodyMode::Memory, .gate = Gate::Organization};
  const std::string base = "/data/foundation/sandbox-management";
  const auto list = [&platform](const Request&) {
    return Response::json(200, Json{{"sandboxes", Json::array({sandbox_json(platform)})},
                                    {"_page", {{"limit", 200}, {"count", 1}}},
                                    {"_links", Json::object()}});
  };
  router.add("GET", base, list, organization);
  router.add("GET", base + "/sandboxes", list, organization);
  router.add(
      "GET", base + "/sandboxes/{name}",
      [&platform](const Request& request) {
        const std::string& name = request.parameter("name");
        if (name != platform.identity.sandbox)
          return problem(404, "SMS-2074-404", "Sandbox '" + name + "' does not exist");
        return Response::json(200, sandbox_json(platform));
      },
      organization);
}

}  // namespace emulator
