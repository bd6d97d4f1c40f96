#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "emulator/data/lake.h"
#include "emulator/data/world.h"
#include "emulator/ingestion/row_errors.h"

namespace emulator {

/// One batch to turn from what was uploaded into Parquet.
struct IngestRequest {
  std::filesystem::path uploads;      // folder
  std::filesystem::path parts;        // folder to fill
  std::filesystem::path diagnostics;  // folder to fill
  std::string format;                 // "json" or "parquet"
  bool document = false;              // isMultiLineJson
  Json schema;                        // resolved
  Diagnostics wants = Diagnostics::Off;
  double tolerated_percent = 0;
  std::uint64_t rows_per_part = 100'000;
  std::string guid;
  std::set<std::uint64_t> bad_rows;  // a test declares these bad, counting from 1
  std::set<std::string> bad_people;  // and these people's
};

struct IngestResult {
  bool good = false;
  std::vector<PartFile> parts;
  std::uint64_t input_bytes = 0, input_files = 0, input_rows = 0, failed_rows = 0;
  Json errors = Json::array();
};

/// Validates every record and, when few enough are bad, writes the good ones. Throws DatabaseError, std::runtime_error.
/// Cost: some 100,000 records a second.
IngestResult ingest(const Database& database, const IngestRequest& request);

}  // namespace emulator
