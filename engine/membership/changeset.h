#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/block_reader.h"
#include "engine/membership/block_writer.h"
#include "engine/membership/content_digest.h"
#include "engine/membership/dictionary.h"
#include "engine/membership/row_file.h"

namespace audiencesync {

/// Whether the snapshot knew a person; someone with an empty set there (a tombstone) is known.
enum class Known : std::uint8_t { No = 0, Yes = 1 };

/// One changed person.
struct ChangesetRow {
  std::uint64_t hash = 0;
  std::string_view person;  // until the next row is read
  Known known = Known::No;
  Ranks before;
  Ranks after;
};

/// A range of a changeset's rows as one thread makes it; see SnapshotPart.
class ChangesetPart {
 public:
  ChangesetPart(const Dictionary& dictionary, BlockCompressor& compressor);

  /// People come sorted by (hash, id).
  Result<void> add(const ChangesetRow& row);
  Result<void> end() { return blocks_.cut(); }
  std::size_t packed() { return blocks_.bytes().size(); }

 private:
  friend class ChangesetWriter;

  BlockPacker blocks_;
  ContentDigest content_;
  std::vector<std::uint32_t> indices_;  // by rank
  std::vector<std::uint64_t> people_;   // by rank: on either side of a change
  std::vector<std::uint32_t> scratch_;
};

/// Writes a changeset: parts in the order of their hashes. One thread at a time. Errors: NoSpace, Io.
class ChangesetWriter {
 public:
  /// The dictionary must outlive the writer.
  static Result<std::unique_ptr<ChangesetWriter>> create(TempFile file, const RowFileHead& head,
                                                         const Dictionary& dictionary);

  /// Writes what `part` has packed so far and clears it there.
  Result<void> take(ChangesetPart& part) { return blocks_->append(part.blocks_); }
  /// Takes the rest of a part that has ended, with its counts.
  Result<void> close(ChangesetPart& part);
  /// Makes the file visible in `folder` under its content, which is returned.
  Result<Digest> publish(const Path& folder);

 private:
  ChangesetWriter(std::unique_ptr<BlockWriter> blocks, const RowFileHead& head, const Dictionary& dictionary);

  std::unique_ptr<BlockWriter> blocks_;
  const Dictionary& dictionary_;
  ContentDigest content_;
  std::vector<std::uint64_t> people_;
};

/// Reads a changeset in its order and hashes it on the way. Errors: NotFound, Corrupt with the path, Unsupported.
class ChangesetReader {
 public:
  static Result<std::unique_ptr<ChangesetReader>> open(const Files& files, const Path& path);

  const RowFileHead& head() const { return head_; }
  const Dictionary& dictionary() const { return dictionary_; }
  std::uint64_t rows() const { return blocks_->rows(); }

  /// From now on rows speak in ranks of `other`, which must have all entries of dictionary() and outlive this.
  Result<void> translate(const Dictionary& other);
  Result<bool> next(ChangesetRow& row);
  /// After the last row: errors with Corrupt unless the rows had this content.
  Result<void> expect(const Digest& content);

 private:
  ChangesetReader() = default;

  std::unique_ptr<BlockReader> blocks_;
  RowFileHead head_;
  Dictionary dictionary_;
  std::unique_ptr<ContentDigest> content_;
  std::vector<std::uint32_t> table_;
  std::uint64_t last_hash_ = 0;
  std::string last_person_;
};

}  // namespace audiencesync
