#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/model/resource.h"
#include "plugins/platform/export_jobs.h"

namespace audiencesync {

/// What is exported into which dataset.
struct ExportRequest {
  std::string dataset;
  std::string fields;  // comma-separated, in the order we send them
  std::string merge_policy;
  Value filter;
};

/// Identity field, memberships and identity map, each once.
std::string export_fields(const std::string& identity_field);

/// One object per audience that is not held, in the order given (by id): the platform silently keeps only the last of
/// several audiences in one object. `audiences` is the output of the audiences stage.
/// Errors: Refused when nothing is left, because an export without a filter is everybody.
Result<Value> export_filter(const Value& audiences, const std::vector<std::string>& statuses);

/// The request that the fields of an `export/job` change describe. Errors: Internal when a field is absent.
Result<ExportRequest> export_request(const Fields& fields);

/// Body of the call that starts the job.
Value export_body(const ExportRequest& request);

/// A filter without what the platform adds when it echoes one: defaults spelled out, audiences and statuses sorted.
Value canonical_filter(const Value& filter);
/// Fields as a sorted set, comma-separated.
std::string canonical_fields(const std::string& fields);

/// The job does exactly what `request` asks: what an interrupted call of ours would have started.
bool is_same_export(const platform::ExportJob& job, const ExportRequest& request);
/// The job holds at least the people `request` asks for, so that its rows can be used instead: the same dataset, merge
/// policy and statuses, all fields and all audiences. More audiences do no harm, rows are filtered again.
bool covers(const platform::ExportJob& job, const ExportRequest& request);

}  // namespace audiencesync
