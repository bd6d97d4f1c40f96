#include "engine/membership/parquet/row_group_reader.h"

#include <algorithm>
#include <cstring>

namespace audiencesync::parquet {
namespace {

constexpr std::size_t kRowsAtOnce = 1024;
constexpr std::uint32_t kNoSpace = UINT32_MAX;

std::uint32_t code_of(MembershipMeaning::Status status) { return static_cast<std::uint32_t>(status); }

}  // namespace

RowGroupReader::RowGroupReader(FileReader& file, const RowGroupPlace& place, const MembershipMeaning& meaning,
                               PersonSink& sink)
    : path_(place.path),
      layout_(place.layout),
      chunks_(place.chunks),
      meaning_(meaning),
      sink_(sink),
      people_(file, chunks_.person, layout_.person, {}),
      spaces_(file, chunks_.spaces, layout_.memberships ? layout_.memberships->spaces.leaf : SchemaNode(),
              [this](std::string_view name) { return space_number(name); }),
      audiences_(file, chunks_.audiences, layout_.memberships ? layout_.memberships->audiences.leaf : SchemaNode(),
                 [&meaning](std::string_view id) { return meaning.audience(id); }),
      statuses_(file, chunks_.statuses, layout_.memberships ? layout_.memberships->statuses.leaf : SchemaNode(),
                [&meaning](std::string_view word) { return code_of(meaning.status(word)); }),
      no_status_(code_of(meaning.status({}))) {}

Error RowGroupReader::disagree() const {
  return Error(ErrorCode::Corrupt, "the columns of a row group do not have the same rows");
}

std::uint32_t RowGroupReader::space_number(std::string_view name) {
  for (std::size_t i = 0; i < spaces_seen_.size(); ++i) {
    if (spaces_seen_[i] == name) return static_cast<std::uint32_t>(i);
  }
  std::vector<std::uint8_t> allowed(meaning_.limit(), 0);
  bool any = false;
  for (std::uint32_t audience = 0; audience < allowed.size(); ++audience) {
    if (!meaning_.lives_in(audience, name)) continue;
    allowed[audience] = 1;
    any = true;
  }
  if (!any) return kNoSpace;
  spaces_seen_.emplace_back(name);
  allowed_.push_back(std::move(allowed));
  return static_cast<std::uint32_t>(spaces_seen_.size() - 1);
}

Result<void> RowGroupReader::flush() {
  if (batch_.rows.empty() && batch_.unknown_status == 0) return {};
  batch_.file = &path_;
  batch_.unit = PersonBatch::Unit::Row;
  batch_.first_place = chunks_.first_row + flushed_;
  flushed_ += batch_.rows.size();
  TRY(sink_.add(batch_));
  batch_.clear();
  return {};
}

void RowGroupReader::end_row() {
  if (!in_row_) return;
  batch_.rows.push_back(
      {person_, static_cast<std::uint32_t>(batch_.audiences.size()), static_cast<std::uint32_t>(batch_.rows.size())});
  in_row_ = false;
}

Result<void> RowGroupReader::begin_row() {
  end_row();
  if (batch_.rows.size() >= kRowsAtOnce) TRY(flush());
  if (people_.left() == 0) {
    // The texts of the batch lie in the page that goes now.
    if (people_.page_is_done()) TRY(flush());
    TRY(people_.refill());
    if (people_.left() == 0) return disagree();
  }
  const bool present = layout_.person.definition == 0 || *people_.definitions() == layout_.person.definition;
  person_ = present ? people_.take_text() : std::string_view();
  people_.take(1);
  in_row_ = true;
  ++rows_;
  return {};
}

Result<void> RowGroupReader::begin_space(std::uint8_t repeated, std::uint8_t audience_level) {
  if (spaces_.left() == 0) {
    TRY(spaces_.refill());
    if (spaces_.left() == 0) return disagree();
  }
  const auto there = static_cast<std::uint8_t>(layout_.memberships->spaces.leaf.definition);
  const auto level = *spaces_.definitions();
  // A second namespace of a row can only be one that is there.
  if (*spaces_.repeated() != repeated || std::min(audience_level, there) != level || (repeated > 0 && level < there)) {
    return disagree();
  }
  here_ = nullptr;
  if (level == there) {
    const auto number = spaces_.take_code();
    if (number != kNoSpace) here_ = allowed_[number].data();
  }
  spaces_.take(1);
  return {};
}

Result<void> RowGroupReader::read_memberships() {
  const auto& memberships = *layout_.memberships;
  const auto audience_there = static_cast<std::uint8_t>(memberships.audiences.leaf.definition);
  const auto membership_there = static_cast<std::uint8_t>(memberships.statuses.present);
  const auto status_there = static_cast<std::uint8_t>(memberships.statuses.leaf.definition);
  while (true) {
    if (audiences_.left() == 0) TRY(audiences_.refill());
    if (statuses_.left() == 0) TRY(statuses_.refill());
    const auto count = std::min(audiences_.left(), statuses_.left());
    if (count == 0) break;
    const auto* const repeated = audiences_.repeated();
    const auto* const audience_levels = audiences_.definitions();
    const auto* const status_levels = statuses_.definitions();
    if (count > 0 && std::memcmp(repeated, statuses_.repeated(), count) != 0) return disagree();
    // What both columns say about the maps around them is the same, and what is repeated is there.
    unsigned wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
      wrong |= std::min(status_levels[i], audience_there) ^ audience_levels[i];
      wrong |= (repeated[i] == 2 ? 1U : 0U) & (audience_levels[i] == audience_there ? 0U : 1U);
    }
    if (wrong != 0) return disagree();
    const auto* const audience_codes = audiences_.codes();
    const auto* const status_codes = statuses_.codes();
    std::size_t audiences = 0;
    std::size_t statuses = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (repeated[i] != 2) {
        if (repeated[i] == 0) TRY(begin_row());
        if (!in_row_) return disagree();
        TRY(begin_space(repeated[i], audience_levels[i]));
      }
      const bool has_status = status_levels[i] == status_there;
      const auto status = has_status ? status_codes[statuses] : no_status_;
      statuses += has_status ? 1 : 0;
      if (audience_levels[i] != audience_there) continue;
      const auto audience = audience_codes[audiences++];
      if (audience == MembershipMeaning::kUnwanted || here_ == nullptr || here_[audience] == 0) continue;
      if (status_levels[i] < membership_there) continue;
      if (status == code_of(MembershipMeaning::Status::Member)) {
        batch_.audiences.push_back(static_cast<std::uint16_t>(audience));
      } else if (status == code_of(MembershipMeaning::Status::Unknown)) {
        ++batch_.unknown_status;
      }
    }
    audiences_.take(count);
    audiences_.take_codes(audiences);
    statuses_.take(count);
    statuses_.take_codes(statuses);
  }
  // Both must end together, and the other two with them.
  if (audiences_.left() != 0 || statuses_.left() != 0) return disagree();
  if (spaces_.left() == 0) TRY(spaces_.refill());
  return spaces_.left() == 0 ? Result<void>() : disagree();
}

Result<void> RowGroupReader::read() {
  if (layout_.memberships) {
    TRY(read_memberships());
  } else {
    while (rows_ < chunks_.rows) TRY(begin_row());
  }
  end_row();
  TRY(flush());
  if (people_.left() == 0) TRY(people_.refill());
  return rows_ == chunks_.rows && people_.left() == 0 ? Result<void>() : disagree();
}

}  // namespace audiencesync::parquet
