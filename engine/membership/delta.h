#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/block_reader.h"
#include "engine/membership/block_writer.h"
#include "engine/membership/changeset.h"
#include "engine/membership/content_digest.h"
#include "engine/membership/dictionary.h"
#include "engine/membership/row_file.h"
#include "engine/membership/snapshot.h"

namespace audiencesync {

/// What a delta remembers of a snapshot at one of its ends: enough to say how many people were in which audience, and
/// under which name, without a single row.
struct SnapshotFacts {
  struct Audience {
    AudienceId id;
    std::string name;
    std::uint64_t people = 0;
  };
  Digest content;  // "" for the nothing before the first snapshot
  std::string shape = RowFileHead{}.shape;
  std::uint64_t rows = 0;
  std::uint64_t tombstones = 0;
  std::vector<Audience> audiences;  // sorted by id, then name; also those that nobody is in but that were declared

  static SnapshotFacts of(const SnapshotReader& snapshot, Digest content);
};

/// One person who differs between two snapshots. A person whom one of the two does not have is not known there.
struct DeltaRow {
  std::uint64_t hash = 0;
  std::string_view person;  // until the next row is read
  Known known_before = Known::No;
  Known known_after = Known::No;
  Ranks before;
  Ranks after;
};

/// Writes a delta (docs/formats/delta.md): who differs between two snapshots. One thread. Errors: NoSpace, Io.
class DeltaWriter {
 public:
  /// The dictionary must outlive the writer.
  static Result<std::unique_ptr<DeltaWriter>> create(TempFile file, const RowFileHead& head,
                                                     const Dictionary& dictionary);

  /// People come sorted by (hash, id).
  Result<void> add(const DeltaRow& row);
  /// Makes the file visible in `folder` under its digest, which is returned: that of both ends and of the rows.
  Result<Digest> publish(const Path& folder, const SnapshotFacts& before, const SnapshotFacts& after);

 private:
  DeltaWriter(std::unique_ptr<BlockWriter> blocks, const Dictionary& dictionary);

  const Dictionary& dictionary_;
  BlockCompressor compressor_;
  BlockPacker packer_;
  std::unique_ptr<BlockWriter> blocks_;
  ContentDigest content_;
  std::vector<std::uint32_t> indices_;  // by rank
  std::vector<std::uint64_t> people_;   // by rank: on either side
  std::vector<std::uint32_t> scratch_;
};

/// Reads a delta in its order and hashes it on the way. Errors: NotFound, Corrupt with the path, Unsupported.
class DeltaReader {
 public:
  static Result<std::unique_ptr<DeltaReader>> open(const Files& files, const Path& path);

  const RowFileHead& head() const { return head_; }
  const Dictionary& dictionary() const { return dictionary_; }
  const SnapshotFacts& before() const { return before_; }
  const SnapshotFacts& after() const { return after_; }
  std::uint64_t rows() const { return blocks_->rows(); }

  /// From now on rows speak in ranks of `other`, which must have all entries of dictionary() and outlive this.
  Result<void> translate(const Dictionary& other);
  /// False at the end. Rows out of order are Corrupt.
  Result<bool> next(DeltaRow& row);
  /// After the last row: errors with Corrupt unless ends and rows are those of this digest.
  Result<void> expect(const Digest& delta);
  Error corrupt(std::string_view what) const { return blocks_->corrupt(what); }

 private:
  DeltaReader() = default;

  std::unique_ptr<BlockReader> blocks_;
  RowFileHead head_;
  Dictionary dictionary_;
  SnapshotFacts before_;
  SnapshotFacts after_;
  std::unique_ptr<ContentDigest> content_;
  std::vector<std::uint32_t> table_;
  std::uint64_t last_hash_ = 0;
  std::string last_person_;
};

}  // namespace audiencesync
