#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/data/database.h"
#include "emulator/data/lake.h"

namespace emulator {

/// One identity value; the namespace's code is compared without case.
struct DoomedIdentity {
  std::string space;
  std::string id;
};

/// Where the rows of a dataset say whom they are about.
struct IdentityPlaces {
  std::string primary_path;   // JSON path of the primary identity, "" when there is none
  std::string primary_space;  // and its namespace
  bool map = false;           // whether there is an identityMap
};

/// Rewrites Parquet files without the rows about some people. Holds one session with the list of them.
class RowEraser {
 public:
  RowEraser(const Database& database, const std::vector<DoomedIdentity>& doomed);

  /// The file as it is after its rows went; nullopt, and no file, when none is left. Safe to repeat; the file changes
  /// at one moment. Throws DatabaseError. Cost: reads the file twice, writes it when there is something to erase.
  std::optional<PartFile> erase(const std::filesystem::path& file, const IdentityPlaces& places);

 private:
  Connection connection_;
};

}  // namespace emulator
