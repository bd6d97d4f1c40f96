#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "engine/base/person_id.h"
#include "engine/base/result.h"
#include "engine/membership/forgotten.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// Person ids longer than this many bytes are dropped and counted.
inline constexpr std::size_t kLongestPersonId = 1024;

/// How the person id of an export becomes the one the event data use.
enum class PersonRule { AsIs, Trim, Lower, Sha256Lower };

/// What one record of a relation says.
enum class RecordLayout {
  Person,      // everything about a person: the list of their audiences
  Membership,  // one person in one audience
  Delimited,   // everything about a person: the ids of their audiences in one string
};

/// Whether records name the audiences beside their ids.
enum class RecordNames { Written, LookedUp };

/// Ids that one string of layout Delimited may hold: analytics split no more out of a string.
inline constexpr std::size_t kMostDelimitedIds = 10;
inline constexpr char kIdDelimiter = ',';

/// An audience a relation holds.
struct RelationAudience {
  AudienceId id;
  std::string name;                  // as written into the records
  std::string membership_namespace;  // key in segmentMembership, compared without case: "ups"
  bool held = false;                 // unreadable upstream: memberships stay as the snapshot has them
};

/// One body of memberships: what counts as a member and how a person is named.
struct RelationSpec {
  std::string relation;        // "<uid>/analytics"
  std::string uid;             // salt of `_id`
  std::string tenant;          // field with the leading underscore
  std::string identity_field;  // dotted path in the exported row
  std::string identity_namespace;
  PersonRule person = PersonRule::AsIs;
  std::vector<std::string> statuses;        // that count as member: realized, existing
  std::vector<RelationAudience> audiences;  // any order
  std::string dataset;                      // target; "" when it does not exist yet
  RecordLayout layout = RecordLayout::Person;
  RecordNames names = RecordNames::Written;
  /// People whose records the platform rejected: they keep their snapshot entry, or their absence, whatever the export
  /// says, until someone replays or drops them.
  std::set<PersonId> quarantined;
  /// People who stay out: their memberships end, and once that is in the dataset the snapshot does not name them any
  /// more. Of whom the platform rejected even that record, the snapshot keeps what it has.
  Forgotten forgotten;

  /// Everything above but `held`, `dataset`, `quarantined` and `forgotten`: what a membership means.
  Digest definition() const;
  /// Layout and names in words: "person", "membership", "person, ids only". Records of another shape do not replace
  /// each other, so everyone is written again when it changes.
  std::string shape() const;
  bool writes_names() const { return names == RecordNames::Written && layout != RecordLayout::Delimited; }
  /// Audiences of one person that arrive for certain; nullopt: any number.
  std::optional<std::size_t> most_audiences() const;
};

/// A pinned input. Its files are fetched only when the comparison is not cached.
struct SourceRef {
  std::string id;                                                   // export batch ids, comma-separated
  std::function<Result<std::vector<Path>>(std::stop_token)> files;  // Parquet
  /// A snapshot of the past, whose content this is, says who is in what; the files only say which of its people still
  /// are there. Nobody else is in anything.
  std::optional<Digest> restore = {};
};

/// Whether records of this shape (RelationSpec::shape) can say that somebody is in nothing. Where they cannot, a
/// snapshot does not name such people either: nothing in the dataset does.
bool has_tombstones(std::string_view shape);

/// The snapshot to compare with; nullopt content means nothing was ever proven.
struct BaseRef {
  std::optional<Digest> content;
  /// Rows may be missing from the dataset: everyone of the snapshot and of the source counts as changed and is written
  /// again, tombstones included.
  bool rewrite = false;
};

}  // namespace audiencesync
