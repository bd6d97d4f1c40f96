#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"
#include "plugins/platform/batch.h"

namespace audiencesync::platform {

/// A statement that Query Service runs by itself.
struct BatchQuery {
  std::string id;
  std::string state;  // SUBMITTED, IN_PROGRESS, SUCCESS, FAILED, KILLED, TIMEOUT
  std::string sql;
  std::optional<Time> created;
  std::string made;        // dataset that a CREATE TABLE AS made, "" for none
  std::string reasons;     // why it failed, without what may identify a person
  bool own_fault = false;  // of the platform: the same may pass another time
};

/// Nothing changes any more.
bool is_over(const BatchQuery& query);
bool has_succeeded(const BatchQuery& query);

/// nullopt when the platform does not know it.
Result<std::optional<BatchQuery>> get_query(http::ReadClient& client, const std::string& id);

/// Queries whose text has `marker` in it, newest first. The marker must have no comma.
Result<std::vector<BatchQuery>> queries_with(http::ReadClient& client, const std::string& marker);

/// Whether this says that the organisation, or this user, may not run batch queries: by SQLSTATE, or by words. The
/// platform documents neither, so several of both.
bool denies_batch_queries(std::string_view reasons);
/// The error to end with then, naming engine local.
Error no_batch_queries(const std::string& reasons);

/// Hands a statement over. Not repeatable. Errors: Unsupported, naming engine local, when the organisation may not run
/// batch queries; Unknown when it may run.
Result<BatchQuery> post_query(http::WriteClient& client, const std::string& sandbox, const std::string& sql);

/// The batches that a query wrote into a dataset.
Result<std::vector<Batch>> batches_of_query(http::ReadClient& client, const std::string& dataset,
                                            const std::string& query);

}  // namespace audiencesync::platform
