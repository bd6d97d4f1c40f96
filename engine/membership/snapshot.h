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

/// One person of a snapshot. An empty set is a tombstone: the dataset holds an empty list for them.
struct SnapshotRow {
  std::uint64_t hash = 0;
  std::string_view person;  // until the next row is read
  Ranks audiences;
};

/// Writes a snapshot, people sorted by (hash, id). Errors: NoSpace, Io.
class SnapshotWriter {
 public:
  /// The dictionary must outlive the writer.
  static Result<std::unique_ptr<SnapshotWriter>> create(TempFile file, const RowFileHead& head,
                                                        const Dictionary& dictionary);

  Result<void> add(std::uint64_t hash, std::string_view person, const Ranks& audiences);
  /// Makes the file visible in `folder` under its content, which is returned. `declared` (by rank) says which
  /// audiences keep their place in the dictionary though nobody is in them.
  Result<Digest> publish(const Path& folder, const std::vector<bool>& declared);

 private:
  SnapshotWriter(std::unique_ptr<BlockWriter> blocks, const Dictionary& dictionary);

  std::unique_ptr<BlockWriter> blocks_;
  const Dictionary& dictionary_;
  ContentDigest content_;
  std::vector<std::uint64_t> people_;  // by rank
  std::uint64_t tombstones_ = 0;
  std::string row_;
  std::vector<std::uint32_t> scratch_;
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

  /// From now on rows speak in ranks of `other`, which must have all entries of dictionary().
  Result<void> translate(const Dictionary& other);
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
  std::uint64_t last_hash_ = 0;
  std::string last_person_;
};

/// Reads a whole snapshot. Errors: Corrupt unless every checksum holds and the rows have this content.
Result<void> check_snapshot(const Files& files, const Path& path, const Digest& content, std::stop_token stop);

}  // namespace audiencesync
