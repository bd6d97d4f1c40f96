#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/bulk.h"
#include "engine/model/observed.h"
#include "engine/plugin/context.h"
#include "plugins/membership/ledger.h"

// What both engines say of a comparison, and of the batches in the target.

namespace audiencesync {

/// Batches of earlier generations, as resources: this and their generation and id.
inline constexpr std::string_view kSuperseded = "superseded/";

/// "1 person is", "7 people are".
std::string with_plural(std::uint64_t count, const char* one, const char* many);

Finding dropped_rows(const DroppedRows& dropped, const Guard& guard);
Finding unknown_statuses(std::uint64_t count);
/// A planned update of people who neither enter nor leave, so it is said.
Finding renamed_audience(const AudienceDelta& audience);
Finding known_after_export();
/// nullopt when nobody leaves, or the manifest knows what becomes of older rows.
std::optional<Finding> row_rule_unknown(const Bulk& bulk, const Target& target);

/// Going back to a run, when nothing was proven by its end.
Error nothing_proven_by(std::int64_t run);
/// Audiences that joined the sync after a run and so stay as they are; of the manifest no longer, and so do not come
/// back; people whom the newest export does not have. By name.
Finding rollback_kept(const std::vector<std::string>& joined, std::int64_t run);
Finding rollback_withdrawn(const std::vector<std::string>& withdrawn, std::uint64_t memberships);
Finding people_left_out(const LeftOut& left_out);

/// Those of one dataset.
std::vector<BatchRecord> written_into(const std::string& dataset, std::vector<BatchRecord> written);
/// Older generations go once Customer Journey Analytics has had the time to take up the newest one.
void add_old_batches(const LedgerInput& input, const std::vector<QuarantineRecord>& quarantine,
                     const ReadContext& context, Observed& observed);

}  // namespace audiencesync
