#include "engine/membership/memberships.h"

namespace audiencesync {
namespace {

Error no_way_back() { return Error(ErrorCode::Internal, "this engine cannot read a dataset back"); }

}  // namespace

Result<ReadBack> Memberships::read_back(const RelationSpec&, const TargetFiles&, std::int64_t, std::stop_token) {
  return no_way_back();
}

Result<RowCheck> Memberships::check_rows(const RelationSpec&, const TargetFiles&, const Digest&, const RowCheckOptions&,
                                         std::stop_token) {
  return no_way_back();
}

}  // namespace audiencesync
