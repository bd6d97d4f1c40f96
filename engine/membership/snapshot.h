#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/block_reader.h"
#include "engine/membership/block_writer.h"
#include "engine/membership/content_digest.h"
#include "engine/membership/dictionary.h"
#include "engine/membership/row_file.h"

namespace audiencesync {

/// First line of the content of every snapshot.
inline constexpr std::string_view kSnapshotDomain = "audiencesync snapshot 1";

/// One person of a snapshot. An empty set is a tombstone: the dataset holds an empty list for them.
struct SnapshotRow {
  std::uint64_t hash = 0;
  std::string_view person;  // until the next row is read
  Ranks audiences;
};

/// A range of a snapshot's rows as one thread makes it: packed blocks, digests and counts, in memory. A part has whole
/// sections (docs/formats/snapshot.md) unless it is the only one.
class SnapshotPart {
 public:
  /// Both references must outlive the part. `cut_at_sections` as in the file's head.
  SnapshotPart(const Dictionary& dictionary, BlockCompressor& compressor, bool cut_at_sections);

  /// People come sorted by (hash, id).
  Result<void> add(std::uint64_t hash, std::string_view person, const Ranks& audiences);
  /// Nobody else comes.
  Result<void> end() { return blocks_.cut(); }
  /// Bytes that a writer could take.
  std::size_t packed() { return blocks_.bytes().size(); }

 private:
  friend class SnapshotWriter;

  BlockPacker blocks_;
  bool cut_at_sections_;
  std::uint64_t section_ = 0;
  ContentDigest content_;
  std::vector<std::uint32_t> indices_;  // by rank
  std::vector<std::uint64_t> people_;   // by rank
  std::uint64_t tombstones_ = 0;
  std::vector<std::uint32_t> scratch_;
};

/// Writes a snapshot: parts in the order of their hashes. One thread at a time. Errors: NoSpace, Io.
class SnapshotWriter {
 public:
  /// The dictionary must outlive the writer.
  static Result<std::unique_ptr<SnapshotWriter>> create(TempFile file, const RowFileHead& head,
                                                        const Dictionary& dictionary);

  /// Writes what `part` has packed so far and clears it there.
  Result<void> take(SnapshotPart& part) { return blocks_->append(part.blocks_); }
  /// Takes the rest of a part that has ended, with its counts.
  Result<void> close(SnapshotPart& part);
  /// Makes the file visible in `folder` under its content, which is returned. `declared` (by rank) says which
  /// audiences keep their place in the dictionary though nobody is in them.
  Result<Digest> publish(const Path& folder, const std::vector<bool>& declared);

 private:
  SnapshotWriter(std::unique_ptr<BlockWriter> blocks, const RowFileHead& head, const Dictionary& dictionary);

  std::unique_ptr<BlockWriter> blocks_;
  const Dictionary& dictionary_;
  ContentDigest content_;
  std::vector<std::uint64_t> people_;  // by rank
  std::uint64_t tombstones_ = 0;
};

/// Reads a snapshot in its order. Errors: NotFound, Corrupt with the path, Unsupported.
class SnapshotReader {
 public:
  static Result<std::unique_ptr<SnapshotReader>> open(const Files& files, const Path& path);

  const RowFileHead& head() const { return head_; }
  const Dictionary& dictionary() const { return dictionary_; }
  /// How many people are in each audience, by rank of dictionary().
  const std::vector<std::uint64_t>& people() const { return people_; }
  std::uint64_t rows() const { return blocks_->rows(); }
  /// Rows of people who are in no audience any more.
  std::uint64_t tombstones() const {
    return static_cast<std::uint64_t>(blocks_->foot().number("tombstones").value_or(0));
  }

  /// From now on rows speak in ranks of `other`, which must have all entries of dictionary().
  Result<void> translate(const Dictionary& other);
  /// From now on only rows of this range come, from its beginning.
  void seek(const HashRange& range);
  /// False at the end. Rows out of order are Corrupt.
  Result<bool> next(SnapshotRow& row);
  Error corrupt(std::string_view what) const { return blocks_->corrupt(what); }

 private:
  SnapshotReader() = default;

  std::unique_ptr<BlockReader> blocks_;
  RowFileHead head_;
  Dictionary dictionary_;
  std::vector<std::uint64_t> people_;
  std::vector<std::uint32_t> table_;
  HashRange range_;
  std::uint64_t last_hash_ = 0;
  std::string_view last_person_;  // in the block, or kept when that is about to go
  std::string kept_person_;
};

/// Reads a whole snapshot. Errors: Corrupt unless every checksum holds and the rows have this content.
Result<void> check_snapshot(const Files& files, const Path& path, const Digest& content, std::stop_token stop);

}  // namespace audiencesync
