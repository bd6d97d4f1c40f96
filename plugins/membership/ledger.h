#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/model/finding.h"
#include "engine/store/store.h"
#include "plugins/platform/batch.h"

namespace audiencesync {

/// What our log says should be in the target dataset, and how to tell a batch of ours.
struct LedgerInput {
  std::string dataset;
  std::vector<BatchRecord> written;   // of the relation, from the log
  std::vector<platform::Batch> seen;  // of the dataset, from the catalog, in any status
  std::string uid_tag;                // "uid:luma-loyalty"
  std::string state_tag;              // "state:…"
  std::set<std::string> in_flight;    // externalIds of open changes
  bool take_over = false;             // what another state folder wrote for this sync is ours from now on
  /// Asks the catalog for one batch by id: a list may be stale, so absence from it proves nothing.
  std::function<Result<std::optional<platform::Batch>>(const std::string&)> lookup;
};

struct LedgerVerdict {
  std::vector<Finding> findings;
  bool damaged = false;                // rows that we wrote are no longer there
  std::vector<std::string> missing;    // those batches
  std::vector<std::string> leftovers;  // batches of ours still loading that nothing will complete
  /// Batches with our tags that the log does not know, their rows live or consolidated: the log is older than they are.
  std::vector<platform::Batch> unrecorded;
  std::vector<platform::Batch> live;  // all whose rows can be read, by id
  std::string unsettled;              // a batch with rows of ours that is still being promoted, "" for none
};

/// Compares the dataset's batches with the log, following consolidations.
///
/// A live batch that neither we wrote nor a consolidation of ours explains is another writer: Refuse. A batch of ours
/// that is gone without successor is drift. One with our tags that the log does not know says that the log is outdated.
/// Errors: those of `lookup`.
Result<LedgerVerdict> check_ledger(const LedgerInput& input);

/// Whether the rows of a batch can be read, in itself or in what it was consolidated into. Errors: those of `lookup`.
Result<bool> rows_are_there(const LedgerInput& input, const std::string& batch);

}  // namespace audiencesync
