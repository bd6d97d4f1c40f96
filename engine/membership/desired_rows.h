#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/membership/comparison.h"
#include "engine/membership/row_stream.h"

namespace audiencesync {

/// What people of a range must be in: as the sorted rows of an export say, or as a past snapshot says for whoever the
/// rows have. Whoever of the past is not in the rows is counted and otherwise as good as absent.
class DesiredRows {
 public:
  /// `restored` is null when the rows speak for themselves, else a reader of the past in its own dictionary. `left_out`
  /// is counted up. All references must outlive this.
  static Result<DesiredRows> start(std::unique_ptr<RowStream> rows, const RelationSpec& spec,
                                   const ComparisonScope& scope, SnapshotReader* restored, const HashRange& range,
                                   LeftOut& left_out);

  /// Null at the end. The row is valid until the next call.
  Result<const DesiredRow*> next();

 private:
  DesiredRows(std::unique_ptr<RowStream> rows, SnapshotReader* restored, LeftOut& left_out)
      : rows_(std::move(rows)), restored_(restored), left_out_(&left_out) {}
  void translate();
  Result<void> advance();

  std::unique_ptr<RowStream> rows_;
  SnapshotReader* restored_;
  LeftOut* left_out_;
  std::vector<std::optional<Rank>> target_;  // by rank of the past
  SnapshotRow past_;
  bool more_past_ = false;
  DesiredRow row_;
};

}  // namespace audiencesync
