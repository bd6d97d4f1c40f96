#pragma once

#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/membership/dictionary.h"

namespace audiencesync {

/// Digest of what rows say, whatever the threads, blocks, compression and indices they were stored with.
///
/// Rows are taken in file order in up to 256 sections, one for each first byte of the person hash. A section numbers
/// its audiences as they appear and ends with their ids and names, so equal rows give equal bytes; the digest is that
/// of the sections' digests, which lets several threads take one section each. docs/formats/snapshot.md spells it out.
class ContentDigest {
 public:
  /// `domain` keeps kinds of content apart. The dictionary must outlive this.
  ContentDigest(std::string_view domain, const Dictionary& dictionary);

  void begin_row(std::uint64_t hash, std::string_view person);
  void add_number(std::uint64_t number);
  void add_set(const Ranks& set);
  /// Adds the sections of `part`, which come after those that are here; `part` is used up.
  void append(ContentDigest& part);
  Digest finish();

 private:
  void end_section();
  void spill();

  const Dictionary& dictionary_;
  std::string lines_;  // domain, then number and digest of each section
  std::size_t domain_size_ = 0;
  Sha256 section_;
  int section_number_ = -1;
  std::string pending_;
  std::vector<std::uint32_t> number_of_;  // by rank, 0: not seen in this section
  Ranks seen_;
};

}  // namespace audiencesync
