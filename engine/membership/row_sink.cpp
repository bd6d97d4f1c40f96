#include "engine/membership/row_sink.h"

#include <algorithm>

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
  for (const auto& record : batch.broken) keep_sample(batch, record.offset, record.reason, {});
  audiences_.assign(batch.audiences.begin(), batch.audiences.end());
  std::size_t begin = 0;
  for (const auto& row : batch.rows) {
    Rank* const first = audiences_.data() + begin;
    Rank* last = audiences_.data() + row.audiences;
    begin = row.audiences;
    std::string_view person;
    const auto problem = apply_person_rule(rule_, row.person, space_, person);
    if (problem != PersonProblem::None) [[unlikely]] {
      count_problem(batch, row, problem);
      continue;
    }
    if (first == last && keep_ == Keep::Members) continue;
    if (last - first > 1) {
      std::sort(first, last);
      last = std::unique(first, last);
    }
    const auto hash = hash_(person);
    if (!rows_.add_quickly(hash, person, {first, last})) [[unlikely]] {
      TRY(rows_.add(hash, person, {first, last}));
    }
  }
  return {};
}

void RowSink::count_problem(const PersonBatch& batch, const PersonBatch::Row& row, PersonProblem problem) {
  const auto place = batch.first_place + row.place;
  switch (problem) {
    case PersonProblem::None:
      break;
    case PersonProblem::Missing:
      ++dropped_.without_person;
      keep_sample(batch, place, "no person id", {});
      break;
    case PersonProblem::OverLong:
      ++dropped_.over_long;
      keep_sample(batch, place, "person id too long", row.person);
      break;
    case PersonProblem::NotUtf8:
      ++dropped_.not_utf8;
      // Not even its first characters can be shown.
      keep_sample(batch, place, "person id not UTF-8", {});
      break;
  }
}

void RowSink::keep_sample(const PersonBatch& batch, std::uint64_t position, const char* reason,
                          std::string_view person) {
  if (batch.file == nullptr) return;
  const char* const unit = batch.unit == PersonBatch::Unit::Row ? "row" : "byte";
  DroppedSample sample{batch.file->filename().string(), position, unit, reason, {}};
  // An input where every row is bad must not be sorted as a whole.
  if (dropped_.samples.size() == kMostDroppedSamples && dropped_.samples.back() < sample) return;
  if (!person.empty()) sample.person = PersonId(std::string(person)).masked();
  dropped_.keep(std::move(sample));
}

}  // namespace audiencesync
