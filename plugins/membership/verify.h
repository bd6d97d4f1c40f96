#pragma once

#include <vector>

#include "engine/membership/row_check.h"
#include "engine/model/finding.h"
#include "engine/plugin/context.h"
#include "plugins/membership/row_share.h"

namespace audiencesync {

/// The key under which a sync remembers when its rows were last verified, and how that ended.
inline constexpr const char* kVerifiedRows = "verified_rows";

struct VerifyOptions {
  RowShare share = RowShare::Full;
  double of_files = 0.1;    // Sample: of the files of the batch that is read in part, at least one
  std::uint64_t seed = 1;   // Sample: which ones
  std::size_t samples = 3;  // people kept of each kind of difference
};

/// The real dataset beside the snapshot.
struct RowVerification {
  std::string dataset;
  Digest snapshot;
  RowCheck rows;
  std::uint64_t records = 0;      // of all batches that count, by the catalog
  std::size_t batches = 0;        // that were read, wholly or in part
  std::vector<Finding> findings;  // about batches: ours that are gone, those of others

  /// Of all records.
  double share() const {
    return records == 0 ? 1.0 : static_cast<double>(rows.counts.records) / static_cast<double>(records);
  }
  bool equal() const { return rows.equal() && findings.empty(); }
};

/// Reads the target dataset back and compares it with the proven snapshot. Writes nothing but scratch files.
/// Errors: NotFound when nothing was proven yet, or the snapshot is gone; Corrupt when it is damaged; those of reading.
Result<RowVerification> verify_rows(ReadContext& context, const VerifyOptions& options);

}  // namespace audiencesync
