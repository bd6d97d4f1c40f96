#include "plugins/membership/superseded.h"

#include <fmt/format.h>

#include "engine/model/change_fields.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
Result<Applied> remove_superseded(const Change& change, WriteContext& context) {
  const auto id = field_text(change, "batch");
  const auto dataset = field_text(change, "dataset");
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
