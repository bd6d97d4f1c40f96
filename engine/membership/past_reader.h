#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/membership/delta.h"
#include "engine/membership/memberships.h"

namespace audiencesync {

/// Reads the snapshot that a chain of deltas leads back to: a merge of the current snapshot with all of them, in which
/// the oldest delta that has a person says how they were.
///
/// Memory: one block and 32 bytes for each block of every delta. One thread. Errors: NotFound for a file that is gone,
/// Corrupt for one that is damaged, and at the end when the rows are not the expected ones.
class PastReader {
 public:
  /// `files` must outlive this.
  static Result<std::unique_ptr<PastReader>> open(const Files& files, const Path& folder, const PastRef& past);

  const RowFileHead& head() const { return head_; }
  /// Of all files together; rows speak in its ranks.
  const Dictionary& dictionary() const { return dictionary_; }
  /// What was known of the snapshot when it was the current one.
  const SnapshotFacts& facts() const { return facts_; }
  /// False at the end, when everything was checked.
  Result<bool> next(SnapshotRow& row);

 private:
  struct Source {
    std::unique_ptr<DeltaReader> reader;
    Digest name;
    DeltaRow row;
  };

  PastReader() = default;
  Result<void> advance(std::size_t source);
  Result<void> take_changed();
  Result<bool> next_row(SnapshotRow& row);
  Result<void> check_end();
  bool later(std::size_t left, std::size_t right) const;

  PastRef past_;
  RowFileHead head_;
  Dictionary dictionary_;
  SnapshotFacts facts_;
  std::unique_ptr<SnapshotReader> current_;
  SnapshotRow current_row_;
  bool more_current_ = false;
  std::vector<Source> sources_;    // newest first
  std::vector<std::size_t> heap_;  // of sources that have a row; the first in order is on top
  bool changed_ = false;           // what follows is the next person of the deltas
  std::uint64_t changed_hash_ = 0;
  std::string changed_person_;
  Known changed_known_ = Known::No;
  Ranks changed_audiences_;
  std::string person_;  // of the row given last
  std::unique_ptr<ContentDigest> content_;
};

}  // namespace audiencesync
