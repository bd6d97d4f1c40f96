#include "plugins/export/export_turn.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "plugins/platform/export_jobs.h"

namespace audiencesync {
namespace {

using std::chrono::steady_clock;

// A run that would have to wait longer ends instead: it comes back, and others may run in its place.
constexpr Duration kLongestQueue = std::chrono::minutes(10);
// The queue is in a file of this machine; looking there costs nothing.
constexpr Duration kLookAgain = std::chrono::seconds(2);

bool is_running(const platform::ExportJob& job) {
  return job.status == platform::ExportStatus::New || job.status == platform::ExportStatus::Processing;
}

std::string words_of(const ExportHolder& holder) {
  return holder.job.empty() ? fmt::format("held by {}", holder.sync)
                            : fmt::format("held by {} (job {})", holder.sync, holder.job);
}

/// What a waiting run knows of the holder before it.
class Watch {
 public:
  Watch(http::WriteClient& client, WriteContext& context, ExportHolder holder)
      : client_(client), context_(context), holder_(std::move(holder)) {}

  const ExportHolder& holder() const { return holder_; }

  /// Takes the slot from a holder that is gone, once its job cannot run any more.
  Result<void> look() {
    const auto now = context_.clock().steady();
    const auto poll = context_.settings().timing.poll_export;
    if (holder_.process == ExportHolder::Process::Alive || (looked_ && now - *looked_ < poll)) return {};
    looked_ = now;
    const auto job = TRY(job_of_holder());
    if (!job) {
      // What it sent just before it died may show up late.
      if (!absent_since_) absent_since_ = now;
      if (now - *absent_since_ < context_.settings().timing.settle) return {};
      return context_.export_slots()->vacate(holder_);
    }
    if (is_running(*job)) {
      const auto age = Duration(context_.server().now() - job->created.value_or(holder_.since));
      if (age <= context_.settings().timing.deadline_export) return {};
      TRY(platform::cancel_export_job(client_, job->id));
      context_.events().warn(
          "export.cancelled",
          {{"sync", context_.manifest().name},
           {"job", job->id},
           {"of", holder_.sync},
           {"ran_s", static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count())},
           {"next", "its process is gone and it ran past deadline_export; its export slot is free"}});
    }
    return context_.export_slots()->vacate(holder_);
  }

 private:
  Result<std::optional<platform::ExportJob>> job_of_holder() {
    if (!holder_.job.empty()) return platform::get_export_job(context_.http(), holder_.job);
    // Our idea of server time may be off by as much: answers carry whole seconds.
    constexpr Duration kSkew = std::chrono::seconds(2);
    const auto jobs = TRY(platform::export_jobs_since(context_.http(), holder_.since - kSkew));
    const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const platform::ExportJob& job) {
      return job.dataset == holder_.dataset && is_running(job);
    });
    return found == jobs.end() ? std::optional<platform::ExportJob>() : std::optional(*found);
  }

  http::WriteClient& client_;
  WriteContext& context_;
  ExportHolder holder_;
  std::optional<steady_clock::time_point> looked_;
  std::optional<steady_clock::time_point> absent_since_;
};

}  // namespace

Result<void> await_export_turn(http::WriteClient& client, const std::string& dataset, WriteContext& context) {
  auto* slots = context.export_slots();
  if (slots == nullptr) return {};
  const auto& manifest = context.manifest();
  const auto take = [&] { return slots->take({manifest.uid, manifest.name, dataset, "", context.server().now()}); };
  const auto begun = context.clock().steady();
  auto before = TRY(take());
  if (!before) return {};
  while (before) {
    const auto holder = *before;
    const auto what = fmt::format("an export slot of sandbox {}, {}", manifest.sandbox, words_of(holder));
    context.events().emit("export.waits", {{"sync", manifest.name},
                                           {"sandbox", manifest.sandbox},
                                           {"held_by", holder.sync},
                                           {"job", holder.job},
                                           {"since", to_iso8601(holder.since)}});
    Watch watch(client, context, holder);
    const auto waited = std::chrono::duration_cast<Duration>(context.clock().steady() - begun);
    auto over = context.wait(what, std::min(context.settings().timing.poll_export, kLookAgain),
                             std::max(kLongestQueue - waited, Duration(0)), [&]() -> Result<std::optional<Value>> {
                               TRY(watch.look());
                               before = TRY(take());
                               const bool same = before && before->uid == holder.uid && before->job == holder.job &&
                                                 before->process == holder.process;
                               return same ? std::optional<Value>() : std::optional(Value(true));
                             });
    if (over.ok()) continue;
    if (over.error().code() != ErrorCode::NotFinished) return std::move(over).error();
    return Error(ErrorCode::NotFinished,
                 fmt::format("waits for the export slot of sandbox {}, {} since {}; one export job runs there at a "
                             "time, so run again later, the place in the queue is kept",
                             manifest.sandbox, words_of(holder), to_iso8601(holder.since)));
  }
  context.events().emit("export.turn", {{"sync", manifest.name}, {"sandbox", manifest.sandbox}});
  return {};
}

Result<void> name_export_job(const std::string& job, const WriteContext& context) {
  if (context.export_slots() == nullptr) return {};
  return context.export_slots()->started(context.manifest().uid, job);
}

Result<void> end_export_turn(const WriteContext& context) {
  if (context.export_slots() == nullptr) return {};
  return context.export_slots()->release(context.manifest().uid);
}

}  // namespace audiencesync
