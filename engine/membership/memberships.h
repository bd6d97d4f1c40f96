#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/person_id.h"
#include "engine/membership/forgotten.h"
#include "engine/membership/read_back.h"
#include "engine/membership/relation_spec.h"
#include "engine/membership/row_check.h"
#include "engine/membership/target_source.h"

namespace audiencesync {

/// What upload files are.
enum class UploadFormat { JsonLines, Parquet };

/// One upload file on disk.
struct UploadPart {
  Path path;
  std::string name;  // flat, the same for equal content: "part-00000.jsonl", "part-00000.parquet"
  Path lines;        // its records as JSON lines, in the same order: who the platform means by a row of the file
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
};

/// Rows of a changeset by their position in stored order, `last` excluded.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t last = UINT64_MAX;
};

struct EncodeOptions {
  std::int64_t generation = 0;
  std::uint64_t largest_part = 200ULL << 20;  // bytes; the platform takes less than 256 MiB in one PUT
  std::uint64_t most_bytes = UINT64_MAX;      // of one upload, as JSON lines: it ends before the row that would pass it
  std::uint64_t most_parts = UINT64_MAX;      // of one upload, likewise
  UploadFormat format = UploadFormat::JsonLines;
  std::set<PersonId> leave_out;  // quarantined: no record, and they keep their old snapshot entry
  /// Writes records for these rows only. Rows before `first` have landed already, rows from `last` on keep their old
  /// snapshot entry in the upload's candidate: how a batch whose bad rows nobody names is halved.
  RowRange rows;
};

struct Upload {
  std::vector<UploadPart> parts;  // empty when nobody is left to write
  std::uint64_t records = 0;
  std::uint64_t people = 0;  // whose records these are
  /// End of the rows that are in it: less than EncodeOptions::rows says when the upload is full, and then everyone from
  /// here on keeps their old snapshot entry in `candidate`.
  std::uint64_t last = 0;
  Digest candidate;  // snapshot that is true once the parts are in; differs from the bulk's when people were left out
};

/// A membership of one person as stored, for samples, `explain` and tests.
struct MemberRow {
  PersonId person;
  std::vector<AudienceId> audiences;  // sorted by id bytes; empty for a tombstone
};

class MemberReader {
 public:
  virtual ~MemberReader() = default;
  /// The next row in the order of the snapshot; nullopt at the end.
  virtual Result<std::optional<MemberRow>> next() = 0;
};

/// What a person must be in, beside what they were in: one changed person.
struct ChangedRow {
  PersonId person;
  std::vector<AudienceId> before;
  std::vector<AudienceId> after;
};

/// Which two snapshots a delta is to lead from one to the other.
struct DeltaRequest {
  std::optional<Digest> before;  // current until now; nullopt: nothing was proven
  Digest after;
  /// When everyone who differs is known to be in these rows of a changeset, neither snapshot is read.
  struct Rows {
    Digest changeset;  // Bulk::content
    RowRange rows;
    std::set<PersonId> leave_out;
  };
  std::optional<Rows> rows;
  Forgotten forgotten = {};  // they are left out of it
};

/// A delta that was kept.
struct KeptDelta {
  Digest digest;
  bool erased = false;  // it would have had somebody who was forgotten
};

/// How to get from a snapshot back to an earlier one.
struct PastRef {
  Digest current;                  // the snapshot to start from
  std::vector<Digest> deltas;      // newest first: each leads from the state after it back to the one before
  std::optional<Digest> expected;  // content that comes out; nullopt after people were erased from the past
};

/// A snapshot of the past, person by person.
class PastMembers : public MemberReader {
 public:
  /// How many people were in each audience, by id and name as written then; known before the first row. After people
  /// were erased these are the counts of then, with them.
  virtual const std::vector<AudiencePeople>& audiences() const = 0;
};

/// Turns an upload file of JSON lines into another format. Errors: Io, NoSpace, Invalid when a line is no record of
/// ours.
class RecordConverter {
 public:
  virtual ~RecordConverter() = default;
  /// Writes the records of `lines` to `to`, in their order, private to the user; gives how many.
  virtual Result<std::uint64_t> to_parquet(const Path& lines, const RelationSpec& spec, const Path& to) = 0;
};

/// The membership engine: compares an export with the proven snapshot and encodes the difference.
///
/// Works inside one folder of the state (0700); every file is named by the digest of its content, written, synced and
/// renamed before its name is returned. Memory stays under the budget given at construction whatever the input.
/// Errors: Corrupt when a snapshot or a source is damaged (never taken for empty), NoSpace, Io, Interrupted.
class Memberships {
 public:
  virtual ~Memberships() = default;

