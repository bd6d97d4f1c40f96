#include "plugins/platform/merge_policies.h"

#include <map>

#include "plugins/platform/call.h"
#include "plugins/platform/paging.h"

namespace audiencesync::platform {

Result<std::vector<MergePolicy>> list_merge_policies(http::ReadClient& client) {
  std::map<std::string, MergePolicy> found;
  const auto fetch = [&](const std::string& cursor) -> Result<std::string> {
    http::Query query{{"limit", "100"}};
    if (!cursor.empty()) query.emplace_back("start", cursor);
    auto answer = TRY(read_json(client, get("/data/core/ups/config/mergePolicies", std::move(query))));
    for (const auto& child : answer.items("children")) {
      if (const auto* schema = child.find("schema");
          schema != nullptr && !schema->text("name").empty() && schema->text("name") != "_xdm.context.profile")
        continue;
      MergePolicy policy;
      policy.id = id_text(child.find("id"));
      policy.name = child.text("name");
      policy.is_default = child.flag("default") ? DefaultPolicy::Yes : DefaultPolicy::No;
      if (!policy.id.empty()) found.insert_or_assign(policy.id, std::move(policy));
    }
    return next_cursor(answer, "start");
  };
  TRY(each_page("merge policies", fetch).in("merge policies"));
  std::vector<MergePolicy> policies;
  for (auto& [id, policy] : found) policies.push_back(std::move(policy));
  return policies;
}

}  // namespace audiencesync::platform
