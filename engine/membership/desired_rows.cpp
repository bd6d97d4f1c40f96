#include "engine/membership/desired_rows.h"

#include <algorithm>
#include <compare>

namespace audiencesync {

Result<DesiredRows> DesiredRows::start(std::unique_ptr<RowStream> rows, const RelationSpec& spec,
                                       const ComparisonScope& scope, SnapshotReader* restored, const HashRange& range,
                                       LeftOut& left_out) {
  DesiredRows desired(std::move(rows), restored, left_out);
  if (restored == nullptr) return desired;
  // Under the name of today; held audiences are the snapshot's business, and others are not declared any more.
  const auto& dictionary = restored->dictionary();
  desired.target_.resize(dictionary.size());
  for (std::size_t i = 0; i < spec.audiences.size(); ++i) {
    if (spec.audiences[i].held) continue;
    const auto [first, last] = dictionary.named(spec.audiences[i].id);
    for (auto rank = first; rank < last; ++rank) desired.target_[rank] = scope.targets[i];
  }
  restored->seek(range);
  TRY(desired.advance());
  return desired;
}

// The next person of the past who was in something that can come back.
Result<void> DesiredRows::advance() {
  while (true) {
    more_past_ = TRY(restored_->next(past_));
    if (!more_past_) return {};
    translate();
    if (!past_.audiences.empty()) return {};
  }
}

void DesiredRows::translate() {
  std::size_t kept = 0;
  for (const auto rank : past_.audiences) {
    if (target_[rank]) past_.audiences[kept++] = *target_[rank];
  }
  past_.audiences.resize(kept);
  std::sort(past_.audiences.begin(), past_.audiences.end());
  past_.audiences.erase(std::unique(past_.audiences.begin(), past_.audiences.end()), past_.audiences.end());
}

Result<const DesiredRow*> DesiredRows::next() {
  const auto* row = TRY(next_row(*rows_));
  if (restored_ == nullptr) return row;
  while (more_past_) {
    auto order = std::strong_ordering::less;  // of the past's person to the rows'
    if (row != nullptr) order = past_.hash != row->hash ? past_.hash <=> row->hash : past_.person <=> row->person;
    if (order > 0) break;
    if (order == 0) {
      row_ = {row->hash, row->person, past_.audiences};
      TRY(advance());
      return &row_;
    }
    ++left_out_->people;
    left_out_->memberships += past_.audiences.size();
    TRY(advance());
  }
  if (row == nullptr) return nullptr;
  row_ = {row->hash, row->person, {}};
  return &row_;
}

}  // namespace audiencesync