  /// Compares. Candidate and changeset are synced on return. The caller keeps the answer under `question`; while
  /// `holds` is true for it there is no need to ask again.
  virtual Result<Bulk> compare(const RelationSpec& spec, const SourceRef& source, const BaseRef& base,
                               std::stop_token stop) = 0;

  /// What a comparison depends on: equal digests have equal answers.
  virtual Digest question(const RelationSpec& spec, const SourceRef& source, const BaseRef& base) const = 0;
  /// True when the files behind this bulk are all here and whole.
  virtual bool holds(const Bulk& bulk) const = 0;

  /// Writes the records of a changeset as upload files below `folder`. Equal input gives byte-equal files.
  /// Errors: NotFound when the files behind `bulk` are gone (compare again), Conflict when that gave other content.
  virtual Result<Upload> encode(const RelationSpec& spec, const Bulk& bulk, const EncodeOptions& options,
                                const Path& folder, std::stop_token stop) = 0;

  /// The changed people of a bulk, in stored order.
  virtual Result<std::vector<ChangedRow>> sample(const Bulk& bulk, std::size_t most) = 0;
  virtual Result<std::unique_ptr<MemberReader>> members(const Digest& snapshot) = 0;
  /// How many people a snapshot has in each audience, by id and name; a renamed audience may be there under both names.
  /// Reads no rows. Errors: NotFound, Corrupt.
  virtual Result<std::vector<AudiencePeople>> people(const Digest& snapshot) = 0;
  /// Of which shape the records behind a snapshot are (RelationSpec::shape), likewise.
  virtual Result<std::string> shape(const Digest& snapshot) = 0;
  /// How many people of a snapshot are in at least one audience, likewise.
  virtual Result<std::uint64_t> holders(const Digest& snapshot) = 0;
  /// Reads a whole snapshot and checks every checksum. Errors: NotFound, Corrupt.
  virtual Result<void> check(const Digest& snapshot) = 0;

  /// Makes a snapshot of the records in `files`: of each person that of the highest generation, tombstones included. It
  /// equals the one that was proven by writing them. Nothing is current by that. `spec` says how a record of ours
  /// looks; its layout is that of the newest full generation. Generations below `oldest_generation` no longer count (0:
  /// not known), which only records without tombstones need to be told. Errors: those of `files`; Corrupt for records
  /// that contradict themselves.
  virtual Result<ReadBack> read_back(const RelationSpec& spec, const TargetFiles& files, std::int64_t oldest_generation,
                                     std::stop_token stop);
  /// Compares the records in `files` with a snapshot. Errors: as read_back; NotFound, Corrupt for the snapshot.
  virtual Result<RowCheck> check_rows(const RelationSpec& spec, const TargetFiles& files, const Digest& snapshot,
                                      const RowCheckOptions& options, std::stop_token stop);
  /// Keeps what a commit changes, so that the snapshot before it can be read again; synced on return. The digest names
  /// the file. Cost: that of the rows, or one pass over both snapshots. Errors: NotFound, Corrupt.
  virtual Result<KeptDelta> keep_delta(const DeltaRequest& request, std::stop_token stop) = 0;
  /// Streams a past snapshot; memory is that of one block for each delta. Each delta, and at the end all of what came
  /// out, is checked: an error of the last `next` means that nothing before it counts. Errors: NotFound, Corrupt.
  virtual Result<std::unique_ptr<PastMembers>> past(const PastRef& past) = 0;
  /// Makes a past snapshot a file again, beside the current one; its content. `clean` removes it unless it is named.
  virtual Result<Digest> recall(const PastRef& past, std::stop_token stop) = 0;
  /// Writes a delta again without these people; its new digest, or the same when it has none of them. The old file
  /// stays until `clean`. See plugins/membership/past.h for a whole history.
  virtual Result<Digest> erase(const Digest& delta, const Forgotten& people, std::stop_token stop) = 0;
  /// Bytes of a delta's file; nullopt when it is gone.
  virtual std::optional<std::uint64_t> delta_bytes(const Digest& delta) const = 0;

  /// Removes candidates, changesets, deltas and left-over temporary files, except those named in `keep`.
  virtual Result<void> clean(const std::set<Digest>& keep) = 0;
};

}  // namespace audiencesync
