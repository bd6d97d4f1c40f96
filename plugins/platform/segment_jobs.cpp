#include "plugins/platform/segment_jobs.h"

#include <algorithm>

#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

const char* const kSegmentJobs = "/data/core/ups/segment/jobs";

std::optional<Time> finished_at(const Value& job) {
  if (auto time = time_of(job.find_path({"metrics", "totalTime", "endTimeInMs"}))) return time;
  if (auto time = time_of(job.find("updateTime"))) return time;
  return time_of(job.find("creationTime"));
}

}  // namespace

Result<std::vector<Evaluation>> recent_evaluations(http::ReadClient& client) {
  auto answer =
      TRY(read_json(client, get(kSegmentJobs, {{"status", "SUCCEEDED"}, {"sort", "updateTime:desc"}, {"limit", "20"}}))
              .in("segment jobs"));
  std::vector<Evaluation> evaluations;
  for (const auto& job : answer.items("children")) {
    if (job.text("status") != "SUCCEEDED") continue;
    Evaluation evaluation;
    evaluation.id = id_text(job.find("id"));
    evaluation.finished = finished_at(job);
    evaluation.nightly = job.text("source") == "scheduler";
    for (const auto& segment : job.items("segments")) evaluation.audiences.insert(id_text(segment.find("segmentId")));
    if (const auto* counters = job.find_path({"metrics", "segmentedProfileCounter"});
        counters != nullptr && counters->is_object())
      for (const auto& [id, count] : *counters->object_if())
        if (const auto number = to_number(count); number && *number >= 0)
          evaluation.people[id] = static_cast<std::uint64_t>(*number);
    evaluations.push_back(std::move(evaluation));
  }
  return evaluations;
}

Result<std::optional<Evaluation>> latest_evaluation(http::ReadClient& client) {
  auto evaluations = TRY(recent_evaluations(client));
  const auto latest = std::max_element(evaluations.begin(), evaluations.end(), [](const auto& left, const auto& right) {
    return left.finished.value_or(Time()) < right.finished.value_or(Time());
  });
  if (latest == evaluations.end()) return std::optional<Evaluation>();
  return std::optional(std::move(*latest));
}

}  // namespace audiencesync::platform
