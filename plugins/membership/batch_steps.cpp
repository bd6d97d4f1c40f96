#include "plugins/membership/batch_steps.h"

#include <fmt/format.h>

#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {

BatchSteps::BatchSteps(WriteContext& context, int number) : BatchSteps(context, std::to_string(number)) {}
BatchSteps::BatchSteps(WriteContext& context, std::string label) : context_(context), label_(std::move(label)) {}

Result<void> BatchSteps::complete(const std::string& batch) {
  TRY(context_.once(
      {fmt::format("complete-{}", label_), ""},
      [&](const Attempt&) -> Result<std::optional<Value>> {
        const auto seen = TRY(platform::get_batch(context_.http(), batch));
        if (!seen || platform::is_loading(*seen)) return std::nullopt;
        return std::optional(Value(seen->status));
      },
      [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
        const auto sent = platform::complete_batch(client, batch);
        if (sent.ok()) return Value("sent");
        // A repeated COMPLETE is refused by a batch that took the first one: then its status is the answer.
        const auto seen = TRY(platform::get_batch(context_.http(), batch));
        if (seen && !platform::is_loading(*seen)) return Value(seen->status);
        return sent.error();
      }));
  return {};
}

Result<platform::Batch> BatchSteps::outcome(const std::string& batch) {
  std::optional<platform::Batch> last;
  const auto& timing = context_.settings().timing;
  TRY(context_.wait(fmt::format("batch {}", batch), timing.poll_batch, timing.deadline_batch,
                    [&]() -> Result<std::optional<Value>> {
                      last = TRY(platform::get_batch(context_.http(), batch));
                      // Right after COMPLETE the catalog may still say `loading`, or nothing at all.
                      if (!last || !platform::is_terminal(*last)) return std::nullopt;
                      // Counts may come a moment later than the status, and without them nothing is proven.
                      if (platform::is_live(*last) && !last->records) return std::nullopt;
                      return std::optional(Value(last->status));
                    }));
  return *last;
}

Result<void> BatchSteps::abort(const std::string& batch) {
  TRY(context_.once(
      {fmt::format("abort-{}", label_), ""},
      [&](const Attempt&) -> Result<std::optional<Value>> {
        const auto seen = TRY(platform::get_batch(context_.http(), batch));
        if (seen && platform::is_loading(*seen)) return std::nullopt;
        return std::optional(Value(true));
      },
      [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
        TRY(platform::abort_batch(client, batch));
        return Value(true);
      }));
  return {};
}

Result<void> BatchSteps::revert(const std::string& batch) {
  TRY(context_.once(
      {fmt::format("revert-{}", label_), ""},
      [&](const Attempt&) -> Result<std::optional<Value>> {
        const auto seen = TRY(platform::get_batch(context_.http(), batch));
        if (seen && platform::is_live(*seen)) return std::nullopt;
        return std::optional(Value(true));
      },
      [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
        TRY(platform::revert_batch(client, batch));
        return Value(true);
      }));
  return {};
}

Result<void> BatchSteps::withdraw(const std::string& batch) {
  auto seen = TRY(platform::get_batch(context_.http(), batch));
  if (!seen) return {};
  if (platform::is_loading(*seen)) {
    TRY(abort(batch));
    seen = TRY(platform::get_batch(context_.http(), batch));
  }
  if (seen && !platform::is_terminal(*seen) && !platform::is_loading(*seen)) seen = TRY(outcome(batch));
  if (!seen || !platform::is_live(*seen)) return {};
  TRY(revert(batch));
  const auto& timing = context_.settings().timing;
  // The next observation would take a batch that is still live for another writer's.
  TRY(context_.wait(fmt::format("batch {} to be taken back", batch), timing.poll_batch, timing.deadline_batch,
                    [&]() -> Result<std::optional<Value>> {
                      const auto now = TRY(platform::get_batch(context_.http(), batch));
                      if (now && platform::is_live(*now)) return std::nullopt;
                      return std::optional(Value(true));
                    }));
  return {};
}

}  // namespace audiencesync
