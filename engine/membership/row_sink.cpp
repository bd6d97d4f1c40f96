#include "engine/membership/row_sink.h"

#include <algorithm>

#include "engine/membership/person_rule.h"

namespace audiencesync {

Result<void> RowSink::add(const PersonBatch& batch) {
  // Rows one by one come from slow sources, which need not ask each time.
  if ((dropped_.read >> 10U) + 1 > asked_) {
    if (stop_.stop_requested()) return Error(ErrorCode::Interrupted, "comparing memberships was interrupted");
    asked_ = (dropped_.read >> 10U) + 1;
  }
  dropped_.read += batch.rows.size() + batch.broken.size();
  dropped_.unknown_status += batch.unknown_status;
  dropped_.broken += batch.broken.size();
  audiences_.assign(batch.audiences.begin(), batch.audiences.end());
  std::size_t first = 0;
  for (const auto& row : batch.rows) {
    TRY(add_row(row.person, audiences_.data() + first, audiences_.data() + row.audiences));
    first = row.audiences;
  }
  return {};
}

Result<void> RowSink::add_row(std::string_view raw, Rank* first, Rank* last) {
  std::string_view person;
  switch (apply_person_rule(rule_, raw, space_, person)) {
    case PersonProblem::None:
      break;
    case PersonProblem::Missing:
      ++dropped_.without_person;
      return {};
    case PersonProblem::OverLong:
      ++dropped_.over_long;
      return {};
    case PersonProblem::NotUtf8:
      ++dropped_.not_utf8;
      return {};
  }
  if (first == last) return {};
  if (last - first > 1) {
    std::sort(first, last);
    last = std::unique(first, last);
  }
  return rows_.add(hash_(person), person, {first, last});
}

void RowSink::add_to(DroppedRows& dropped) const {
  dropped.read += dropped_.read;
  dropped.without_person += dropped_.without_person;
  dropped.over_long += dropped_.over_long;
  dropped.not_utf8 += dropped_.not_utf8;
  dropped.unknown_status += dropped_.unknown_status;
  dropped.broken += dropped_.broken;
}

}  // namespace audiencesync
