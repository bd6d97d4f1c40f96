#include "plugins/membership/target_batches.h"

#include <algorithm>

#include "plugins/membership/ingest.h"
#include "plugins/platform/batches.h"

namespace audiencesync {

Result<LedgerInput> ledger_input(const std::string& dataset, const std::string& relation, bool take_over,
                                 ReadContext& context) {
  LedgerInput input;
  input.dataset = dataset;
  input.take_over = take_over;
  input.written = TRY(context.records().batches(relation));
  input.seen = TRY(platform::batches_of(context.http(), dataset));
  input.uid_tag = "uid:" + context.manifest().uid;
  input.state_tag = "state:" + context.state_id();
  for (const auto& open : TRY(context.records().open_changes(context.manifest().uid))) {
    if (open.change.key != kPeopleKey || !open.change.bulk) continue;
    for (const auto& batch : input.seen) {
      if (is_attempt_of(batch.external_id, *open.change.bulk)) input.in_flight.insert(batch.external_id);
    }
  }
  input.lookup = [&context](const std::string& id) { return platform::get_batch(context.http(), id); };
  return input;
}

std::int64_t oldest_counting(const LedgerInput& input) {
  std::int64_t oldest = 0;
  for (const auto& record : input.written) {
    if (record.superseded || record.dataset != input.dataset) continue;
    oldest = oldest == 0 ? record.generation : std::min(oldest, record.generation);
  }
  return oldest;
}

}  // namespace audiencesync
