#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "engine/membership/person_source.h"

namespace audiencesync::json {

/// Reads one exported profile at a time with simdjson. One thread.
class RecordReader {
 public:
  /// All must outlive this. Memberships become numbers of the batch by `meaning`, or, where that is null, texts in
  /// `all`, which the caller clears.
  RecordReader(const SourceColumns& columns, const MembershipMeaning* meaning,
               std::vector<SourceRow::Membership>* all = nullptr);
  ~RecordReader();

  /// Adds a row to `batch`, whose views point into the record or into this reader. Null, or what is wrong with the
  /// record, a constant; then the batch is as before. `readable` bytes may be read from the record's begin on.
  const char* read(std::string_view record, std::size_t readable, PersonBatch& batch);
  /// The batch has been used: texts of it may go.
  void forget() { texts_.clear(); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::deque<std::string> texts_;  // of people whose ids are written with escapes
};

}  // namespace audiencesync::json
