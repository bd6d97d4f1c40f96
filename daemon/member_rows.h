#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "daemon/options.h"
#include "engine/base/files.h"
#include "engine/membership/memberships.h"

namespace audiencesync {

/// Whom a list of members has.
struct MemberChoice {
  std::optional<AudienceId> audience;  // nullopt: everyone who is in any, with their audiences
};

/// Streams the members a reader gives as lines: NDJSON, or CSV with a header (RFC 4180; without one audience a line for
/// each membership). Returns how many people there were. Errors: those of the reader, Io when `out` takes no more.
Result<std::uint64_t> write_member_lines(MemberReader& members, const MemberChoice& choice, RowFormat format,
                                         const std::function<Result<void>(std::string_view)>& out);

/// The same as a Parquet file at `path`, which must exist. `work` is for the library's own temporary files.
Result<std::uint64_t> write_member_parquet(MemberReader& members, const MemberChoice& choice, const Path& path,
                                           const Path& work);

}  // namespace audiencesync
