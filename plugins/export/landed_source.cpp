#include "plugins/export/landed_source.h"

#include <fmt/format.h>

#include "engine/manifest/scalar_values.h"
#include "engine/membership/landed_files.h"
#include "engine/report/figures.h"
#include "plugins/export/source_readiness.h"

namespace audiencesync {
namespace {

Duration age_of(const LandedFiles& landed, Time now) { return now - from_epoch_ms(landed.newest_ns() / 1'000'000); }

Result<std::optional<std::string>> outside(const LandedFiles& landed, const ReadContext& context) {
  for (const auto& file : landed.files) {
    if (!TRY(lies_below(context.files(), file.path, context.settings().source_folders))) {
      return std::optional(file.path.string());
    }
  }
  return std::optional<std::string>();
}

}  // namespace

Result<Observed> observe_landed_files(const ObserveRequest& request, ReadContext& context) {
  Observed observed;
  const auto& path = context.manifest().source.path;
  auto seen = landed_files(context.files(), path);
  if (!seen.ok() && seen.error().code() != ErrorCode::NotFound) return std::move(seen).error();
  const auto landed = seen.ok() ? std::move(seen).take() : LandedFiles{};
  if (landed.files.empty()) {
    TRY(not_ready(request,
                  fmt::format("there is no file of profiles at {} (source.path); nobody is removed because of it, run "
                              "again when the files have arrived",
                              path),
                  observed));
    return observed;
  }
  if (const auto file = TRY(outside(landed, context))) {
    observed.findings.push_back(
        {Severity::Refuse, "source-outside",
         fmt::format("{} leads out of the folders that the settings allow manifests to read; remove the link, or list "
                     "where it leads in 'source_folders'",
                     *file)});
    return observed;
  }
  // Somebody may still be writing: what has not changed for this long is complete.
  const auto settle = context.settings().timing.settle;
  const auto age = age_of(landed, context.clock().now());
  if (age < settle && !request.pinned_source) {
    TRY(not_ready(request,
                  fmt::format("the files at {} (source.path) changed {} ago and may still be written; run again when "
                              "nothing has changed for {}",
                              path, age_text(age), duration_text(settle)),
                  observed));
    return observed;
  }
  const auto old = too_old(request, context, fmt::format("the newest file at {} (source.path)", path), age);
  const bool other = request.pinned_source && *request.pinned_source != landed.id();
  if (old || other) {
    TRY(not_ready(request, old ? *old : fmt::format("the files at {} are not those of the plan any more", path),
                  observed));
    return observed;
  }
  Value::Array paths;
  for (const auto& file : landed.files) paths.emplace_back(file.path.string());
  observed.outputs["files"] = std::move(paths);
  observed.outputs["batches"] = Value::Array{Value(landed.id())};
  observed.outputs["created"] = landed.newest_ns() / 1'000'000;
  return observed;
}

}  // namespace audiencesync
