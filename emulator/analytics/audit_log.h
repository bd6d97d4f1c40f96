#pragma once

#include <string>

#include "emulator/analytics/answers.h"

namespace emulator {

/// One thing somebody did.
struct AuditEntry {
  std::string action;     // CREATE, EDIT, DELETE, SHARE, TRANSFER
  std::string component;  // CONNECTION, DATA_VIEW, FILTER, CALCULATED_METRIC, DATE_RANGE, PROJECT
  std::string id;
  std::string name;
  std::string user;  // id; empty for the technical account
};

/// Writes it down; kept for ever. Needs the objects locked.
void record_audit(Platform& platform, const AuditEntry& entry);

/// GET /auditlogs/api/v1/auditlogs with its filters and POST .../search with nested criteria, the newest first.
void add_audit_log_routes(AnalyticsRoutes& routes, Platform& platform);

}  // namespace emulator
