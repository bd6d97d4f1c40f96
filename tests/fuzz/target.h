#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace audiencesync::testing {

/// One thing that reads bytes of strangers. Any bytes at all must end in an answer or an error: no crash, no undefined
/// behaviour, no answer that contradicts itself. What must not happen ends the process with a sentence on stderr.
struct FuzzTarget {
  const char* name;
  void (*run)(std::string_view bytes);
  /// Good inputs, to begin from.
  std::vector<std::string> (*seeds)();
  /// How many mutations `ctest` tries.
  int mutations = 3000;
};

std::span<const FuzzTarget> fuzz_targets();

/// Ends the process unless `holds`.
void fuzz_expect(bool holds, const char* promise);

void fuzz_json(std::string_view bytes);
std::vector<std::string> json_seeds();
void fuzz_parquet(std::string_view bytes);
std::vector<std::string> parquet_seeds();
void fuzz_snapshot_file(std::string_view bytes);
std::vector<std::string> snapshot_file_seeds();
void fuzz_snapshot_rows(std::string_view bytes);
void fuzz_changeset_rows(std::string_view bytes);
std::vector<std::string> row_seeds();
void fuzz_manifest(std::string_view bytes);
std::vector<std::string> manifest_seeds();

}  // namespace audiencesync::testing
