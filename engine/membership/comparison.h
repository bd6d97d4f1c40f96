#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/membership/changeset.h"
#include "engine/membership/record_encoder.h"
#include "engine/membership/relation_spec.h"
#include "engine/membership/row_buffer.h"
#include "engine/membership/snapshot.h"

namespace audiencesync {

/// What one comparison speaks about: all audiences on either side, and what becomes of each.
struct ComparisonScope {
  Dictionary dictionary;                       // of the snapshot, and what the spec adds
  std::vector<Rank> targets;                   // spec.audiences[i] as it will be written
  std::vector<bool> held;                      // by rank: memberships stay as the snapshot has them
  std::vector<bool> declared;                  // by rank: in the spec
  std::vector<AudienceDelta> audiences;        // of all ids, sorted, counts 0
  std::vector<std::uint32_t> audience_number;  // by rank: in `audiences`

  /// `base` null when nothing was proven yet. Errors: Invalid for a spec that names an audience twice, or too many.
  static Result<ComparisonScope> make(const RelationSpec& spec, const SnapshotReader* base);
};

/// Decides person by person what changes; writes candidate and changeset and counts. Pure but for the two writers.
class Comparison {
 public:
  /// What becomes of people whose set stays the same: WrittenAgain makes them changes too, the quarantined excepted.
  enum class Unchanged { Skipped, WrittenAgain };

  /// All references must outlive this.
  Comparison(const RelationSpec& spec, const ComparisonScope& scope, Unchanged unchanged, SnapshotWriter& candidate,
             ChangesetWriter& changes);

  /// One person, in the order of the files; null where the snapshot, or the export, does not have them.
  Result<void> add(const SnapshotRow* before, const DesiredRow* desired);
  /// people, added, removed, bytes and audiences of the answer.
  void fill(Bulk& bulk) const;

 private:
  /// Whether the person is quarantined, so that nothing is written for them.
  bool desire(const SnapshotRow* before, const DesiredRow* desired, std::string_view person);
  void count(const Ranks& before);

  const RelationSpec& spec_;
  const ComparisonScope& scope_;
  Unchanged unchanged_;
  SnapshotWriter& candidate_;
  ChangesetWriter& changes_;
  RecordEncoder encoder_;
  std::vector<AudienceDelta> deltas_;
  std::vector<bool> declared_ids_;  // by number in deltas_
  std::uint64_t people_ = 0;
  std::uint64_t added_ = 0;
  std::uint64_t removed_ = 0;
  std::uint64_t bytes_ = 0;
  ChangesetRow row_;
  Ranks after_;
  std::string record_;
};

}  // namespace audiencesync
