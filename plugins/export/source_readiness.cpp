#include "plugins/export/source_readiness.h"

#include <fmt/format.h>

#include "engine/manifest/scalar_values.h"
#include "engine/report/figures.h"

namespace audiencesync {

Result<void> not_ready(const ObserveRequest& request, std::string why, Observed& observed) {
  if (request.not_before) return Error(ErrorCode::NotFinished, std::move(why));
  observed.findings.push_back({Severity::Wait, "source-not-ready", std::move(why)});
  return {};
}

std::optional<std::string> too_old(const ObserveRequest& request, const ReadContext& context, const std::string& what,
                                   Duration age) {
  auto allowed = context.manifest().source.max_age;
  if (request.pinned_source) allowed += context.settings().timing.approval_ttl;
  if (age <= allowed) return std::nullopt;
  return fmt::format(
      "{} is {} old, more than source.max_age ({}) allows; nothing is computed from it, run again when "
      "there is a newer one",
      what, age_text(age), duration_text(context.manifest().source.max_age));
}

}  // namespace audiencesync
