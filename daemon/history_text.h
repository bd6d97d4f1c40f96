#pragma once

#include <string>

#include "daemon/sync_records.h"

namespace audiencesync {

/// Runs newest first, a line each, and between them by time what became of held plans and who said so. 80 columns.
/// Members that an older run did not record are left blank.
std::string history_text(const SyncRecords& records);
Value history_value(const SyncRecords& records);

/// Commands that operators sent, newest first, a line each: when, who, what, how it ended.
std::string audit_text(const std::vector<AuditRecord>& commands);
Value audit_value(const std::vector<AuditRecord>& commands);

}  // namespace audiencesync
