#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/result.h"
#include "engine/base/value.h"

namespace audiencesync {

using AudienceId = std::string;

/// How many people one audience holds, gains and loses.
struct AudienceDelta {
  AudienceId id = {};
  std::string name = {};  // as it will be written
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t entered = 0;
  std::uint64_t left = 0;
  std::uint64_t renamed = 0;     // of those who stay: written again because the audience has another name now
  std::string name_before = {};  // that they were written with; "" when nobody is renamed

  friend bool operator==(const AudienceDelta&, const AudienceDelta&) = default;
};

/// One row of an input that could not be used, as far as it may be shown.
struct DroppedSample {
  std::string file;            // its name, without folders
  std::uint64_t position = 0;  // in it, in units of:
  std::string unit;            // "row" (Parquet, from 0) or "byte" (of the uncompressed content)
  std::string reason;          // a constant text: "no person id"
  std::string person;          // masked; "" when there is nothing to show

  friend auto operator<=>(const DroppedSample&, const DroppedSample&) = default;
};

/// More rows that cannot be used are only counted.
inline constexpr std::size_t kMostDroppedSamples = 20;

/// Rows of an input that could not be used, by reason.
struct DroppedRows {
  std::uint64_t read = 0;            // rows of the input
  std::uint64_t without_person = 0;  // no person id, or an empty one after normalising
  std::uint64_t over_long = 0;       // person id longer than kLongestPersonId bytes
  std::uint64_t not_utf8 = 0;
  std::uint64_t unknown_status = 0;  // memberships, not rows: a status word we do not know
  std::uint64_t broken = 0;          // no record at all: broken JSON, or a shape that no profile has

  std::vector<DroppedSample> samples = {};  // the first ones by file and position

  /// Takes a sample in its place; beyond kMostDroppedSamples the last one goes.
  void keep(DroppedSample sample);
  /// Adds counts and samples of another part of the same input.
  void add(const DroppedRows& other);
  std::uint64_t total() const { return without_person + over_long + not_utf8 + broken; }
  friend bool operator==(const DroppedRows&, const DroppedRows&) = default;
};

/// What of a past snapshot does not come back, because the input no longer has the people.
struct LeftOut {
  std::uint64_t people = 0;
  std::uint64_t memberships = 0;

  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

/// Whom the snapshot still names although they are to be forgotten: what is written for them ends their memberships.
struct ForgottenPeople {
  std::uint64_t people = 0;
  std::uint64_t memberships = 0;

  friend bool operator==(const ForgottenPeople&, const ForgottenPeople&) = default;
};

/// A change of any number of memberships as one small value: what is compared with what, a hash, the counts.
/// The rows stay with the membership engine and are found again by `content`.
struct Bulk {
  std::string relation;                  // "<uid>/analytics"
  std::string source;                    // export batch ids, comma-separated: the pinned input
  Digest base;                           // content of the proven snapshot it starts from, "" when there is none
  Digest content;                        // of the changed rows
  Digest candidate;                      // content of the snapshot that becomes current once this is proven
  std::uint64_t people = 0;              // whose set of audiences changes
  std::uint64_t added = 0;               // of them: not in the snapshot before
  std::uint64_t removed = 0;             // of them: in no audience afterwards (a tombstone each)
  std::uint64_t records = 0;             // to be written
  std::uint64_t bytes = 0;               // of the records, as JSON lines
  std::uint64_t crowded = 0;             // people in more audiences than analytics take from a record of the layout
  std::vector<AudienceDelta> audiences;  // sorted by id
  DroppedRows dropped;
  LeftOut left_out;           // of a rollback
  ForgottenPeople forgotten;  // among `removed`, and in no snapshot afterwards

  Value to_value() const;
  static Result<Bulk> from_value(const Value& value);
  friend bool operator==(const Bulk&, const Bulk&) = default;
};

}  // namespace audiencesync
