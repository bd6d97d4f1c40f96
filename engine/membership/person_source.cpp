#include "engine/membership/person_source.h"

namespace audiencesync {

std::size_t PersonSource::lanes(std::size_t) const { return 1; }

// For sources that only know rows: correct, and as fast as their texts let it be.
Result<void> PersonSource::read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                                        const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) {
  PersonBatch batch;
  const auto each = [&](const SourceRow& row) -> Result<void> {
    batch.clear();
    if (row.memberships != nullptr) {
      for (const auto& one : *row.memberships) {
        const auto audience = meaning.audience(one.audience);
        if (audience == MembershipMeaning::kUnwanted) continue;
        if (!meaning.lives_in(audience, one.membership_namespace)) continue;
        const auto status = meaning.status(one.status);
        if (status == MembershipMeaning::Status::Member) {
          batch.audiences.push_back(static_cast<std::uint16_t>(audience));
        } else if (status == MembershipMeaning::Status::Unknown) {
          ++batch.unknown_status;
        }
      }
    }
    batch.rows.push_back({row.person, static_cast<std::uint32_t>(batch.audiences.size()), 0});
    return sinks.front()->add(batch);
  };
  TRY(read(files, columns, each));
  return {};
}

}  // namespace audiencesync
