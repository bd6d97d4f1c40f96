#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/person_id.h"
#include "engine/membership/read_back.h"

namespace audiencesync {

/// How a person's records in a dataset can differ from the snapshot.
enum class RowDifference {
  Missing,  // in the snapshot, no record in the dataset
  Unknown,  // a record in the dataset, not in the snapshot
  Other,    // another set of audiences
  Renamed,  // the same audiences under another name
  Older,    // the newest record is older than the last full generation, which wrote everyone
};

const char* to_string(RowDifference difference);

struct RowCheckOptions {
  /// Generations below this one no longer count: everyone was written again from it on. 0 when that is not known.
  std::int64_t oldest_generation = 0;
  /// Only some of the dataset's files are read: people without a record in them are not missing, and only people who
  /// differ in no newer record can be told.
  bool sampled = false;
  std::size_t samples = 3;  // people kept of each kind of difference
};

/// How records and snapshot differ in one audience.
struct AudienceCheck {
  AudienceId id;
  std::string name;
  std::uint64_t expected = 0;  // people by the snapshot
  std::uint64_t found = 0;     // people by the dataset
  std::uint64_t missing = 0;   // by the snapshot only
  std::uint64_t surplus = 0;   // by the dataset only
};

struct RowSample {
  RowDifference difference = RowDifference::Missing;
  PersonId person;
};

/// The dataset beside the snapshot. Never rows; samples are personal data until they are masked.
struct RowCheck {
  RecordCounts counts;
  std::uint64_t compared = 0;  // people
  std::uint64_t missing = 0;
  std::uint64_t unknown = 0;
  std::uint64_t other = 0;
  std::uint64_t renamed = 0;
  std::uint64_t older = 0;
  std::vector<AudienceCheck> audiences;  // sorted by id
  std::vector<RowSample> samples;

  std::uint64_t people_differing() const { return missing + unknown + other + renamed + older; }
  /// Nothing differs: neither people nor the form of their records.
  bool equal() const {
    return people_differing() == 0 && counts.other_id == 0 && counts.duplicates == 0 && counts.left_out() == 0;
  }
};

}  // namespace audiencesync
