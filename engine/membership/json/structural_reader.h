#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/membership/json/record_block.h"
#include "engine/membership/person_source.h"

namespace audiencesync::json {

/// The fast way through a block of ordinary records. While they have one shape, they are compared with it
/// (LineStencil); from the first one on that does not, simdjson's first stage marks braces, commas, colons and the
/// beginnings of values for the whole block at once, and one walk over the marks finds what we want.
///
/// Ordinary is: nothing in the block is broken, no escapes in the record, the person id a text, memberships objects. Of
/// anything else it says so and leaves it to RecordReader, which knows everything and says what is wrong. Where both
/// read a record they give the same row. One thread.
class StructuralReader {
 public:
  /// Both must outlive this.
  StructuralReader(const SourceColumns& columns, const MembershipMeaning& meaning);
  ~StructuralReader();

  /// Takes a block, which must stay as it is while its records are read, in their order.
  void begin(const RecordBlock& block);
  /// True: a row was added to `batch`, its views point into the block. False: `batch` is as before.
  bool read(const RecordBlock::Record& record, PersonBatch& batch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace audiencesync::json
