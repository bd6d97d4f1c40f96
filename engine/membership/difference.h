#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "engine/membership/local_memberships.h"
#include "engine/membership/person_source.h"
#include "engine/membership/relation_spec.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// One side of an offline comparison: the files of an export or, if there is one, a snapshot.
struct DifferenceSide {
  std::vector<Path> exported;
  std::optional<Path> snapshot;
};

struct DifferenceCounts {
  struct Side {
    std::uint64_t people = 0;  // in at least one audience
    DroppedRows dropped;       // of an export
  };
  Side from;
  Side to;
  std::uint64_t people = 0;              // whose audiences differ
  std::vector<AudienceDelta> audiences;  // those of the relation, sorted by id
};

/// Compares two exports, two snapshots, or one of each, without any state: who is in which of a relation's audiences on
/// either side. Audiences are told apart by their ids alone; of a snapshot, those that the relation lacks are left out.
///
/// Memory as LocalMemberships, on all cores; an export that does not fit is sorted on disk below `folder`.
class Difference {
 public:
  /// Takes whole lines, in order, from one thread at a time. An error from it ends the comparison.
  using Writer = std::function<Result<void>(std::string_view lines)>;

  Difference(Files& files, PersonSource& source, Path folder, MemoryBudget budget = {});
  Difference(Files& files, PersonSource& source, Path folder, MemoryBudget budget, LocalMemberships::PersonHash hash);

  /// Writes `{"personID":..,"entered":[ids],"left":[ids]}` and an end of line for each person whose audiences differ,
  /// ordered by (hash, person): equal inputs give equal bytes.
  /// Errors: Invalid for a relation that names an audience twice; Corrupt, NotFound, NoSpace, Io, Interrupted.
  Result<DifferenceCounts> run(const RelationSpec& spec, const DifferenceSide& from, const DifferenceSide& to,
                               const Writer& write, std::stop_token stop);

 private:
  Files& files_;
  PersonSource& source_;
  Path folder_;
  MemoryBudget budget_;
  LocalMemberships::PersonHash hash_;
};

/// Ids of the audiences that a snapshot holds, and the names its records were written with.
/// Errors: NotFound, Corrupt, Unsupported.
Result<std::vector<AudiencePeople>> audiences_of_snapshot(const Files& files, const Path& path);
/// Whether a file begins as our snapshots and changesets do. Errors: NotFound, Io.
Result<bool> is_membership_file(const Files& files, const Path& path);

}  // namespace audiencesync
