#pragma once

#include <cstdint>
#include <string>

#include "engine/membership/query/refresh_sql.h"
#include "engine/plugin/context.h"
#include "plugins/membership/ledger.h"

namespace audiencesync {

/// A past state that the target dataset still has: of each person the newest record of these generations.
struct PastState {
  Restore restore;
  std::uint64_t people = 0;  // in any audience, as was proven then
};

/// The state after a run, as the records of this state folder and the dataset's batches (`ledger`) have it.
///
/// Every batch that counted then must still be readable, in itself or consolidated. Errors: NotFound when nothing was
/// proven yet, or when one of them is gone: with the first run that can be reached, and engine local as the way out.
Result<PastState> past_state(std::int64_t run, const std::string& relation, const LedgerInput& ledger,
                             const ReadContext& context);

}  // namespace audiencesync
