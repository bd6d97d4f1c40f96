#include "plugins/platform/sandboxes.h"

#include "plugins/platform/call.h"
#include "plugins/platform/paging.h"

namespace audiencesync::platform {

Result<std::vector<Sandbox>> list_sandboxes(http::ReadClient& client) {
  std::vector<Sandbox> sandboxes;
  const auto fetch = [&](const std::string& cursor) -> Result<std::string> {
    http::Query query;
    if (!cursor.empty()) query.emplace_back("offset", cursor);
    auto answer = TRY(read_json(client, get("/data/foundation/sandbox-management/", std::move(query))));
    for (const auto& value : answer.items("sandboxes")) {
      Sandbox sandbox;
      sandbox.name = value.text("name");
      sandbox.state = ascii_lower(value.text("state"));
      sandbox.type = ascii_lower(value.text("type"));
      sandboxes.push_back(std::move(sandbox));
    }
    return next_cursor(answer, "offset");
  };
  TRY(each_page("sandboxes", fetch).in("sandboxes"));
  return sandboxes;
}

}  // namespace audiencesync::platform
