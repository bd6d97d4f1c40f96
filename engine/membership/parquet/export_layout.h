#pragma once

#include <optional>
#include <string>

#include "engine/membership/parquet/footer.h"
#include "engine/membership/person_source.h"

namespace audiencesync::parquet {

/// A column and what its levels mean.
struct LeafColumn {
  SchemaNode leaf;
  int present = 0;  // definition level from which on the thing around the value is there
};

/// Where an export has its people and memberships, for the one shape that the platform writes: the person id in
/// structures, memberships as a map of maps of structures or of statuses.
struct ExportLayout {
  struct Memberships {
    LeafColumn spaces;     // keys of the outer map
    LeafColumn audiences;  // keys of the inner map
    LeafColumn statuses;   // `present`: the membership has a value, though perhaps no status
  };
  SchemaNode person;
  std::optional<Memberships> memberships;  // nullopt: the file has none

  /// Nullopt for any other shape.
  static std::optional<ExportLayout> find(const SchemaNode& root, const SourceColumns& columns);
};

/// Whether we can read this chunk: its type, compression, encodings and where it lies.
bool is_plain_chunk(const ColumnChunk& chunk);

}  // namespace audiencesync::parquet
