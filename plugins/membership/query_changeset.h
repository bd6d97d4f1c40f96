#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/plugin/stage.h"
#include "plugins/platform/queries.h"

// The changeset of engine query-service: a scratch dataset that the platform computes once.

namespace audiencesync {

inline const ResourceKey kChangesetKey{"membership", "changeset"};
inline constexpr const char* kChangesetReady = "ready";
/// Role of a scratch dataset, in its tags.
inline constexpr const char* kChangesetRole = "changeset";

/// What all statements of a sync begin with, as a comment: by it they are found again.
std::string query_marker(const std::string& uid, const std::string& state_id, const std::string& rest);

/// A changeset that can be read.
struct Changeset {
  std::string query;
  std::string dataset;
  std::string table;
};

/// Name of a dataset's table; nullopt while the platform has not made it.
Result<std::optional<std::string>> table_of(http::ReadClient& client, const std::string& dataset);

/// What to say of live batches in the staging dataset that are not of the export, and what to do about them.
std::string beside_the_export(const std::string& staging, const std::vector<std::string>& batches);

/// The one with this key, if it was computed and is still there. Reads only.
Result<std::optional<Changeset>> find_changeset(const ReadContext& context, const std::string& key);

/// Asks Query Service. Errors: Unsupported when there is no session.
Result<sql::Rows> ask_queries(const ReadContext& context, const sql::Query& query);

/// Computes the changeset that the change describes (the fields `observe_by_query` gives it): one CREATE TABLE AS,
/// pinned to the export batch and to the target as it was observed; tagged as ours, and expiring by itself. Earlier
/// ones of ours are dropped. Errors: Conflict when target or manifest moved meanwhile; Rejected with the platform's
/// reason; Unsupported when the organisation may not run such queries.
Result<Applied> make_changeset(const Change& change, WriteContext& context);

}  // namespace audiencesync
