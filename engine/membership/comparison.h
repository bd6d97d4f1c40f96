#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/membership/changeset.h"
#include "engine/membership/record_encoder.h"
#include "engine/membership/relation_spec.h"
#include "engine/membership/row_stream.h"
#include "engine/membership/snapshot.h"

namespace audiencesync {

/// What one comparison speaks about: all audiences on either side, and what becomes of each.
struct ComparisonScope {
  Dictionary dictionary;                       // of the snapshot, and what the spec adds
  std::vector<Rank> targets;                   // spec.audiences[i] as it will be written
  std::vector<bool> held;                      // by rank: memberships stay as the snapshot has them
  std::vector<Rank> kept_as;                   // by rank: what a held membership is written as
  std::vector<bool> declared;                  // by rank: in the spec
  std::vector<AudienceDelta> audiences;        // of all ids, sorted, counts 0
  std::vector<std::uint32_t> audience_number;  // by rank: in `audiences`
  bool same_shape = true;                      // the snapshot's records are of the shape of the spec

  /// `base` null when nothing was proven yet. Errors: Invalid for a spec that names an audience twice, or too many.
  static Result<ComparisonScope> make(const RelationSpec& spec, const SnapshotReader* base);
};

/// How many people change, and what that means for each audience.
struct ComparisonCounts {
  std::uint64_t people = 0;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t crowded = 0;
  std::vector<AudienceDelta> audiences;  // as ComparisonScope::audiences
  LeftOut left_out;
  ForgottenPeople forgotten;

  void add(const ComparisonCounts& other);
  /// people, added, removed, bytes and audiences of the answer.
  void fill(Bulk& bulk, const ComparisonScope& scope) const;
};

/// Decides person by person what changes; fills parts of candidate and changeset and counts. One thread; several may
/// share `spec` and `scope`.
class Comparison {
 public:
  /// What becomes of people whose set stays the same: WrittenAgain makes them changes too, the quarantined excepted.
  enum class Unchanged { Skipped, WrittenAgain };

  /// Both references must outlive this.
  Comparison(const RelationSpec& spec, const ComparisonScope& scope, Unchanged unchanged);

  /// One person, in the order of the files; null where the snapshot, or the export, does not have them.
  Result<void> add(const SnapshotRow* before, const DesiredRow* desired, SnapshotPart& candidate,
                   ChangesetPart& changes);
  const ComparisonCounts& counts() const { return counts_; }

 private:
  /// Whether it is settled apart from what the export says.
  enum class Person { Ordinary, Quarantined, Forgotten };
  Person desire(const SnapshotRow* before, const DesiredRow* desired, std::string_view person);
  void count(const Ranks& before);

  const RelationSpec& spec_;
  const ComparisonScope& scope_;
  Unchanged unchanged_;
  RecordEncoder encoder_;
  std::size_t most_audiences_;
  bool tombstones_;
  ComparisonCounts counts_;
  ChangesetRow row_;
  Ranks after_;
  std::string record_;
};

}  // namespace audiencesync
