#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// What a comparison reads: each is what stands behind FROM, a table and the snapshot it is pinned to
/// ("`profiles` SNAPSHOT AS OF 42"). Everything else of the statements is plain Spark SQL.
struct RefreshRelations {
  std::string source;  // rows of the profile union
  std::string target;  // records of layout person; "" when there are none yet
};

/// The memberships wanted are those of a past state of the target, of whoever the source still has.
struct Restore {
  std::int64_t generation = 0;  // the highest one then; all batches it needs must be in the target
  /// Audiences that were in the sync then. One that is not named here was all the same if somebody was in it.
  std::set<AudienceId> audiences;
};

/// Who is written again.
enum class Extent { Changes, Everyone };

/// Which changed people a sample shows.
enum class SampleKind { New, Changed, Leaves };

/// The rows of a changeset, computed where the data are: what the local engine computes here (layout person, names
/// written into the records).
///
/// Columns: `part` says what a row is. `person`: `record_id` (lower-hex SHA-256 of uid, 0x1F, person), `person`,
/// `memberships` (array of audienceMembershipId and audienceMembershipName, by the bytes of the id; empty for a
/// tombstone), `total` (its length), `known` (1 when the target has a record), `entered` and `gone` (audience ids).
/// `audience`: `audience`, `name` (as it will be written, or was), `name_before` (of who is renamed) and the counts
/// `was`, `will_be`, `came`, `went`, `renamed` of people. `everyone`, one row: `was` and `will_be` people in any
/// audience, `came` the highest generation of the target, 0 without one. `rows`, one row: `was` rows read, `will_be`
/// without a person, `came` with an id too long, `renamed` with one that no record can have (a NUL in it, which would
/// end the whole INSERT), `went` memberships of an unknown status.
///
/// With `restore`, which needs a target: of audiences that were not in the sync then, memberships stay as the target
/// has them. Two more parts: `past`: `audience`, `name` and `was` people in it then. `left_out`, one row: `was` people
/// whom the source no longer has, `will_be` memberships of theirs, `came` people in any audience then.
///
/// Spec must be of layout Person with names. Pure; equal specs give equal text.
std::string changeset_select(const RelationSpec& spec, const RefreshRelations& relations, Extent extent,
                             const std::optional<Restore>& restore = {});

/// Makes the changeset a table. `marker` becomes a comment in front, by which the query is found again.
std::string create_changeset(const std::string& table, std::string_view select, std::string_view marker);

/// Writes the records of a changeset, and nothing else, into a target table.
std::string insert_changeset(const RelationSpec& spec, const std::string& target, const std::string& changeset,
                             std::int64_t generation, std::string_view marker);

/// All counts of a changeset in one answer: rows of (part, audience, name, name_before, was, will_be, came, went,
/// renamed), with one row `people` (was: records, will_be: of them new, came: tombstones).
std::string count_changeset(const std::string& changeset);

/// Some people of a kind: rows of (person, entered, gone, total), the second and third as ids joined by commas.
std::string sample_changeset(const std::string& changeset, SampleKind kind, std::size_t most);

/// A text as a literal of Spark SQL.
std::string spark_text(std::string_view text);
/// A name, or a dotted path, in back quotes.
std::string spark_name(std::string_view path);

}  // namespace audiencesync
