#pragma once

#include <string>
#include <vector>

#include "engine/base/value.h"
#include "engine/membership/block_reader.h"
#include "engine/membership/dictionary.h"

namespace audiencesync {

/// What is known about a snapshot or a changeset before its first row is written. Which ingest proved a snapshot is
/// not in the file but in the store (docs/adr/0003).
struct RowFileHead {
  std::string relation;
  Digest definition;
  std::string dataset;
  Digest base;                   // content of the snapshot it was compared with, "" when there was none
  std::string source;            // export batch ids
  std::string shape = "person";  // of the records, RelationSpec::shape
  /// Blocks end where the first byte of the hash changes, so that readers of one section decompress no other.
  bool cut_at_sections = false;

  /// What content digests of such a file begin with: rows that are written in another shape are other content.
  std::string content_domain(std::string_view kind) const;
  Value to_value() const;
  static RowFileHead from_value(const Value& value);
};

/// The part of reading and writing that snapshots and changesets share: the dictionary, and sets in file indices.
namespace row_file {

/// A number that no index of the file has.
inline constexpr std::uint32_t kAbsent = ~std::uint32_t{0};

/// Entries with `people` > 0 or `declared`, as JSON for the foot. Both vectors are by rank.
Value dictionary_value(const Dictionary& dictionary, const std::vector<std::uint64_t>& people,
                       const std::vector<bool>& declared);
/// Errors: Corrupt (by the reader) when the foot has no sound dictionary.
Result<Dictionary> read_dictionary(const BlockReader& file);
/// From file index to rank in `into`; kAbsent where the file has no such index. Errors: Internal when `into` lacks an
/// entry of `own`.
Result<std::vector<std::uint32_t>> index_table(const Dictionary& own, const Dictionary& into);
/// The index in files of every rank.
std::vector<std::uint32_t> file_indices(const Dictionary& dictionary);
/// Appends the set in file indices. `scratch` saves an allocation a row.
void put_ranks(std::string& out, const std::vector<std::uint32_t>& indices, const Ranks& ranks,
               std::vector<std::uint32_t>& scratch);

}  // namespace row_file
}  // namespace audiencesync
