#include "plugins/membership/superseded.h"

#include <fmt/format.h>

#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
namespace {

std::string text_of(const Change& change, std::string_view name) {
  const auto found = change.after.find(name);
  const auto* value = found == change.after.end() ? nullptr : std::get_if<Value>(&found->second);
  const auto* text = value == nullptr ? nullptr : value->string_if();
  return text == nullptr ? std::string{} : *text;
}

}  // namespace

Result<Applied> remove_superseded(const Change& change, WriteContext& context) {
  const auto id = text_of(change, "batch");
  const auto dataset = text_of(change, "dataset");
  const auto gone = [&]() -> Result<std::optional<Value>> {
    const auto batch = TRY(platform::get_batch(context.http(), id));
    if (!batch || !platform::is_live(*batch)) return std::optional(Value(true));
    if (batch->dataset != dataset) {
      return Error(ErrorCode::Conflict,
                   fmt::format("batch {} is in dataset {}, not in the target {}", id, batch->dataset, dataset));
    }
    return std::nullopt;
  };
  TRY(context.once(
      {"revert", ""}, [&](const Attempt&) { return gone(); },
      [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
        // What is gone already needs no call.
        if (TRY(gone())) return Value(true);
        TRY(platform::revert_batch(client, id));
        return Value(true);
      }));
  const auto& timing = context.settings().timing;
  TRY(context.wait(fmt::format("batch {} to become inactive", id), timing.poll_batch, timing.deadline_batch, gone));
  Applied applied;
  applied.proof.batch = id;
  return applied;
}

}  // namespace audiencesync
