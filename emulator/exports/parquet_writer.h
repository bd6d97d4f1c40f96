#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "emulator/data/lake.h"
#include "emulator/data/world.h"

namespace emulator {

/// What one batch of an export holds.
struct ExportedRows {
  std::vector<PartFile> parts;
  std::uint64_t rows = 0;
  std::uint64_t with_email = 0;
  std::uint64_t with_ecid = 0;
};

/// Writes the people a condition selects as Snappy Parquet into several part files below `folder`.
///
/// All parts see one moment of the world. About `rows_per_part` rows a file, and at least two files when there are two
/// rows. `guid` goes into the names. Throws DatabaseError. Cost: two scans of the people.
ExportedRows write_parquet(World& world, const std::string& select, const std::string& condition,
                           const std::filesystem::path& folder, const std::string& guid, std::uint64_t rows_per_part);

}  // namespace emulator
