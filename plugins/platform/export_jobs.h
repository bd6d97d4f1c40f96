#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

enum class ExportStatus {
  New,
  Processing,
  Succeeded,
  Failed,
  Other,  // a word the documentation does not know: a cancelled job may be called anything
};

struct ExportJob {
  std::string id;
  ExportStatus status = ExportStatus::Other;
  std::string status_text;  // as written
  std::string dataset;
  std::string fields;
  std::string merge_policy;
  Value filter;
  std::vector<std::string> batches;  // none until the job writes
  std::optional<Time> created;
  std::optional<std::uint64_t> profiles;  // exported, when the job counts them
  std::string reasons;                    // of a failure, "" when none is given
};

/// Jobs of the sandbox, newest first, down to those created before `since`.
Result<std::vector<ExportJob>> export_jobs_since(http::ReadClient& client, Time since);
/// nullopt when the platform does not know it.
Result<std::optional<ExportJob>> get_export_job(http::ReadClient& client, const std::string& id);
/// Starts a job. Not repeatable. Errors: Unknown when it may have started.
Result<ExportJob> create_export_job(http::WriteClient& client, const Value& body);
/// Asks the platform to stop a job. Repeatable; one that is gone is fine.
Result<void> cancel_export_job(http::WriteClient& client, const std::string& id);

ExportJob export_job_from(const Value& value);

}  // namespace audiencesync::platform
