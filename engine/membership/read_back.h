#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// What was met while records of a dataset were read.
struct RecordCounts {
  std::uint64_t records = 0;
  std::uint64_t files = 0;
  std::map<std::string, std::uint64_t> of_batch;  // records of each batch that had files
  std::int64_t generation = 0;                    // the highest
  // Left out, because they say nothing about anybody.
  std::uint64_t without_person = 0;
  std::uint64_t unusable_person = 0;     // an id too long, or not UTF-8
  std::uint64_t without_generation = 0;  // neither in the record nor known of its batch
  // Taken as they are.
  std::uint64_t other_id = 0;    // `_id` is not the one this sync gives the person
  std::uint64_t duplicates = 0;  // another record of the same person and generation is there
  std::uint64_t conflicts = 0;   // ... and says something else; that of the newest batch counts

  std::uint64_t left_out() const { return without_person + unusable_person + without_generation; }
};

/// How many people a snapshot has in one audience, under the name that their records carry.
struct AudiencePeople {
  AudienceId id;
  std::string name;
  std::uint64_t people = 0;
};

/// What a sync remembers (Records::remembered) where no snapshot is kept on this machine: `content` of the one it is
/// of, and `audiences`, each with `id`, `name` and `people`.
inline constexpr const char* kCountedPeople = "counted_people";

/// A snapshot made of the records of a dataset: of each person the record of the highest generation.
struct ReadBack {
  Digest content;  // of the snapshot, which is there and whole
  RecordCounts counts;
  std::uint64_t people = 0;      // in at least one audience
  std::uint64_t tombstones = 0;  // known, in none
  std::vector<AudiencePeople> audiences;
};

}  // namespace audiencesync
