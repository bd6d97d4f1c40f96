#include "engine/reconcile/logged_context.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

// An unknown outcome that repeats is the platform's state, not bad luck: then the run ends and a later one looks again.
constexpr int kMostAttempts = 3;

Error interrupted(std::string_view when) {
  return Error(ErrorCode::Interrupted, fmt::format("interrupted {}; the next apply continues", when));
}

}  // namespace

Result<Value> LoggedContext::once(const Step& step, const Find& find, const Make& make) {
  const Intent intent = TRY(store_.open_intent(change_, step.name, step.sequence, server().now()));
  if (intent.result) return *intent.result;
  const Attempt attempt{intent.number, intent.opened};

  const auto close = [&](Value result) -> Result<Value> {
    TRY(store_.close_intent(intent.id, result, server().now()));
    return result;
  };

  bool uncertain = !intent.fresh;
  for (int tried = 1;; ++tried) {
    if (stop().stop_requested()) return interrupted(fmt::format("before step {}", step.name));
    if (uncertain && find) {
      auto found = TRY(look_for(step, find, attempt));
      if (found) return close(std::move(*found));
    }
    auto made = make(writer_, attempt);
    if (made.ok()) return close(std::move(made).take());
    if (made.error().code() != ErrorCode::Unknown) return std::move(made).error();
    if (tried == kMostAttempts) {
      return Error(ErrorCode::Unavailable,
                   fmt::format("step {} has no known outcome after {} attempts ({}); the next apply looks for it again",
                               step.name, tried, made.error().text()));
    }
    events().warn("step.unknown", {{"step", step.name}, {"attempt", tried}, {"error", made.error().text()}});
    uncertain = true;
  }
}

Result<std::optional<Value>> LoggedContext::look_for(const Step& step, const Find& find, const Attempt& attempt) {
  const Duration settle = settings().timing.settle;
  // Counted from now, not from the intent: a killed process may have sent its request just before it died.
  const Time absent_from = server().now() + settle;
  Duration pause = std::max(settle / 8, Duration(1));
  while (true) {
    auto found = TRY(find(attempt));
    if (found) {
      events().emit("step.found", {{"step", step.name}});
      return found;
    }
    const Time now = server().now();
    if (now >= absent_from) break;
    if (!clock().sleep(std::min(pause, Duration(absent_from - now) + Duration(1)), stop()))
      return interrupted(fmt::format("while looking for what step {} made", step.name));
  }
  // Lists of the platform are eventually consistent: one more look, a moment later, before absence counts.
  if (!clock().sleep(pause, stop())) return interrupted(fmt::format("while looking for what step {} made", step.name));
  return find(attempt);
}

Result<Value> LoggedContext::wait(std::string_view what, Duration poll, Duration deadline,
                                  const std::function<Result<std::optional<Value>>()>& look) {
  const auto started = clock().steady();
  while (true) {
    auto seen = TRY(look());
    if (seen) return std::move(*seen);
    const auto waited = std::chrono::duration_cast<Duration>(clock().steady() - started);
    if (waited >= deadline) {
      return Error(ErrorCode::NotFinished,
                   fmt::format("{} is not finished after {} s; run apply again later, it continues there", what,
                               std::chrono::duration_cast<std::chrono::seconds>(waited).count()));
    }
    events().progress(what, static_cast<std::uint64_t>(waited.count()), 0, "ms");
    if (!clock().sleep(std::min(poll, deadline - waited), stop()))
      return interrupted(fmt::format("while waiting for {}", what));
  }
}

Result<void> LoggedContext::commit(const Step& step, const SnapshotRecord& snapshot, const BatchRecord& batch,
                                   const std::vector<QuarantineRecord>& quarantine) {
  const Intent intent = TRY(store_.open_intent(change_, step.name, "", server().now()));
  if (intent.result) return {};
  return store_.commit(intent.id, snapshot, batch, quarantine, server().now());
}

Result<void> LoggedContext::adopt(const Step& step, const Adoption& adoption) {
  const Intent intent = TRY(store_.open_intent(change_, step.name, "", server().now()));
  if (intent.result) return {};
  return store_.adopt(intent.id, adoption, server().now());
}

}  // namespace audiencesync
