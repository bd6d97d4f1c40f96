#include "daemon/plan_file.h"

#include <fmt/format.h>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr std::int64_t kPlanVersion = 1;

Error unusable(const Path& path, std::string_view why) {
  return Error(ErrorCode::Usage,
               fmt::format("{}: {}; make one with: audiencesync plan --fresh --out plan.json", path.string(), why));
}

}  // namespace

Result<PlanFile> read_plan_file(const Files& files, const Path& path) {
  const auto text = TRY(files.read(path));
  const auto document = parse_json(text);
  if (!document.ok() || !document->is_object()) return unusable(path, "this is no plan in JSON");
  if (document->number("version") != kPlanVersion) {
    return unusable(path, fmt::format("its version is not {}, the one this program knows", kPlanVersion));
  }
  PlanFile out;
  for (const auto& sync : document->items("syncs")) {
    const auto* plan = sync.find("plan");
    if (plan == nullptr || plan->text("digest").empty() || plan->text("uid").empty()) {
      return unusable(path, fmt::format("sync '{}' has no plan in it", sync.text("sync")));
    }
    if (plan->number("version") != kPlanVersion) {
      return unusable(path, fmt::format("the plan of '{}' is of another version", sync.text("sync")));
    }
    if (!plan->flag("memberships_known") || plan->text("source").empty()) {
      return unusable(path, fmt::format("the plan of '{}' does not know its memberships yet, so it cannot be applied "
                                        "as it is",
                                        sync.text("sync")));
    }
    if (!out.plans.emplace(plan->text("uid"), *plan).second) {
      return unusable(path, fmt::format("it has two plans of '{}'", plan->text("uid")));
    }
    out.manifests.push_back(plan->text("file"));
  }
  if (out.plans.empty()) return unusable(path, "it holds no plan");
  return out;
}

}  // namespace audiencesync
