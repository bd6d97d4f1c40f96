#include "plugins/export/evaluation_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/manifest/scalar_values.h"
#include "engine/report/figures.h"
#include "plugins/platform/export_jobs.h"
#include "plugins/platform/segment_jobs.h"

namespace audiencesync {
namespace {

// A run that would have to wait longer ends instead, and comes back: it holds a lock and a process.
constexpr Duration kLongestLook = std::chrono::minutes(10);

/// When the newest export that would serve the request was made.
Result<std::optional<Time>> last_export(const ExportRequest& request, const ReadContext& context) {
  const auto since = context.server().now() - context.manifest().source.max_age;
  const auto jobs = TRY(platform::export_jobs_since(context.http(), since));
  for (const auto& job : jobs)
    if (job.status == platform::ExportStatus::Succeeded && covers(job, request)) return job.created;
  return std::optional<Time>();
}

/// When the audiences were last evaluated: by the nightly schedule, or all of them by somebody's wish.
Result<std::optional<Time>> last_evaluation(const ExportRequest& request, const ReadContext& context) {
  std::optional<Time> last;
  const auto evaluations = TRY(platform::recent_evaluations(context.http()));
  for (const auto& evaluation : evaluations) {
    const auto& audiences = evaluation.audiences;
    const auto wanted = request.filter.items("segments");
    const bool all = evaluation.nightly || audiences.contains("*") ||
                     std::all_of(wanted.begin(), wanted.end(),
                                 [&](const Value& segment) { return audiences.contains(segment.text("segmentId")); });
    if (all && evaluation.finished && (!last || *evaluation.finished > *last)) last = evaluation.finished;
  }
  return last;
}

std::string when(const std::optional<Time>& time) {
  return time ? "is of " + second_text(*time) : std::string("is not known");
}

}  // namespace

Result<std::string> await_evaluation(const ExportRequest& request, Time since, WriteContext& context) {
  const auto allowed = context.manifest().source.wait_for_evaluation;
  if (allowed == Duration(0)) return std::string();
  const auto exported = TRY(last_export(request, context));
  if (!exported) return std::string();
  const auto until = since + allowed;
  std::optional<Time> evaluated;
  bool told = false;
  const auto& sync = context.manifest().name;
  const auto look = [&]() -> Result<std::optional<Value>> {
    evaluated = TRY(last_evaluation(request, context));
    const bool newer = evaluated && *evaluated > *exported;
    if (newer || context.server().now() >= until) return std::optional(Value(newer));
    if (!told) {
      context.events().emit("evaluation.waits", {{"sync", sync},
                                                 {"last_export", second_text(*exported)},
                                                 {"last_evaluation", evaluated ? second_text(*evaluated) : ""},
                                                 {"until", second_text(until)}});
    }
    told = true;
    return std::optional<Value>();
  };
  const auto seen = context.wait("an evaluation that is newer than the last export",
                                 std::min(context.settings().timing.poll_export, allowed), kLongestLook, look);
  if (!seen.ok() && seen.error().code() == ErrorCode::NotFinished) {
    return Error(ErrorCode::NotFinished,
                 fmt::format("waits until {} for an evaluation that is newer than the export of {} "
                             "(source.wait_for_evaluation), the last one {}; run again later, it goes on with that",
                             second_text(until), second_text(*exported), when(evaluated)));
  }
  if (!seen.ok()) return seen.error();
  if (told) context.events().emit("evaluation.over", {{"sync", sync}, {"newer", *seen}});
  if (*seen == Value(true)) return std::string();
  return fmt::format(
      "no evaluation of the audiences came within {} (source.wait_for_evaluation) after the export of "
      "{}, the last one {}: this export repeats what was known; look whether the nightly evaluation "
      "failed, or whether the schedule begins too early",
      duration_text(allowed), second_text(*exported), when(evaluated));
}

}  // namespace audiencesync
