#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/membership/read_back.h"
#include "engine/plugin/context.h"
#include "plugins/membership/ledger.h"
#include "plugins/platform/data_access.h"

namespace audiencesync {

/// The key under which a sync remembers the last time its target was read back (RebuildMark).
inline constexpr const char* kRebuilt = "rebuilt";

/// What is kept of a snapshot that was read back: it says what was found, and which damage is known already.
struct RebuildMark {
  Digest content;               // the snapshot it gave ...
  std::int64_t generation = 0;  // ... under this generation: it is about that one only
  std::string why;              // a sentence
  Time at{};
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t people = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t without_person = 0, unusable_person = 0, without_generation = 0;  // records left out
  std::uint64_t other_id = 0, duplicates = 0, conflicts = 0;                      // records taken all the same
  std::vector<AudiencePeople> audiences;
  std::vector<std::string> missing;  // batches of ours that were gone then
  std::uint64_t taken_over = 0;      // batches of another state folder that became ours
  bool told = false;                 // a finished run has said so

  Value to_value() const;
  /// nullopt for null and for what is no mark.
  static std::optional<RebuildMark> from_value(const Value& value);
};

/// "1,200 people in 3 audiences, 40 in none any more, from 1,300 records of 4 batches, generation 7".
std::string rebuilt_text(const RebuildMark& mark);

/// Live batches in the order that decides between records of equal generation: by generation, then age.
std::vector<platform::Batch> in_reading_order(std::vector<platform::Batch> live);

/// Which files of a batch are read; empty: all.
using FileChoice =
    std::function<std::vector<platform::DataFile>(const platform::Batch&, std::vector<platform::DataFile>)>;

/// Fetches the data files of batches into `folder`, one at a time; `batches` in the order that decides between records
/// of equal generation. The one before is removed when the next is asked for. Errors of the files: NotFound for a batch
/// with records and without files, those of the client.
TargetFiles target_files(ReadContext& context, std::vector<platform::Batch> batches, const Path& folder,
                         const FileChoice& choose = {});

/// Errors: Corrupt when the files held fewer or more records of a batch than the catalog counts.
Result<void> expect_all_records(const std::vector<platform::Batch>& batches, const RecordCounts& counts);

/// Reads the target dataset back and makes what it holds the current snapshot; our batches in it join the ledger. With
/// field `take_over` those of another state folder too: then the dataset's tag names this folder, before anything is
/// recorded. Nothing is recorded unless everything was read.
///
/// Safe to repeat. Errors: Conflict when the batches changed meanwhile or are not ours (the engine plans again), those
/// of reading.
Result<Applied> rebuild_snapshot(const Change& change, WriteContext& context);

}  // namespace audiencesync
